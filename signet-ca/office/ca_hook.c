/* The program that is told of an event. */
#include "base/fault.h"
#include "base/own.h"
#include "base/text.h"
#include "ca_watch.h"

#include <sys/wait.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE 64

/* "contact_mail" is SIGNET_CONTACT_MAIL.  In the child. */
static void
export_member(const char *name, const json_t *value)
{
	char variable[NAME_SIZE], number[32];
	const char *text = json_string_value(value);

	if (text == NULL && json_is_integer(value) &&
	    text_fmt(number, sizeof(number), "%lld",
		(long long)json_integer_value(value)) == 0)
		text = number;
	if (text == NULL ||
	    text_fmt(variable, sizeof(variable), "SIGNET_%s", name) < 0)
		return;
	for (char *c = variable; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	(void)setenv(variable, text, 1);
}

static void
become(const char *program, const json_t *event, int input)
{
	const char *name;
	json_t *value;
	char *argv[2];

	json_object_foreach((json_t *)(uintptr_t)event, name, value)
	    export_member(name, value);
	argv[0] = strdup(program);
	argv[1] = NULL;
	(void)signal(SIGPIPE, SIG_DFL);
	if (argv[0] != NULL && dup2(input, STDIN_FILENO) == STDIN_FILENO)
		(void)execv(program, argv);
	fprintf(stderr, "signet-ca: %s: %s\n", program, strerror(errno));
	_exit(127);
}

static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

/* A program that does not want to know more is free not to read it. */
static void
feed(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t put = write(fd, text, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return;
		text += put;
		len -= (size_t)put;
	}
}

int
ca_hook_run(const char *program, const json_t *event, struct fault *f)
{
	OWN(char) line = json_dumps(event, JSON_COMPACT);
	int fds[2], status;
	pid_t pid;

	if (line == NULL)
		return fault_set(f, FAULT_MEMORY, "event");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fault_set(f, FAULT_SYSTEM, "pipe: %s", strerror(errno));
	if ((pid = fork()) == 0)
		become(program, event, fds[0]);
	(void)close(fds[0]);
	if (pid > 0)
		feed(fds[1], line);
	(void)close(fds[1]);
	if (pid < 0)
		return fault_set(f, FAULT_SYSTEM, "fork: %s", strerror(errno));
	status = wait_for(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 1;
	fprintf(stderr, "signet-ca: %s did not end well (status %d)\n", program,
	    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}
