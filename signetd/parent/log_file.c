#include "signetd/parent/log_file.h"

#include "base/fault.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODE 0640

static int
take_over(int fd, const char *path, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(f, FAULT_SYSTEM, "log-file %s: %s", path,
		    strerror(errno));
	/* A pipe that nobody reads would hold up whoever logs. */
	if (!S_ISREG(st.st_mode))
		return fault_set(f, FAULT_CONFIG,
		    "log-file %s is no regular file", path);
	/* In one step: nobody finds standard error closed. */
	if (dup3(fd, STDERR_FILENO, 0) < 0)
		return fault_set(f, FAULT_SYSTEM, "log-file %s: %s", path,
		    strerror(errno));
	return 0;
}

int
log_file_open(const char *path, struct fault *f)
{
	int fd, result;

	if (*path == '\0')
		return 0;
	fd = open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	    MODE);
	/* A link, or a pipe that nobody reads. */
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return fault_set(f, FAULT_CONFIG,
		    "log-file %s is no regular file", path);
	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "log-file %s: %s", path,
		    strerror(errno));
	result = take_over(fd, path, f);
	(void)close(fd);
	/* Lines with a priority before them are the service manager's. */
	if (result == 0)
		(void)unsetenv("JOURNAL_STREAM");
	return result;
}
