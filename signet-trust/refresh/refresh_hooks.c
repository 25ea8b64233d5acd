/* Programs of the site's that are run after a run. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "refresh.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAUSE_US 10000
#define MERCY_MS 2000 /* from SIGTERM to SIGKILL */
#define ERRORS_MAX (16u << 20)

/* In the child: it gets the directory as its argument, and has no part in our
 * answer, which a program may be reading. */
static void
become(const char *path, const char *target, int input)
{
	char *argv[] = { strdup(path), strdup(target), NULL };

	(void)setpgid(0, 0);
	(void)signal(SIGPIPE, SIG_DFL);
	if (argv[0] != NULL && argv[1] != NULL &&
	    dup2(input, STDIN_FILENO) == STDIN_FILENO &&
	    dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO)
		(void)execv(path, argv);
	fprintf(stderr, "signet-trust: %s: %s\n", path, strerror(errno));
	_exit(127);
}

/* A program that does not want to know is free not to read it. */
static void
feed(int fd, const struct buf *text, int64_t until)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	size_t at = 0;

	while (at < text->len) {
		ssize_t put = write(fd, text->data + at, text->len - at);
		int64_t left = until - clock_mono();

		if (put > 0) {
			at += (size_t)put;
			continue;
		}
		if (put < 0 && errno == EINTR)
			continue;
		if (put == 0 || errno != EAGAIN || left <= 0)
			return;
		(void)poll(&room, 1, (int)left);
	}
}

/* 1 and its status if it has ended by then, else 0. */
static int
await(pid_t pid, int64_t until, int *status, struct fault *f)
{
	for (;;) {
		pid_t ended = waitpid(pid, status, WNOHANG);

		if (ended == pid)
			return 1;
		if (ended < 0 && errno != EINTR)
			return fault_set(f, FAULT_SYSTEM, "waitpid: %s",
			    strerror(errno));
		if (ended == 0 && clock_mono() >= until)
			return 0;
		if (ended == 0)
			(void)usleep(PAUSE_US);
	}
}

/* With whatever it has started. */
static int
end_it(pid_t pid, const char *path, int64_t seconds, struct fault *f)
{
	int status, ended;

	(void)kill(-pid, SIGTERM);
	ended = await(pid, clock_mono() + MERCY_MS, &status, f);
	(void)kill(-pid, SIGKILL);
	while (ended == 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ended < 0)
		return -1;
	return fault_set(f, FAULT_TIMEOUT,
	    "hook %s was ended: it took more than %lld s (hook-timeout)", path,
	    (long long)seconds);
}

static int
judge(const char *path, int status, struct fault *f)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return fault_set(f, FAULT_FAILED, "hook %s died of signal %d",
		    path, WTERMSIG(status));
	return fault_set(f, FAULT_FAILED,
	    "hook %s did not end well (status %d)", path,
	    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static int
run(const char *path, const struct trust_conf *c, const struct buf *text,
    struct fault *f)
{
	int64_t until = clock_mono() + c->hook_timeout * 1000;
	int fds[2], status = -1, ended;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fault_set(f, FAULT_SYSTEM, "pipe: %s", strerror(errno));
	(void)fflush(stdout);
	if ((pid = fork()) == 0)
		become(path, c->target, fds[0]);
	(void)close(fds[0]);
	if (pid > 0) {
		/* Whoever is first: the group is there before it is ended. */
		(void)setpgid(pid, pid);
		(void)fcntl(fds[1], F_SETFL, O_NONBLOCK);
		feed(fds[1], text, until);
	}
	(void)close(fds[1]);
	if (pid < 0)
		return fault_set(f, FAULT_SYSTEM, "fork: %s", strerror(errno));
	if ((ended = await(pid, until, &status, f)) < 0)
		return -1;
	return ended == 0 ? end_it(pid, path, c->hook_timeout, f)
			  : judge(path, status, f);
}

/* A line a fault, whatever servers and descriptions have put there. */
static int
put_errors(const struct refresh *r, struct buf *out, struct fault *f)
{
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->ca[i].errors.count; k++) {
			OWN(char) text = strdup(r->ca[i].errors.item[k]);

			if (text == NULL)
				return fault_set(f, FAULT_MEMORY, "hooks");
			text_clean(text);
			buf_fmt(out, "%s %s: %s\n", r->ca[i].want->hash,
			    r->ca[i].want->alias, text);
		}
	return 0;
}

static int
run_change(const struct refresh *r, struct fault *f)
{
	const struct trust_conf *c = &r->world->conf;
	OWN_BUF(changes, ERRORS_MAX);

	if (!r->changed || *c->hook_change == '\0')
		return 0;
	for (size_t i = 0; i < r->changes.count; i++)
		buf_fmt(&changes, "%s\n", r->changes.item[i]);
	return run(c->hook_change, c, &changes, f);
}

static int
run_error(const struct refresh *r, struct fault *f)
{
	const struct trust_conf *c = &r->world->conf;
	OWN_BUF(errors, ERRORS_MAX);

	if (refresh_failed(r) == 0 || *c->hook_error == '\0')
		return 0;
	if (put_errors(r, &errors, f) < 0)
		return -1;
	return run(c->hook_error, c, &errors, f);
}

int
refresh_hooks(const struct refresh *r, struct fault *f)
{
	struct fault second = { 0 };
	int result = run_change(r, f);

	/* That one of them fails is no reason not to tell of errors. */
	if (run_error(r, result < 0 ? &second : f) < 0)
		result = -1;
	return result;
}
