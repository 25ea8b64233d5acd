#include "authn/authn.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

/* One line of a subject; whoever says more says something else. */
#define OUTPUT_MAX 4096

/* A program that runs, and the end of the pipe that its output comes from. */
struct child {
	pid_t pid;
	int out;
};

static int
spawn_with(const char *program, const char *principal,
    posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
    pid_t *pid)
{
	char name[PATH_MAX], argument[512];
	char *const argv[] = { name, argument, NULL };
	char *const nothing[] = { NULL };

	if (text_copy(name, sizeof(name), program) < 0 ||
	    text_copy(argument, sizeof(argument), principal) < 0)
		return ENAMETOOLONG;
	return posix_spawn(pid, program, actions, attributes, argv, nothing);
}

/* Nothing of ours but the pipe goes along; signals are as at a start; a group
 * of its own, so that what it starts ends with it. */
static int
spawn(const char *program, const char *principal, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int result;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	if ((result = posix_spawn_file_actions_init(&actions)) != 0)
		return result;
	if ((result = posix_spawnattr_init(&attributes)) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return result;
	}
	(void)posix_spawnattr_setflags(&attributes,
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
		POSIX_SPAWN_SETPGROUP);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	if ((result = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null",
		 O_RDONLY, 0)) == 0 &&
	    (result = posix_spawn_file_actions_adddup2(&actions, out, 1)) ==
		0 &&
	    (result = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null",
		 O_WRONLY, 0)) == 0 &&
	    (result = posix_spawn_file_actions_addclosefrom_np(&actions, 3)) ==
		0)
		result =
		    spawn_with(program, principal, &actions, &attributes, pid);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return result;
}

static int
start(struct child *child, const char *program, const char *principal,
    struct fault *f)
{
	int pipes[2], result;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return fault_set(f, FAULT_SYSTEM, "pipe: %s", strerror(errno));
	result = spawn(program, principal, pipes[1], &child->pid);
	(void)close(pipes[1]);
	if (result != 0) {
		(void)close(pipes[0]);
		return fault_set(f, FAULT_FAILED, "%s: %s", program,
		    strerror(result));
	}
	child->out = pipes[0];
	return 0;
}

/* Read what it says until it ends, at most until ${end_ms}. */
static int
listen_to(const struct child *child, int64_t end_ms, char *said, size_t size,
    struct fault *f)
{
	struct pollfd pfd = { .fd = child->out, .events = POLLIN };
	size_t have = 0;

	for (;;) {
		int64_t left = end_ms - clock_mono();
		ssize_t got;

		if (left <= 0)
			return fault_set(f, FAULT_FAILED, "took too long");
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		got = read(child->out, said + have, size - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_set(f, FAULT_SYSTEM, "read: %s",
			    strerror(errno));
		have += (size_t)got;
		if (have == size)
			return fault_set(f, FAULT_FAILED, "said too much");
		if (got == 0)
			break;
	}
	said[have] = '\0';
	if (strlen(said) != have)
		return fault_set(f, FAULT_FAILED, "said a NUL");
	return 0;
}

/* Wait for its status until ${end_ms}: it may have closed its output early. */
static int
wait_for(const struct child *child, int64_t end_ms, int *status)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	while (clock_mono() < end_ms) {
		pid_t done = waitpid(child->pid, status, WNOHANG);

		if (done == child->pid)
			return 0;
		if (done < 0 && errno != EINTR)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return -1;
}

/* End it, and all that it started. */
static void
stop(const struct child *child)
{
	(void)kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static int
finish(const struct child *child, int64_t end_ms, char *said, size_t size,
    struct fault *f)
{
	int status = 0;

	if (listen_to(child, end_ms, said, size, f) < 0) {
		stop(child);
		return -1;
	}
	if (wait_for(child, end_ms, &status) < 0) {
		stop(child);
		return fault_set(f, FAULT_FAILED, "took too long");
	}
	(void)kill(-child->pid, SIGKILL);
	if (WIFSIGNALED(status))
		return fault_set(f, FAULT_FAILED, "ended by signal %d",
		    WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return fault_set(f, FAULT_ABSENT, "ended with %d",
		    WEXITSTATUS(status));
	return 0;
}

/* One line, and nothing else. */
static int
take_line(char *said, char *subject, size_t size, struct fault *f)
{
	size_t len = strlen(said);

	if (len > 0 && said[len - 1] == '\n')
		said[--len] = '\0';
	if (len == 0)
		return fault_set(f, FAULT_ABSENT, "said nothing");
	if (!text_utf8(said, len))
		return fault_set(f, FAULT_FAILED, "said more than one line");
	if (len >= size)
		return fault_set(f, FAULT_FAILED, "said too much");
	memcpy(subject, said, len + 1);
	return 0;
}

int
authn_callout(const char *program, const char *principal, int timeout_s,
    char *subject, size_t size, struct fault *f)
{
	int64_t end_ms = clock_mono() + (int64_t)timeout_s * 1000;
	char said[OUTPUT_MAX];
	struct child child;
	int result;

	/* An argument that looks like an option is nobody's name. */
	if (program[0] != '/' || principal[0] == '\0' || principal[0] == '-')
		return fault_set(f, FAULT_FAILED, "%s: not run for \"%s\"",
		    program, principal);
	if (start(&child, program, principal, f) < 0)
		return -1;
	result = finish(&child, end_ms, said, sizeof(said), f);
	(void)close(child.out);
	if (result == 0)
		result = take_line(said, subject, size, f);
	if (result < 0)
		return fault_wrap(f, "%s", program);
	return 0;
}
