/* Programs of the site's that are run after a run. */
#include "base/fault.h"
#include "refresh.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the child: it gets the directory as its argument. */
static void
become(const char *path, const char *target, int input)
{
	char *argv[] = { strdup(path), strdup(target), NULL };

	(void)signal(SIGPIPE, SIG_DFL);
	if (argv[0] != NULL && argv[1] != NULL &&
	    dup2(input, STDIN_FILENO) == STDIN_FILENO)
		(void)execv(path, argv);
	fprintf(stderr, "signet-trust: %s: %s\n", path, strerror(errno));
	_exit(127);
}

/* A program that does not want to know is free not to read it. */
static void
feed(int fd, const struct buf *text)
{
	size_t at = 0;

	while (at < text->len) {
		ssize_t put = write(fd, text->data + at, text->len - at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return;
		at += (size_t)put;
	}
}

static int
run(const char *path, const char *target, const struct buf *text,
    struct fault *f)
{
	int fds[2], status = -1;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fault_set(f, FAULT_SYSTEM, "pipe: %s", strerror(errno));
	(void)fflush(stdout);
	if ((pid = fork()) == 0)
		become(path, target, fds[0]);
	(void)close(fds[0]);
	if (pid > 0)
		feed(fds[1], text);
	(void)close(fds[1]);
	if (pid < 0)
		return fault_set(f, FAULT_SYSTEM, "fork: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fault_set(f, FAULT_SYSTEM, "waitpid: %s",
			    strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fault_set(f, FAULT_FAILED,
		    "hook %s did not end well (status %d)", path,
		    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}

static void
put_errors(const struct refresh *r, struct buf *out)
{
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->ca[i].errors.count; k++)
			buf_fmt(out, "%s %s: %s\n", r->ca[i].want->hash,
			    r->ca[i].want->alias, r->ca[i].errors.item[k]);
}

int
refresh_hooks(const struct refresh *r, struct fault *f)
{
	const struct trust_conf *c = &r->world->conf;
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	OWN_BUF(changes, 4u << 20);
	OWN_BUF(errors, 4u << 20);
	int result = 0;

	for (size_t i = 0; i < r->changes.count; i++)
		buf_fmt(&changes, "%s\n", r->changes.item[i]);
	put_errors(r, &errors);
	if (r->changed && *c->hook_change != '\0')
		result = run(c->hook_change, c->target, &changes, f);
	if (result == 0 && refresh_failed(r) > 0 && *c->hook_error != '\0')
		result = run(c->hook_error, c->target, &errors, f);
	(void)signal(SIGPIPE, before);
	return result;
}
