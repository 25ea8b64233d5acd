#include "ca_new.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_dir.h"
#include "ca_file.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In a directory that is being made, from first to last: a CA that a person
 * named DIR.new has none, and is nobody's rubbish. */
#define MARK "unfinished"

/* What an init writes; a killed one may leave each with letters behind it. */
static const char *const files[] = { "ca.conf", "ca.pem", "ca.key", "chain.pem",
	"crl.pem", "ledger.db", CA_DIR_REQUEST, "log.key", "log.pub",
	"backup" };

/* The directory above ${path}, made if it is not there. */
static int
make_parent(const char *path, struct fault *f)
{
	char parent[PATH_MAX];
	char *slash;

	if (text_copy(parent, sizeof(parent), path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if ((slash = strrchr(parent, '/')) == NULL || slash == parent)
		return 0;
	*slash = '\0';
	return file_mkdir(parent, 0755, f);
}

static bool
is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (text_starts(name, files[i]))
			return true;
	return false;
}

static bool
is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *
list(int fd, const char *path, struct fault *f)
{
	int copy = dup(fd);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (dir == NULL) {
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
		if (copy >= 0)
			(void)close(copy);
		return NULL;
	}
	rewinddir(dir);
	return dir;
}

/* What has no mark was not left by an init, unless there is nothing in it. */
static int
check_mark(int fd, const char *path, struct fault *f)
{
	struct stat st;
	const struct dirent *entry;
	DIR *dir;
	int result = 0;

	if (fstatat(fd, MARK, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if ((dir = list(fd, path, f)) == NULL)
		return -1;
	while (result == 0 && (entry = readdir(dir)) != NULL)
		if (!is_dot(entry->d_name))
			result = fault_set(f, FAULT_DENIED,
			    "%s is there, with %s in it: move it away", path,
			    entry->d_name);
	(void)closedir(dir);
	return result;
}

/* Take away what an init wrote into the directory ${fd}, but for its mark.
 * Anything else that is there was put there by a person, and stays. */
static int
empty(int fd, const char *path, struct fault *f)
{
	const struct dirent *entry;
	int result = 0;
	DIR *dir;

	if (check_mark(fd, path, f) < 0 || (dir = list(fd, path, f)) == NULL)
		return -1;
	while (result == 0 && (entry = readdir(dir)) != NULL) {
		if (is_dot(entry->d_name) || strcmp(entry->d_name, MARK) == 0)
			continue;
		if (!is_ours(entry->d_name) ||
		    unlinkat(fd, entry->d_name, 0) < 0)
			result = fault_set(f, FAULT_DENIED,
			    "%s is there, with %s in it: move it away", path,
			    entry->d_name);
	}
	(void)closedir(dir);
	return result;
}

static int
put_mark(int fd, const char *path, struct fault *f)
{
	int mark =
	    openat(fd, MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (mark < 0)
		return fault_set(f, FAULT_SYSTEM, "%s/%s: %s", path, MARK,
		    strerror(errno));
	(void)close(mark);
	return 0;
}

/* Whether the directory ${fd} is still what ${path} names. */
static bool
still_there(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * Make the temporary directory, or take over one that was left, and hold its
 * lock.  1 if it went away meanwhile, because its maker has finished.
 */
static int
try_place(struct ca_new *n, struct fault *f)
{
	int result;

	if (mkdir(n->temporary, 0700) < 0 && errno != EEXIST)
		return fault_set(f, FAULT_SYSTEM, "mkdir %s: %s", n->temporary,
		    strerror(errno));
	n->lock =
	    open(n->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (n->lock < 0)
		return errno == ENOENT ? 1
				       : fault_set(f, FAULT_SYSTEM, "%s: %s",
					     n->temporary, strerror(errno));
	if (flock(n->lock, LOCK_EX | LOCK_NB) < 0) {
		(void)close(n->lock);
		return fault_set(f, FAULT_BUSY,
		    "%s is being made at this moment by another init", n->path);
	}
	result = still_there(n->lock, n->temporary)
	    ? empty(n->lock, n->temporary, f)
	    : 1;
	if (result == 0)
		result = put_mark(n->lock, n->temporary, f);
	if (result != 0)
		(void)close(n->lock);
	return result;
}

static int
take_place(struct ca_new *n, struct fault *f)
{
	for (int i = 0; i < 8; i++) {
		int result = try_place(n, f);

		if (result <= 0)
			return result;
	}
	return fault_set(f, FAULT_BUSY, "%s is made by others again and again",
	    n->path);
}

static int
refuse_present(const struct ca_new *n, struct fault *f)
{
	char mark[PATH_MAX];

	if (!ca_file_exists(n->path))
		return 0;
	/* Its maker was killed just after it had its name. */
	if (text_fmt(mark, sizeof(mark), "%s/%s", n->path, MARK) == 0)
		(void)unlink(mark);
	return fault_set(f, FAULT_DENIED,
	    "%s is there already; nothing is overwritten", n->path);
}

int
ca_new_begin(struct ca_new *n, const char *path, struct fault *f)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (text_fmt(n->path, sizeof(n->path), "%.*s", (int)len, path) < 0 ||
	    text_fmt(n->temporary, sizeof(n->temporary), "%s.new", n->path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (refuse_present(n, f) < 0 || make_parent(n->path, f) < 0 ||
	    take_place(n, f) < 0)
		return -1;
	/* Another may have finished it before the lock was ours. */
	if (refuse_present(n, f) < 0) {
		ca_new_cancel(n);
		return -1;
	}
	return 0;
}

int
ca_new_write(const struct ca_new *n, const char *file, mode_t mode,
    const struct buf *data, struct fault *f)
{
	char path[PATH_MAX];

	if (data->failed)
		return fault_set(f, FAULT_MEMORY, "%s", file);
	if (authority_path(n->temporary, file, path, sizeof(path), f) < 0)
		return -1;
	return file_write_new(path, mode, data->data, data->len, f);
}

int
ca_new_end(struct ca_new *n, struct fault *f)
{
	/* rename() would replace an empty directory made meanwhile. */
	int result = renameat2(AT_FDCWD, n->temporary, AT_FDCWD, n->path,
	    RENAME_NOREPLACE);

	if (result < 0)
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", n->path,
		    strerror(errno));
	else
		(void)unlinkat(n->lock, MARK, 0);
	(void)close(n->lock);
	/* What has a new name is on the disk under it. */
	return result < 0 ? -1 : file_sync_directory(n->path, f);
}

void
ca_new_cancel(struct ca_new *n)
{
	struct fault ignored = { 0 };

	/* The mark last: killed before, the next one finds it. */
	if (empty(n->lock, n->temporary, &ignored) == 0 &&
	    unlinkat(n->lock, MARK, 0) == 0)
		(void)rmdir(n->temporary);
	(void)close(n->lock);
}
