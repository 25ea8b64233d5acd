#include "callout/drop.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/text.h"
#include "callout/drop_part.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define READ_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
#define CLAIM_TRIES 50
#define ENTRIES_SIZE 8192

/* ---- what both sides do */

void
drop_name(char name[DROP_NAME_SIZE], char kind, const char id[DROP_ID_SIZE])
{
	name[0] = kind;
	name[1] = '.';
	memcpy(name + 2, id, DROP_ID_SIZE);
}

bool
drop_name_read(const char *name, char kind, char id[DROP_ID_SIZE])
{
	if (strlen(name) != DROP_NAME_SIZE - 1 || name[0] != kind ||
	    name[1] != '.' ||
	    strspn(name + 2, "0123456789abcdef") != DROP_ID_SIZE - 1)
		return false;
	memcpy(id, name + 2, DROP_ID_SIZE);
	return true;
}

bool
drop_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool
drop_locked(int fd)
{
	/* Whom a reader would wait for can write the file: that he lives is not
	 * for others of the group to play. */
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	/* Who cannot be asked about is taken for alive: he has his time. */
	return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

int
drop_watch(int dir, uint32_t mask, struct fault *f)
{
	char path[32];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	/* The directory that is open, whatever its path names by now. */
	if (watch >= 0 &&
	    text_fmt(path, sizeof(path), "/proc/self/fd/%d", dir) == 0 &&
	    inotify_add_watch(watch, path, mask | IN_ONLYDIR) >= 0)
		return watch;
	(void)fault_set(f, FAULT_SYSTEM, "inotify: %s", strerror(errno));
	if (watch >= 0)
		(void)close(watch);
	return -1;
}

void
drop_watch_quiet(int watch)
{
	uint8_t events[4096];

	while (read(watch, events, sizeof(events)) > 0)
		continue;
}

int
drop_check_mode(int dir, const char *what, struct stat *st, struct fault *f)
{
	if (fstat(dir, st) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", what,
		    strerror(errno));
	if (!S_ISDIR(st->st_mode) || (st->st_mode & S_IRWXO) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: a directory of requests is closed to others: chmod "
		    "o-rwx",
		    what);
	return 0;
}

/* ---- the directory */

/* Only its parents are taken as they are. */
static int
make_directory(const char *path, uid_t owner, gid_t group, struct fault *f)
{
	if (mkdir(path, 0700) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	/* In this order: the bit of another's group is not ours to set. */
	if (chmod(path, 02770) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: chmod: %s", path,
		    strerror(errno));
	if (geteuid() == 0 && chown(path, owner, group) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: chown: %s", path,
		    strerror(errno));
	return 0;
}

int
drop_open(struct drop *d, const char *path, uid_t owner, gid_t group,
    struct fault *f)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	*d = (struct drop){
		.dir = open(path, flags), .watch = -1, .served = -1
	};
	if (d->dir < 0 && errno == ENOENT) {
		if (make_directory(path, owner, group, f) < 0)
			return -1;
		d->dir = open(path, flags);
	}
	if (d->dir < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	d->watch = drop_watch(d->dir, IN_CREATE | IN_MOVED_TO, f);
	if (d->watch >= 0)
		return 0;
	drop_close(d);
	return -1;
}

void
drop_close(struct drop *d)
{
	if (d->dir >= 0)
		(void)close(d->dir);
	if (d->watch >= 0)
		(void)close(d->watch);
	if (d->served >= 0)
		(void)close(d->served);
	*d = (struct drop){ .dir = -1, .watch = -1, .served = -1 };
}

/* A directory with something in it: its name is ours to change, not what it
 * holds.  Under the new one it is nothing to anybody. */
static bool
move_away(const struct drop *d, const char *name)
{
	uint8_t number[(DROP_ID_SIZE - 1) / 2];
	char id[DROP_ID_SIZE], aside[DROP_NAME_SIZE];

	rand_bytes(number, sizeof(number));
	text_hex(number, sizeof(number), id);
	drop_name(aside, 'x', id);
	return renameat2(d->dir, name, d->dir, aside, RENAME_NOREPLACE) == 0;
}

/* A name that is not ours to keep, whatever it is of: false if it stays. */
static bool
put_away(const struct drop *d, const char *name)
{
	if (unlinkat(d->dir, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return false;
	return unlinkat(d->dir, name, AT_REMOVEDIR) == 0 || move_away(d, name);
}

/* Answers are read by the group that a set-group-ID directory gives them. */
static int
check_directory(const struct drop *d, struct fault *f)
{
	struct stat st;

	if (drop_check_mode(d->dir, "issue-directory", &st, f) < 0)
		return -1;
	if (st.st_uid != geteuid())
		return fault_set(f, FAULT_CONFIG,
		    "issue-directory belongs to uid %lu and not to user-intake",
		    (unsigned long)st.st_uid);
	if ((st.st_mode & S_IRWXG) != 0 && (st.st_mode & S_ISGID) == 0)
		return fault_set(f, FAULT_CONFIG,
		    "issue-directory is not set-group-ID: chmod g+s");
	return 0;
}

/* Whoever put something else there only keeps himself from being heard. */
static void
clear_served(struct drop *d)
{
	struct stat st;

	if (fstatat(d->dir, DROP_SERVED, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (!S_ISREG(st.st_mode) || st.st_uid != geteuid()))
		(void)put_away(d, DROP_SERVED);
}

int
drop_claim(struct drop *d, struct fault *f)
{
	int fd;

	if (check_directory(d, f) < 0)
		return -1;
	clear_served(d);
	fd = openat(d->dir, DROP_SERVED,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "issue-directory: %s: %s",
		    DROP_SERVED, strerror(errno));
	/* The clients of its group look at it. */
	if (fchmod(fd, 0640) < 0 || !drop_lock(fd)) {
		(void)close(fd);
		return fault_set(f, FAULT_DENIED,
		    "another signetd serves issue-directory");
	}
	d->served = fd;
	return 0;
}

void
drop_quiet(struct drop *d)
{
	drop_watch_quiet(d->watch);
}

static void
put_away_all(const struct drop *d, const char id[DROP_ID_SIZE])
{
	char name[DROP_NAME_SIZE];

	/* As the client: t goes last. */
	for (const char *kind = "nat"; *kind != '\0'; kind++) {
		drop_name(name, *kind, id);
		(void)put_away(d, name);
	}
}

/* ---- taking */

/* The id that is announced: 1, 0 for none, or -1 with the link taken away.  One
 * that cannot be taken away is none: it would be looked at without end. */
static int
read_link(const struct drop *d, char id[DROP_ID_SIZE], struct fault *f)
{
	char target[DROP_NAME_SIZE + 1];
	ssize_t len = readlinkat(d->dir, DROP_LINK, target, sizeof(target) - 1);

	if (len < 0 && errno == ENOENT)
		return 0;
	if (len > 0) {
		target[len] = '\0';
		if (drop_name_read(target, 'q', id))
			return 1;
	}
	if (!put_away(d, DROP_LINK))
		return 0;
	return fault_set(f, FAULT_INPUT, "what was announced is no request");
}

/* From q to t, which never replaces: who comes with an id again is refused. */
static enum drop_found
make_ours(const struct drop *d, const char id[DROP_ID_SIZE], struct fault *f)
{
	char asked[DROP_NAME_SIZE], taken[DROP_NAME_SIZE];
	int result, error;
	bool cleared;

	drop_name(asked, 'q', id);
	drop_name(taken, 't', id);
	result = renameat2(d->dir, asked, d->dir, taken, RENAME_NOREPLACE);
	error = errno;
	/* Now, and not before, the next one may announce his. */
	cleared = put_away(d, DROP_LINK);
	if (result == 0)
		return DROP_TAKEN;
	if (error != ENOENT)
		(void)put_away(d, asked);
	(void)fault_set(f, FAULT_ABSENT, "the announced request: %s",
	    strerror(error));
	return cleared ? DROP_GONE : DROP_NONE;
}

static int
check_file(int fd, struct stat *st, struct fault *f)
{
	if (fstat(fd, st) < 0)
		return fault_set(f, FAULT_SYSTEM, "request: %s",
		    strerror(errno));
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1)
		return fault_set(f, FAULT_INPUT,
		    "a request is a regular file with one name");
	if (st->st_size > (off_t)CALLOUT_REQUEST_MAX)
		return fault_set(f, FAULT_INPUT, "a request is not so long");
	return 0;
}

/* Its owner may still be writing: what is read once is what counts. */
static int
read_all(int fd, struct drop_taken *taken, struct fault *f)
{
	ssize_t got;

	taken->len = 0;
	do {
		got = pread(fd, taken->data + taken->len,
		    sizeof(taken->data) - taken->len, (off_t)taken->len);
		if (got > 0)
			taken->len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got < 0
	    ? fault_set(f, FAULT_SYSTEM, "request: %s", strerror(errno))
	    : 0;
}

static bool
is_seen(const struct drop *d, const struct drop_file *file)
{
	for (size_t i = 0; i < DROP_SEEN_MAX; i++)
		if (d->seen[i].inode == file->inode &&
		    d->seen[i].written.tv_sec == file->written.tv_sec &&
		    d->seen[i].written.tv_nsec == file->written.tv_nsec)
			return true;
	return false;
}

void
drop_seen(struct drop *d, const struct drop_taken *taken)
{
	d->seen[d->seen_next] = taken->file;
	d->seen_next = (d->seen_next + 1) % DROP_SEEN_MAX;
}

/* What a file is that was opened, and what it holds. */
static enum drop_found
read_taken(const struct drop *d, int fd, struct drop_taken *taken,
    struct fault *f)
{
	struct stat st;

	if (check_file(fd, &st, f) < 0)
		return DROP_BAD;
	taken->owner = st.st_uid;
	taken->file = (struct drop_file){ st.st_ino, st.st_mtim };
	if (is_seen(d, &taken->file)) {
		put_away_all(d, taken->id);
		(void)fault_set(f, FAULT_DENIED,
		    "it was taken before, by another name");
		return DROP_GONE;
	}
	return read_all(fd, taken, f) < 0 ? DROP_BAD : DROP_TAKEN;
}

enum drop_found
drop_take(struct drop *d, struct drop_taken *taken, struct fault *f)
{
	char name[DROP_NAME_SIZE];
	int fd, announced = read_link(d, taken->id, f);
	enum drop_found found;

	if (announced <= 0)
		return announced == 0 ? DROP_NONE : DROP_GONE;
	if ((found = make_ours(d, taken->id, f)) != DROP_TAKEN)
		return found;
	drop_name(name, 't', taken->id);
	fd = openat(d->dir, name, READ_FLAGS);
	if (fd < 0) {
		(void)fault_set(f, FAULT_INPUT, "request: %s", strerror(errno));
		return DROP_BAD;
	}
	if (!drop_locked(fd)) {
		(void)close(fd);
		put_away_all(d, taken->id);
		(void)fault_set(f, FAULT_ABSENT, "its client has gone");
		return DROP_GONE;
	}
	found = read_taken(d, fd, taken, f);
	(void)close(fd);
	return found;
}

/* ---- answering */

/* Whether the client of the file ${name} has died. */
static bool
is_left(const struct drop *d, const char *name)
{
	int fd = openat(d->dir, name, READ_FLAGS);
	bool left;

	/* What cannot be opened is no client's: a link, or not to be read. */
	if (fd < 0)
		return errno != ENOENT && errno != EMFILE && errno != ENFILE;
	left = !drop_locked(fd);
	(void)close(fd);
	return left;
}

static bool
is_there(const struct drop *d, char kind, const char id[DROP_ID_SIZE])
{
	char name[DROP_NAME_SIZE];
	struct stat st;

	drop_name(name, kind, id);
	return fstatat(d->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether the client of what was taken is there to read an answer. */
static bool
is_awaited(const struct drop *d, const char id[DROP_ID_SIZE])
{
	char name[DROP_NAME_SIZE];

	drop_name(name, 't', id);
	return is_there(d, 't', id) && !is_left(d, name);
}

static int
write_answer(int fd, const struct buf *answer, struct fault *f)
{
	if (file_write_all(fd, answer->data, answer->len, f) < 0)
		return -1;
	if (fchmod(fd, 0640) < 0)
		return fault_set(f, FAULT_SYSTEM, "fchmod: %s",
		    strerror(errno));
	return 0;
}

int
drop_answer(struct drop *d, const char id[DROP_ID_SIZE],
    const struct buf *answer, struct fault *f)
{
	char fresh[DROP_NAME_SIZE], whole[DROP_NAME_SIZE];
	int fd, result;

	if (!is_awaited(d, id)) {
		put_away_all(d, id);
		return 0;
	}
	drop_name(fresh, 'n', id);
	drop_name(whole, 'a', id);
	(void)put_away(d, fresh);
	fd = openat(d->dir, fresh,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "answer: %s",
		    strerror(errno));
	result = write_answer(fd, answer, f);
	(void)close(fd);
	if (result == 0 && renameat(d->dir, fresh, d->dir, whole) < 0)
		result =
		    fault_set(f, FAULT_SYSTEM, "answer: %s", strerror(errno));
	if (result < 0)
		(void)put_away(d, fresh);
	return result;
}

/* ---- sweeping */

/* A request that was begun a moment ago is not locked yet. */
static bool
is_old(const struct drop *d, const char *name, time_t now)
{
	struct stat st;

	return fstatat(d->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_mtime < now - DROP_GRACE_S ||
		st.st_mtime > now + DROP_GRACE_S);
}

static void
sweep_taken(struct drop *d, const struct drop_keeper *keeper, const char *name,
    const char id[DROP_ID_SIZE])
{
	if (keeper->busy(keeper->arg, id))
		return;
	if (is_left(d, name))
		put_away_all(d, id);
	else if (!is_there(d, 'a', id))
		keeper->lost(keeper->arg, id);
}

static void
sweep_name(struct drop *d, const struct drop_keeper *keeper, const char *name,
    time_t now)
{
	char id[DROP_ID_SIZE];

	if (drop_name_read(name, 't', id))
		sweep_taken(d, keeper, name, id);
	else if (drop_name_read(name, 'n', id) ||
	    (drop_name_read(name, 'a', id) && !is_there(d, 't', id)) ||
	    (drop_name_read(name, 'q', id) && is_old(d, name, now) &&
		is_left(d, name)))
		(void)put_away(d, name);
	else if (drop_name_read(name, 'x', id))
		(void)unlinkat(d->dir, name, AT_REMOVEDIR);
}

int
drop_sweep(struct drop *d, const struct drop_keeper *keeper, time_t now,
    unsigned most, struct fault *f)
{
	union {
		struct dirent64 first;
		uint8_t bytes[ENTRIES_SIZE];
	} entries;
	unsigned seen = 0;

	while (seen < most) {
		ssize_t got =
		    getdents64(d->dir, entries.bytes, sizeof(entries));

		if (got < 0)
			return fault_set(f, FAULT_SYSTEM, "issue-directory: %s",
			    strerror(errno));
		if (got == 0) {
			/* From the beginning the next time. */
			(void)lseek(d->dir, 0, SEEK_SET);
			return 0;
		}
		for (ssize_t at = 0; at < got; seen++) {
			const struct dirent64 *e =
			    (const void *)(entries.bytes + at);

			sweep_name(d, keeper, e->d_name, now);
			at += e->d_reclen;
		}
	}
	return 0;
}
