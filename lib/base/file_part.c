#include "base/file_part.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
failed(const struct file_part *p, const char *what, struct fault *f)
{
	return fault_set(f, FAULT_SYSTEM, "%s: %s: %s", p->path, what,
	    strerror(errno));
}

int
file_part_open(struct file_part *p, const char *path, mode_t mode,
    struct fault *f)
{
	p->fd = -1;
	if (text_copy(p->path, sizeof(p->path), path) < 0 ||
	    text_fmt(p->temporary, sizeof(p->temporary), "%s.XXXXXX", path) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	if ((p->fd = mkostemp(p->temporary, O_CLOEXEC)) < 0)
		return failed(p, "create", f);
	if (fchmod(p->fd, mode) < 0) {
		(void)failed(p, "fchmod", f);
		file_part_drop(p);
		return -1;
	}
	return 0;
}

int
file_part_put(struct file_part *p, struct wire_bytes piece, struct fault *f)
{
	if (file_write_all(p->fd, piece.data, piece.len, f) < 0)
		return fault_wrap(f, "%s", p->path);
	/* Only a request: where it fails the sync does all the work. */
	(void)sync_file_range(p->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

int
file_part_sync(struct file_part *p, struct fault *f)
{
	return fsync(p->fd) < 0 ? failed(p, "fsync", f) : 0;
}

/* A second name for what ${path} names; without one there is nothing to keep.
 */
static int
keep_old(const struct file_part *p, const char *keep, struct fault *f)
{
	if (unlink(keep) < 0 && errno != ENOENT)
		return failed(p, keep, f);
	if (link(p->path, keep) < 0 && errno != ENOENT)
		return failed(p, keep, f);
	return 0;
}

static int
put_in_place(const struct file_part *p, bool replace, struct fault *f)
{
	if (replace)
		return rename(p->temporary, p->path) < 0
		    ? failed(p, "rename", f)
		    : 0;
	if (link(p->temporary, p->path) == 0) {
		(void)unlink(p->temporary);
		return 0;
	}
	if (errno == EEXIST)
		return fault_set(f, FAULT_DENIED, "%s: %s", p->path,
		    strerror(errno));
	return failed(p, "link", f);
}

int
file_part_end(struct file_part *p, bool replace, const char *keep,
    struct fault *f)
{
	int fd = p->fd;

	if (file_part_sync(p, f) < 0 ||
	    (keep != NULL && keep_old(p, keep, f) < 0) ||
	    put_in_place(p, replace, f) < 0) {
		file_part_drop(p);
		return -1;
	}
	p->fd = -1;
	(void)close(fd);
	return file_sync_directory(p->path, f);
}

void
file_part_drop(struct file_part *p)
{
	if (p->fd < 0)
		return;
	(void)close(p->fd);
	(void)unlink(p->temporary);
	p->fd = -1;
}
