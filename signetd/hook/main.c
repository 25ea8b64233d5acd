/*
 * signetd-hook PARENT USER GROUP PROGRAM: what stands between signetd and a
 * hook.  A hook may leave its group and its parent (setsid, daemons).  So it
 * has a keeper: a process that the kernel gives all orphans below it (prctl(2),
 * PR_SET_CHILD_SUBREAPER), and which ends when none is left.  The hook cannot
 * end it first, being another user when that matters.
 *
 * It is a program of its own because signetd has seen pass phrases and PINs:
 * nothing of its memory is here.  Standard input and output, standard error and
 * the environment are the hook's.  USER and GROUP are numbers, or "-" to stay
 * who we are.  SIGTERM and SIGCHLD are blocked when it starts, so that none is
 * missed.  It ends as the hook did, when all below it has ended; after SIGTERM,
 * and after the end of PARENT, it kills all that.
 */
#include "base/text.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANNOT 126 /* as a shell says that it could not run something */

struct start {
	pid_t parent;
	uid_t uid;
	gid_t gid;
	bool become;
	char *program;
};

/* ---- the hook */

static void __attribute__((noreturn)) complain(const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	_exit(CANNOT);
}

static void
become_user(const struct start *s)
{
	if (!s->become)
		return;
	if (setgroups(0, NULL) < 0 || setresgid(s->gid, s->gid, s->gid) < 0 ||
	    setresuid(s->uid, s->uid, s->uid) < 0 || setuid(0) == 0)
		complain("user-hook");
}

static void __attribute__((noreturn)) become(const struct start *s)
{
	char *argv[] = { s->program, NULL };
	sigset_t none;

	for (int signo = 1; signo < SIGRTMIN; signo++)
		(void)signal(signo, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	become_user(s);
	if (chdir("/") < 0)
		complain("/");
	(void)umask(022);
	(void)execve(argv[0], argv, environ);
	complain(s->program);
}

/* ---- its end */

/* As the hook ended, for who waits for its keeper. */
static void __attribute__((noreturn)) end_as(int status)
{
	sigset_t none;

	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	(void)sigemptyset(&none);
	(void)signal(WTERMSIG(status), SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)raise(WTERMSIG(status));
	_exit(128 + WTERMSIG(status));
}

/* Kill our children, whoever their parents were; whether they are known
 * (proc(5)). */
static bool
kill_children(void)
{
	char text[4096];
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *at = text, *end;

	if (fd >= 0)
		(void)close(fd);
	if (got < 0)
		return false;
	/* One that is cut has its turn when others are gone. */
	if (got == (ssize_t)sizeof(text) - 1)
		while (got > 0 && text[got - 1] != ' ')
			got--;
	text[got] = '\0';
	for (long pid; (pid = strtol(at, &end, 10)) > 0 && end != at; at = end)
		(void)kill((pid_t)pid, SIGKILL);
	return true;
}

/* What was a grandchild is a child when its parent has died.  Where children
 * are not known, all but ${hook} has to be left. */
static void __attribute__((noreturn)) end_all(pid_t hook, int status)
{
	int ended;
	pid_t pid = 0;

	while (pid >= 0 || errno == EINTR) {
		if (!kill_children()) {
			if (hook == 0)
				break;
			(void)kill(hook, SIGKILL);
		}
		if ((pid = waitpid(-1, &ended, 0)) == hook && hook > 0) {
			status = ended;
			hook = 0;
		}
	}
	end_as(status);
}

/* Until the hook has ended, or SIGTERM says that it is to. */
static void __attribute__((noreturn)) keep(pid_t hook, const sigset_t *wanted)
{
	int status, signo = 0;
	pid_t pid;

	/* What it prints ends when nobody of its own can print. */
	(void)close_range(0, UINT_MAX, 0);
	while (signo != SIGTERM) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == hook)
				end_all(0, status);
		if (sigwait(wanted, &signo) != 0)
			signo = SIGTERM;
	}
	end_all(hook, SIGKILL);
}

/* ---- the beginning */

static int
read_number(const char *text, int64_t *value)
{
	return text_number(text, 1, INT32_MAX, value);
}

static int
read_words(int argc, char **argv, struct start *s)
{
	int64_t parent, uid = 0, gid = 0;

	if (argc != 5 || read_number(argv[1], &parent) < 0)
		return -1;
	s->become = strcmp(argv[2], "-") != 0;
	/* Root runs no hook. */
	if (s->become &&
	    (read_number(argv[2], &uid) < 0 || read_number(argv[3], &gid) < 0))
		return -1;
	s->parent = (pid_t)parent;
	s->uid = (uid_t)uid;
	s->gid = (gid_t)gid;
	s->program = argv[4];
	return 0;
}

/* It is no place to look into, nor one that is left in a file. */
static int
close_up(const struct start *s)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -1;
	/* signetd ends: so does this, and all below. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != s->parent)
		return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	struct start s = { 0 };
	sigset_t wanted;
	pid_t hook;

	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGCHLD);
	(void)sigaddset(&wanted, SIGTERM);
	(void)sigprocmask(SIG_SETMASK, &wanted, NULL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	if (read_words(argc, argv, &s) < 0) {
		fputs("signetd-hook is started by signetd alone\n", stderr);
		return CANNOT;
	}
	if (close_up(&s) < 0)
		return CANNOT;
	if ((hook = fork()) == 0)
		become(&s);
	if (hook < 0)
		complain("fork");
	keep(hook, &wanted);
}
