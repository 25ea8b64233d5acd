#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/ledger_book.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* The files of a ledger, apart from what SQLite does with them. */

/* The log is moved into the database when it has this many frames (as pragma
 * wal_autocheckpoint in ledger.c says), of a page
 * and 24 octets each, behind 32 octets of its own. */
#define LOG_FRAMES INT64_C(4096)
#define LOG_SIZE (32 + LOG_FRAMES * (4096 + 24))

/* What is locked in the .lock file, an octet each. */
#define LOCK_WRITERS 0 /* shared by all writers; exclusive: the only one */
#define LOCK_CLAIM 1   /* exclusive: the daemon */

/* Locks of the open file, not of the process: what this process closes
 * elsewhere does not drop them. */
static bool
lock(const struct ledger *l, off_t octet, short type, bool wait)
{
	struct flock what = { .l_type = type,
		.l_whence = SEEK_SET,
		.l_start = octet,
		.l_len = 1 };

	return fcntl(l->lock, wait ? F_OFD_SETLKW : F_OFD_SETLK, &what) == 0;
}

/*
 * Whether we are the only writer: an exclusive lock if it can be had, which is
 * then shared with whoever comes later.  Not on the database itself: closing a
 * second descriptor of that file would drop SQLite's own locks.
 */
int
ledger_lock_writers(struct ledger *l, const char *path, bool *alone,
    struct fault *f)
{
	char name[PATH_MAX];

	if (text_fmt(name, sizeof(name), "%s.lock", path) < 0)
		return fault_set(f, FAULT_CONFIG, "ledger: path too long");
	l->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (l->lock < 0)
		return fault_set(f, FAULT_LEDGER, "ledger: %s: %s", name,
		    strerror(errno));
	*alone = lock(l, LOCK_WRITERS, F_WRLCK, false);
	if (!*alone && !lock(l, LOCK_WRITERS, F_RDLCK, true))
		return fault_set(f, FAULT_LEDGER, "ledger: lock %s: %s", name,
		    strerror(errno));
	return 0;
}

int
ledger_share_writers(const struct ledger *l, struct fault *f)
{
	if (!lock(l, LOCK_WRITERS, F_RDLCK, true))
		return fault_set(f, FAULT_LEDGER, "ledger: lock: %s",
		    strerror(errno));
	return 0;
}

int
ledger_claim(struct ledger *l, struct fault *f)
{
	if (l->lock >= 0 && lock(l, LOCK_CLAIM, F_WRLCK, false))
		return 0;
	return fault_set(f, FAULT_LEDGER,
	    "ledger: %s is in use by another daemon",
	    sqlite3_db_filename(l->db, "main"));
}

int
ledger_make_file(const char *path, struct fault *f)
{
	if (access(path, F_OK) == 0)
		return 0;
	if (file_write_new(path, 0640, "", 0, f) == 0 ||
	    f->code == FAULT_DENIED) /* made by another meanwhile */
		return 0;
	f->code = FAULT_LEDGER;
	return fault_wrap(f, "ledger");
}

static int
write_zeroes(int fd, off_t from, off_t to, struct fault *f)
{
	static const uint8_t zeroes[65536];

	for (off_t at = from; at < to;) {
		size_t want = to - at < (off_t)sizeof(zeroes)
		    ? (size_t)(to - at)
		    : sizeof(zeroes);
		ssize_t put = pwrite(fd, zeroes, want, at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fault_set(f, FAULT_LEDGER,
			    "ledger: making room: %s", strerror(errno));
		at += put;
	}
	if (fsync(fd) < 0)
		return fault_set(f, FAULT_LEDGER, "ledger: making room: %s",
		    strerror(errno));
	return 0;
}

/*
 * Blocks that were written once, not blocks that are only set aside: those
 * would be marked as written by the journal when the time comes.  What lies
 * past SQLite's last frame it takes for the rest of an older log.
 */
int
ledger_make_room(struct ledger *l, struct fault *f)
{
	char name[PATH_MAX];
	struct statvfs disk;
	struct stat st;
	int fd, result = 0;

	if (l->begun || l->lock < 0)
		return fault_set(f, FAULT_INTERNAL,
		    "ledger: room is made between transactions");
	if (text_fmt(name, sizeof(name), "%s-wal",
		sqlite3_db_filename(l->db, "main")) < 0)
		return fault_set(f, FAULT_CONFIG, "ledger: path too long");
	fd = open(name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fault_set(f, FAULT_LEDGER, "ledger: %s: %s", name,
		    strerror(errno));
	if (fstat(fd, &st) < 0 || fstatvfs(fd, &disk) < 0)
		result = fault_set(f, FAULT_LEDGER, "ledger: %s: %s", name,
		    strerror(errno));
	else if (st.st_size < LOG_SIZE &&
	    disk.f_bavail > (uint64_t)10 * LOG_SIZE / disk.f_frsize)
		result = write_zeroes(fd, st.st_size, LOG_SIZE, f);
	(void)close(fd);
	return result;
}
