#include "base/file.h"

#include "base/fault.h"
#include "base/text.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 16384

/* read(2), through interruptions. */
static ssize_t
read_some(int fd, void *to, size_t size)
{
	ssize_t got;

	do
		got = read(fd, to, size);
	while (got < 0 && errno == EINTR);
	return got;
}

/* A buffer that is full must have met the end of its file. */
static int
check_end(int fd, const char *name, size_t limit, struct fault *f)
{
	uint8_t probe = 0;
	ssize_t got = read_some(fd, &probe, 1);

	if (got < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", name,
		    strerror(errno));
	if (got > 0)
		return fault_set(f, FAULT_INPUT, "%s: larger than %zu bytes",
		    name, limit);
	return 0;
}

int
file_read_fd(int fd, const char *name, struct buf *b, struct fault *f)
{
	while (b->len < b->limit) {
		size_t left = b->limit - b->len;
		size_t want = left < CHUNK ? left : CHUNK;
		uint8_t *room = buf_room(b, want);
		ssize_t got;

		if (room == NULL)
			return fault_set(f, FAULT_MEMORY, "%s", name);
		if ((got = read_some(fd, room, want)) < 0)
			return fault_set(f, FAULT_SYSTEM, "%s: %s", name,
			    strerror(errno));
		if (got == 0)
			return 0;
		b->len += (size_t)got;
	}
	return check_end(fd, name, b->limit, f);
}

static int
open_read(const char *path, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
	return fd;
}

int
file_read(const char *path, struct buf *b, struct fault *f)
{
	int fd = open_read(path, f);
	int result;

	if (fd < 0)
		return -1;
	result = file_read_fd(fd, path, b, f);
	(void)close(fd);
	return result;
}

static int
check_private(int fd, const char *path, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_set(f, FAULT_DENIED, "%s is not a regular file",
		    path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return fault_set(f, FAULT_DENIED, "%s belongs to another user",
		    path);
	if ((st.st_mode & 077) != 0)
		return fault_set(f, FAULT_DENIED,
		    "%s is readable by others; run: chmod 600 %s", path, path);
	return 0;
}

int
file_read_private(const char *path, struct buf *b, struct fault *f)
{
	int fd = open_read(path, f);
	int result;

	if (fd < 0)
		return -1;
	result = check_private(fd, path, f);
	if (result == 0)
		result = file_read_fd(fd, path, b, f);
	(void)close(fd);
	return result;
}

int
file_write_all(int fd, const void *data, size_t len, struct fault *f)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t put = write(fd, p, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fault_set(f, FAULT_SYSTEM, "write: %s",
			    strerror(errno));
		p += put;
		len -= (size_t)put;
	}
	return 0;
}

int
file_sync_directory(const char *path, struct fault *f)
{
	char directory[PATH_MAX];
	char *slash;
	int fd;

	if (text_copy(directory, sizeof(directory), path) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	if ((slash = strrchr(directory, '/')) == NULL)
		memcpy(directory, ".", 2);
	else
		slash[slash == directory ? 1 : 0] = '\0';
	if ((fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", directory,
		    strerror(errno));
	/* Some file systems cannot sync a directory (EINVAL): not our loss. */
	if (fsync(fd) < 0 && errno != EINVAL) {
		(void)fault_set(f, FAULT_SYSTEM, "fsync %s: %s", directory,
		    strerror(errno));
		(void)close(fd);
		return -1;
	}
	(void)close(fd);
	return 0;
}

/* Fill the new file ${fd}, and see that it is on the disk. */
static int
fill(int fd, mode_t mode, const void *data, size_t len, struct fault *f)
{
	if (fchmod(fd, mode) < 0)
		return fault_set(f, FAULT_SYSTEM, "fchmod: %s",
		    strerror(errno));
	if (file_write_all(fd, data, len, f) < 0)
		return -1;
	if (fsync(fd) < 0)
		return fault_set(f, FAULT_SYSTEM, "fsync: %s", strerror(errno));
	return 0;
}

/* link() refuses to replace what is there; rename() replaces it. */
static int
put_in_place(const char *temporary, const char *path, bool replace,
    struct fault *f)
{
	if (replace && rename(temporary, path) == 0)
		return 0;
	if (!replace && link(temporary, path) == 0) {
		(void)unlink(temporary);
		return 0;
	}
	return fault_set(f, errno == EEXIST ? FAULT_DENIED : FAULT_SYSTEM,
	    "%s: %s", path, strerror(errno));
}

static int
write_file(const char *path, mode_t mode, const void *data, size_t len,
    bool replace, struct fault *f)
{
	char temporary[PATH_MAX];
	int fd, result;

	if (text_fmt(temporary, sizeof(temporary), "%s.XXXXXX", path) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	if ((fd = mkostemp(temporary, O_CLOEXEC)) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	result = fill(fd, mode, data, len, f);
	if (close(fd) < 0 && result == 0)
		result =
		    fault_set(f, FAULT_SYSTEM, "close: %s", strerror(errno));
	if (result < 0)
		(void)fault_wrap(f, "%s", path);
	if (result == 0)
		result = put_in_place(temporary, path, replace, f);
	if (result < 0) {
		(void)unlink(temporary);
		return -1;
	}
	return file_sync_directory(path, f);
}

int
file_write(const char *path, mode_t mode, const void *data, size_t len,
    struct fault *f)
{
	return write_file(path, mode, data, len, true, f);
}

int
file_write_new(const char *path, mode_t mode, const void *data, size_t len,
    struct fault *f)
{
	return write_file(path, mode, data, len, false, f);
}

/* One directory of a path, which may be there already. */
static int
make_directory(const char *path, mode_t mode, struct fault *f)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	return fault_set(f, FAULT_SYSTEM, "mkdir %s: %s", path,
	    strerror(errno));
}

int
file_mkdir(const char *path, mode_t mode, struct fault *f)
{
	char partial[PATH_MAX];

	if (*path == '\0' || text_copy(partial, sizeof(partial), path) < 0)
		return fault_set(f, FAULT_INPUT, "path empty or too long");
	for (char *p = partial + 1;; p++) {
		char end = *p;

		if (end != '/' && end != '\0')
			continue;
		*p = '\0';
		if (make_directory(partial, mode, f) < 0)
			return -1;
		if (end == '\0')
			return 0;
		*p = end;
	}
}

bool
file_is_unread(int fd)
{
	struct pollfd one = { .fd = fd };

	return poll(&one, 1, 0) == 1 &&
	    (one.revents & (POLLERR | POLLHUP)) != 0;
}
