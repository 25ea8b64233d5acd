#include "proxy_file.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "x509/proxy.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 1048576

/* A new file needs a directory that takes it. */
static int
check_place(const char *path, struct fault *f)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	char dir[PATH_MAX] = ".";

	if (slash != NULL &&
	    text_fmt(dir, sizeof(dir), "%.*s/", (int)len, path) < 0)
		return fault_set(f, FAULT_USAGE, "%s: too long a path", path);
	if (access(dir, W_OK | X_OK) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", dir,
		    strerror(errno));
	return 0;
}

int
proxy_file_check(const char *path, struct fault *f)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return check_place(path, f);
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	}
	if (S_ISLNK(st.st_mode))
		return fault_set(f, FAULT_DENIED,
		    "%s is a symbolic link; remove it first", path);
	if (!S_ISREG(st.st_mode))
		return fault_set(f, FAULT_DENIED, "%s is no file", path);
	if (st.st_uid != geteuid())
		return fault_set(f, FAULT_DENIED,
		    "%s belongs to someone else (uid %u)", path,
		    (unsigned)st.st_uid);
	return 0;
}

int
proxy_file_write_text(const char *path, struct wire_bytes text, struct fault *f)
{
	if (proxy_file_check(path, f) < 0)
		return -1;
	return file_write(path, 0600, text.data, text.len, f);
}

int
proxy_file_write(const char *path, const struct credential *c, struct fault *f)
{
	OWN_BUF(text, FILE_MAX);

	if (credential_write(c, &text, f) < 0)
		return -1;
	return proxy_file_write_text(path,
	    (struct wire_bytes){ text.data, text.len }, f);
}

int
proxy_file_read(const char *path, struct credential *c, struct fault *f)
{
	OWN_BUF(text, FILE_MAX);

	if (file_read_private(path, &text, f) < 0)
		return -1;
	if (credential_read(c, text.data, text.len, NULL, f) < 0)
		return fault_wrap(f, "%s", path);
	return 0;
}
