#include "ca_file.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
ca_file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

int
ca_file_absent(const char *path, struct fault *f)
{
	if (path != NULL && ca_file_exists(path))
		return fault_set(f, FAULT_DENIED,
		    "%s is there already; nothing is overwritten", path);
	return 0;
}

int
ca_file_possible(const char *path, struct fault *f)
{
	char temporary[PATH_MAX];
	int fd;

	if (path == NULL)
		return 0;
	if (text_fmt(temporary, sizeof(temporary), "%s.XXXXXX", path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if ((fd = mkstemp(temporary)) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s cannot be written: %s",
		    path, strerror(errno));
	(void)close(fd);
	(void)unlink(temporary);
	return 0;
}

int
ca_file_put(const char *path, mode_t mode, const struct buf *data,
    struct fault *f)
{
	OWN_BUF(there, data->len + 1);

	if (data->failed)
		return fault_set(f, FAULT_MEMORY, "%s", path);
	if (ca_file_exists(path) && file_read(path, &there, f) == 0 &&
	    there.len == data->len &&
	    memcmp(there.data, data->data, data->len) == 0)
		return 0;
	if (ca_file_absent(path, f) < 0)
		return -1;
	return file_write_new(path, mode, data->data, data->len, f);
}
