#include "signetd/parent/place.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/sandbox.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define QUEUE "queue"

/* Whether the ledger called ${base} puts a file called ${name} beside itself:
 * its own, its lists, heads of its log, each half-written too, and the queue of
 * revocations.  It may have a file system of its own, too. */
static bool
is_ledgers(const char *name, const char *base)
{
	static const char *const lists[] = { ".crl", ".r0", NULL };

	if (text_starts(name, base) || text_starts(name, "log.head") ||
	    text_starts(name, "log.pub") || strcmp(name, QUEUE) == 0 ||
	    strcmp(name, "lost+found") == 0)
		return true;
	for (size_t i = 0; lists[i] != NULL; i++) {
		const char *found = strstr(name, lists[i]);
		size_t len = strlen(lists[i]);

		if (found != NULL && (found[len] == '\0' || found[len] == '.'))
			return true;
	}
	return false;
}

/* Regular files only, links not followed: the directory may be another
 * user's, and we are root. */
static int
own_file(int dir_fd, const char *name, uid_t uid, gid_t gid, struct fault *f)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid == uid)
		return 0;
	if (fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fault_set(f, FAULT_SYSTEM, "chown %s: %s", name,
		    strerror(errno));
	return 0;
}

/* What is in the queue stays whose it is: that is who revokes. */
static int
own_queue(int dir_fd, uid_t uid, gid_t gid, struct fault *f)
{
	int fd = openat(dir_fd, QUEUE,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int result = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0 ||
	    (st.st_uid != uid && fchown(fd, uid, gid) < 0))
		result = fault_set(f, FAULT_SYSTEM, "chown %s: %s", QUEUE,
		    strerror(errno));
	(void)close(fd);
	return result;
}

/* A directory with other things in it is refused: a slip in the path would
 * give /etc to the keeper.  Of what is his already only his files count. */
static int
look_through(DIR *dir, const char *base, bool is_his, struct fault *f)
{
	struct dirent *entry;

	while (!is_his && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    !is_ledgers(entry->d_name, base))
			return fault_set(f, FAULT_CONFIG,
			    "%s is in the ledger's directory, which must be "
			    "the keeper's alone: give it one of its own",
			    entry->d_name);
	rewinddir(dir);
	return 0;
}

