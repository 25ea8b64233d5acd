#include "sys/notify.h"

#include "base/text.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3
#define MOST_FDS 64

void
notify_send(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = secure_getenv("NOTIFY_SOCKET");
	size_t len;
	int fd;

	if (path == NULL || (*path != '/' && *path != '@'))
		return;
	len = strlen(path);
	if (len < 2 ||
	    text_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
		return;
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* A service manager that does not listen is not our trouble. */
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	(void)close(fd);
}

/* Whether the variable ${name} is our process id. */
static int
is_us(const char *name)
{
	const char *text = secure_getenv(name);
	int64_t pid;

	return text != NULL && text_number(text, 1, INT32_MAX, &pid) == 0 &&
	    pid == getpid();
}

int
notify_listen_fds(void)
{
	const char *text = secure_getenv("LISTEN_FDS");
	int64_t count = 0;

	if (text == NULL || !is_us("LISTEN_PID") ||
	    text_number(text, 1, MOST_FDS, &count) < 0)
		count = 0;
	/* Not for our children, who would take them for theirs. */
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	for (int fd = FIRST_FD; fd < FIRST_FD + (int)count; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return 0;
	return (int)count;
}

int
notify_watchdog_ms(void)
{
	const char *text = secure_getenv("WATCHDOG_USEC");
	int64_t usec;

	if (text == NULL || text_number(text, 1, INT64_MAX, &usec) < 0)
		return 0;
	if (secure_getenv("WATCHDOG_PID") != NULL && !is_us("WATCHDOG_PID"))
		return 0;
	usec /= 2000;
	if (usec < 1)
		return 1;
	return usec > INT32_MAX ? INT32_MAX : (int)usec;
}
