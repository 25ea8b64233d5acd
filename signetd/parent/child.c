#include "signetd/parent/child.h"

#include "base/fault.h"
#include "base/text.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROL_FD 3

int
child_find(const char *name, char *path, size_t size, struct fault *f)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (len > 0) {
		self[len] = '\0';
		if ((slash = strrchr(self, '/')) != NULL)
			*slash = '\0';
		if (text_fmt(path, size, "%s/signetd-%s", self, name) == 0 &&
		    access(path, X_OK) == 0)
			return 0;
	}
	if (text_fmt(path, size, "%s/signetd-%s", SIGNET_LIBEXECDIR, name) ==
		0 &&
	    access(path, X_OK) == 0)
		return 0;
	return fault_set(f, FAULT_SYSTEM, "signetd-%s is not installed", name);
}

/* PATH is fixed; the others are passed on only if they are set. */
static void
make_environment(char **env, size_t size, const char *const *keep, size_t kept)
{
	static const char *const always[] = { "JOURNAL_STREAM", "TZ",
		"KRB5_CONFIG", "ASAN_OPTIONS", "UBSAN_OPTIONS" };
	size_t n = 0;
	const size_t own = sizeof(always) / sizeof(always[0]);

	env[n++] = strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	for (size_t i = 0; i < own + kept && n + 1 < size; i++) {
		const char *name = i < own ? always[i] : keep[i - own];
		const char *value = getenv(name);

		if (value != NULL &&
		    asprintf(&env[n], "%s=%s", name, value) > 0)
			n++;
	}
	env[n] = NULL;
}

/* In the child, between fork and exec. */
static void
become(const char *path, int control, char **env)
{
	char *argv[2];
	sigset_t none;

	argv[0] = strdup(path);
	argv[1] = NULL;
	if (dup2(control, CONTROL_FD) < 0 ||
	    (control == CONTROL_FD && fcntl(CONTROL_FD, F_SETFD, 0) < 0))
		_exit(127);
	(void)close_range(CONTROL_FD + 1, UINT_MAX, 0);
	(void)close(STDIN_FILENO);
	(void)open("/dev/null", O_RDONLY);
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGHUP, SIG_IGN);
	if (argv[0] != NULL)
		(void)execve(path, argv, env);
	_exit(127);
}

pid_t
child_spawn(enum msg_role role, int control, const char *const *keep,
    size_t kept, struct fault *f)
{
	char path[PATH_MAX];
	char *env[CHILD_ENV_MAX + 8] = { NULL };
	pid_t pid;

	if (child_find(msg_role_name(role), path, sizeof(path), f) < 0)
		return -1;
	make_environment(env, sizeof(env) / sizeof(env[0]), keep, kept);
	if ((pid = fork()) == 0)
		become(path, control, env);
	for (size_t i = 0; env[i] != NULL; i++)
		free(env[i]);
	if (pid < 0)
		return fault_set(f, FAULT_SYSTEM, "fork: %s", strerror(errno));
	return pid;
}

void
child_end_text(int status, char *text, size_t size)
{
	int result;

	if (WIFSIGNALED(status))
		result = text_fmt(text, size, "signal %d (%s)%s",
		    WTERMSIG(status), sigabbrev_np(WTERMSIG(status)),
		    WTERMSIG(status) == SIGSYS
			? ": it made a system call that it had not promised"
			: "");
	else
		result =
		    text_fmt(text, size, "exit status %d", WEXITSTATUS(status));
	if (result < 0)
		text[0] = '\0';
}
