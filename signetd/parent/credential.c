#include "signetd/parent/credential.h"

#include "base/fault.h"
#include "base/text.h"
#include "sys/ask.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
open_one(const char *name, struct fault *f)
{
	const char *dir = secure_getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	int fd;

	if (dir == NULL || strchr(name, '/') != NULL || *name == '\0' ||
	    text_fmt(path, sizeof(path), "%s/%s", dir, name) < 0 ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return fault_set(f, FAULT_CONFIG,
		    "there is no credential called %s", name);
	return fd;
}

struct secret *
credential_read(const char *name, struct fault *f)
{
	int fd = open_one(name, f);
	struct secret *secret;

	if (fd < 0)
		return NULL;
	secret = ask_secret_fd(fd, f);
	(void)close(fd);
	return secret;
}

int
credential_check(const char *name, struct fault *f)
{
	int fd = open_one(name, f);

	if (fd < 0)
		return -1;
	(void)close(fd);
	return 0;
}