static int
own_contents(DIR *dir, const char *base, uid_t uid, gid_t gid, struct fault *f)
{
	struct dirent *entry;
	struct stat st;

	if (fstat(dirfd(dir), &st) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s", strerror(errno));
	if (look_through(dir, base, st.st_uid == uid, f) < 0)
		return -1;
	if (fchown(dirfd(dir), uid, gid) < 0 ||
	    fchmod(dirfd(dir), st.st_mode & 07755) < 0)
		return fault_set(f, FAULT_SYSTEM, "chown: %s", strerror(errno));
	while ((entry = readdir(dir)) != NULL)
		if (is_ledgers(entry->d_name, base) &&
		    own_file(dirfd(dir), entry->d_name, uid, gid, f) < 0)
			return -1;
	return own_queue(dirfd(dir), uid, gid, f);
}

int
place_own(const char *path, const char *base, uid_t uid, gid_t gid,
    struct fault *f)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int result;

	if (dir == NULL) {
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	result = own_contents(dir, base, uid, gid, f);
	(void)closedir(dir);
	return result < 0 ? fault_wrap(f, "%s", path) : 0;
}

/* Those above it, if they are missing, are everybody's to pass through: the
 * keeper is another user. */
static int
make_place(char *path, struct fault *f)
{
	char *slash = strrchr(path, '/');

	if (slash != path) {
		*slash = '\0';
		if (file_mkdir(path, 0755, f) < 0)
			return -1;
		*slash = '/';
	}
	return file_mkdir(path, 0700, f);
}

int
place_ledger(const struct signetd_conf *conf, struct fault *f)
{
	char path[PATH_MAX];
	char *slash;
	uid_t uid;
	gid_t gid;

	if (text_copy(path, sizeof(path), conf->ledger) < 0 ||
	    (slash = strrchr(path, '/')) == NULL || slash == path ||
	    slash[1] == '\0')
		return fault_set(f, FAULT_CONFIG,
		    "ledger must be a path in a directory of its own");
	*slash = '\0';
	if (make_place(path, f) < 0)
		return -1;
	if (geteuid() != 0)
		return 0;
	if (sandbox_user(conf->user_keeper, &uid, &gid, f) < 0)
		return fault_wrap(f, "user-keeper");
	return place_own(path, slash + 1, uid, gid, f);
}

/* ---- where the ledger of a CA was */

/* Only what is certainly not there is missing. */
static bool
is_missing(const char *ledger)
{
	struct stat st;

	if (stat(ledger, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR;
	return st.st_size == 0;
}

static int
marker_path(const char *dir, char path[PATH_MAX], struct fault *f)
{
	if (text_fmt(path, PATH_MAX, "%s/" PLACE_MARKER, dir) < 0)
		return fault_set(f, FAULT_CONFIG, "path too long: %s", dir);
	return 0;
}

/* What the marker of the CA in ${dir} says, fit for a terminal; FAULT_ABSENT if
 * there is none. */
static int
read_marker(const char *dir, char said[PATH_MAX], struct fault *f)
{
	OWN_BUF(b, PATH_MAX);
	char path[PATH_MAX];
	const char *text;

	if (marker_path(dir, path, f) < 0 || file_read(path, &b, f) < 0)
		return -1;
	text = buf_cstr(&b);
	if (text == NULL || text_copy(said, PATH_MAX, text) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: too long", path);
	said[strcspn(said, "\n")] = '\0';
	text_clean(said);
	return 0;
}

/* The log has it all, whatever room the fault has for paths. */
static int
refuse(const char *dir, const char *ledger, const char *was, struct fault *f)
{
	LOG(LEDGER_MISSING, LOG_TEXT("ledger", ledger), LOG_TEXT("ca", dir),
	    LOG_TEXT("was", was));
	return fault_set(f, FAULT_CONFIG,
	    "no ledger %s, but %s/" PLACE_MARKER " says %s: correct ledger, or "
	    "signet-ca restore; if it is lost for good, remove " PLACE_MARKER
	    " (numbers may repeat)",
	    ledger, dir, was);
}

/* A marker that cannot be read is one all the same. */
static int
check_marker(const char *dir, const char *ledger, struct fault *f)
{
	char was[PATH_MAX];
	struct fault why = { 0 };

	if (read_marker(dir, was, &why) == 0)
		return refuse(dir, ledger, was, f);
	return why.code == FAULT_ABSENT ? 0 : refuse(dir, ledger, why.text, f);
}

int
place_check(const struct signetd_conf *conf, struct fault *f)
{
	if (!is_missing(conf->ledger))
		return 0;
	for (size_t i = 0; i < conf->ca.count; i++)
		if (check_marker(conf->ca.item[i], conf->ledger, f) < 0)
			return -1;
	return 0;
}

/* One that says so already is left alone. */
static int
mark(const char *dir, const char *ledger, struct fault *f)
{
	char path[PATH_MAX], line[PATH_MAX];
	struct fault none = { 0 };

	if (read_marker(dir, line, &none) == 0 && strcmp(line, ledger) == 0)
		return 0;
	if (marker_path(dir, path, f) < 0)
		return -1;
	if (text_fmt(line, sizeof(line), "%s\n", ledger) < 0)
		return fault_set(f, FAULT_CONFIG, "path too long: %s", ledger);
	return file_write(path, 0644, line, strlen(line), f);
}

void
place_mark(const struct signetd_conf *conf)
{
	for (size_t i = 0; i < conf->ca.count; i++) {
		struct fault f = { 0 };

		if (mark(conf->ca.item[i], conf->ledger, &f) < 0)
			LOG(LEDGER_UNMARKED, LOG_TEXT("ca", conf->ca.item[i]),
			    LOG_TEXT("text", f.text));
	}
}
