#include "sys/ask.h"

#include "base/fault.h"
#include "base/unit.h"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A person at a terminal: the other end of it, and who asks there. */
struct person {
	int fd;
	pid_t pid;
	char seen[512];
	size_t len;
};

typedef void asker_fn(void);

static struct person
sit_down(asker_fn *asker)
{
	struct person p = { .fd = -1 };

	p.pid = forkpty(&p.fd, NULL, NULL, NULL);
	assert_true(p.pid >= 0);
	if (p.pid == 0) {
		asker();
		_exit(0);
	}
	return p;
}

/* Read what the terminal shows until ${text} has come. */
static void
wait_for(struct person *p, const char *text)
{
	while (strstr(p->seen, text) == NULL) {
		struct pollfd ready = { .fd = p->fd, .events = POLLIN };
		ssize_t got;

		assert_int_equal(poll(&ready, 1, 10000), 1);
		got =
		    read(p->fd, p->seen + p->len, sizeof(p->seen) - 1 - p->len);
		if (got <= 0)
			fail_msg("saw only \"%s\"", p->seen);
		p->len += (size_t)got;
		p->seen[p->len] = '\0';
	}
}

static void
type(const struct person *p, const char *text)
{
	assert_int_equal(write(p->fd, text, strlen(text)), strlen(text));
}

static void
forget(struct person *p)
{
	memset(p->seen, 0, sizeof(p->seen));
	p->len = 0;
}

static bool
echoes(const struct person *p)
{
	struct termios now;

	assert_int_equal(tcgetattr(p->fd, &now), 0);
	return (now.c_lflag & ECHO) != 0;
}

/* The status with which the asker ended. */
static int
stand_up(struct person *p)
{
	int status = 0;

	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_int_equal(close(p->fd), 0);
	return status;
}

static void
ask_password(void)
{
	struct fault f = { 0 };
	OWN_STRUCT(secret) s = ask_secret("Password for a@B: ", &f);

	if (s == NULL)
		dprintf(STDOUT_FILENO, "[fault %s]\n", f.text);
	else
		dprintf(STDOUT_FILENO, "[got %zu %s]\n", secret_len(s),
		    strcmp(secret_text(s), "pass word ") == 0 ? "it" : "other");
	/* Stay until the person has looked at the terminal. */
	(void)!read(STDIN_FILENO, &(char){ 0 }, 1);
}

static void
a_secret_is_asked_for_without_echo(void **state)
{
	struct person p = sit_down(ask_password);

	(void)state;
	wait_for(&p, "Password for a@B: ");
	assert_false(echoes(&p));
	type(&p, "pass word \n");
	wait_for(&p, "[got 10 it]");
	assert_null(strstr(p.seen, "pass word"));
	assert_true(echoes(&p));
	type(&p, "\n");
	assert_int_equal(stand_up(&p), 0);
}

static void
no_answer_is_a_fault(void **state)
{
	struct person p = sit_down(ask_password);

	(void)state;
	wait_for(&p, "Password");
	type(&p, "\004");
	wait_for(&p, "[fault no answer was given]");
	assert_true(echoes(&p));
	type(&p, "\n");
	assert_int_equal(stand_up(&p), 0);
}

static void
an_interrupt_ends_us_with_the_terminal_set_back(void **state)
{
	struct person p = sit_down(ask_password);
	int status;

	(void)state;
	wait_for(&p, "Password");
	assert_false(echoes(&p));
	type(&p, "\003");
	assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_int_equal(close(p.fd), 0);
}

static void
interrupt_and_report(void)
{
	pid_t pid = fork();
	struct termios now;
	int status = 0;

	(void)signal(SIGINT, SIG_IGN);
	if (pid == 0) {
		(void)signal(SIGINT, SIG_DFL);
		ask_password();
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	(void)tcgetattr(STDIN_FILENO, &now);
	dprintf(STDOUT_FILENO, "[signal %d echo %d]\n", WTERMSIG(status),
	    (now.c_lflag & ECHO) != 0);
}

static void
after_an_interrupt_the_next_program_has_its_echo(void **state)
{
	struct person p = sit_down(interrupt_and_report);

	(void)state;
	wait_for(&p, "Password");
	type(&p, "\003");
	wait_for(&p, "[signal 2 echo 1]");
	assert_int_equal(stand_up(&p), 0);
}

static void
stopped_and_going_on_it_asks_again(void **state)
{
	struct person p = sit_down(ask_password);
	int status = 0;

	(void)state;
	wait_for(&p, "Password");
	assert_false(echoes(&p));
	/* An orphaned group is not stopped by the terminal's own key. */
	assert_int_equal(kill(p.pid, SIGTSTP), 0);
	forget(&p);
	wait_for(&p, "Password");
	assert_int_equal(kill(p.pid, SIGTERM), 0);
	assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(close(p.fd), 0);
}

static void
ask_new(void)
{
	struct fault f = { 0 };
	OWN_STRUCT(secret) s = ask_new_secret("New: ", 4, &f);

	dprintf(STDOUT_FILENO, "[%s]\n", s == NULL ? f.text : "fine");
	(void)!read(STDIN_FILENO, &(char){ 0 }, 1);
}

static void
a_new_secret_is_typed_twice(void **state)
{
	struct person p = sit_down(ask_new);

	(void)state;
	wait_for(&p, "New: ");
	type(&p, "abcd\n");
	wait_for(&p, "Once more: ");
	type(&p, "abcd\n");
	wait_for(&p, "[fine]");
	type(&p, "\n");
	assert_int_equal(stand_up(&p), 0);
}

static void
two_that_differ_or_are_short_are_refused(void **state)
{
	struct person p = sit_down(ask_new);

	(void)state;
	wait_for(&p, "New: ");
	type(&p, "abcd\n");
	wait_for(&p, "Once more: ");
	type(&p, "abce\n");
	wait_for(&p, "[the two answers differ]");
	type(&p, "\n");
	assert_int_equal(stand_up(&p), 0);
	p = sit_down(ask_new);
	wait_for(&p, "New: ");
	type(&p, "abc\n");
	wait_for(&p, "[too short: at least 4 characters are needed]");
	type(&p, "\n");
	assert_int_equal(stand_up(&p), 0);
}

static void
ask_whether(void)
{
	struct fault f = { 0 };
	bool yes = false;

	while (ask_yes("Sure? ", &yes, &f) == 0)
		dprintf(STDOUT_FILENO, "[%s]\n", yes ? "yes" : "no");
}

static void
only_yes_is_yes(void **state)
{
	static const struct {
		const char *typed;
		const char *told;
	} answers[] = {
		{ "yes\n", "[yes]" },
		{ "Y\n", "[yes]" },
		{ "\n", "[no]" },
		{ "yess\n", "[no]" },
		{ "no\n", "[no]" },
	};
	struct person p = sit_down(ask_whether);

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		wait_for(&p, "Sure? ");
		forget(&p);
		type(&p, answers[i].typed);
		wait_for(&p, answers[i].told);
	}
	wait_for(&p, "Sure? ");
	type(&p, "\004");
	assert_int_equal(stand_up(&p), 0);
}

static void
without_a_terminal_nobody_is_asked(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct fault f = { 0 };
		bool yes;

		(void)setsid();
		_exit(ask_secret("x", &f) == NULL && f.code == FAULT_USAGE &&
			    ask_yes("x", &yes, &f) < 0
			? 0
			: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ask_secret_fd() of a pipe that holds ${len} bytes. */
static struct secret *
from_pipe(const char *data, size_t len, char *rest, struct fault *f)
{
	struct secret *s;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], data, len), len);
	assert_int_equal(close(fds[1]), 0);
	s = ask_secret_fd(fds[0], f);
	*rest = '\0';
	if (read(fds[0], rest, 1) < 0)
		*rest = '\0';
	assert_int_equal(close(fds[0]), 0);
	return s;
}

static void
the_first_line_of_a_descriptor_is_the_secret(void **state)
{
	struct fault f = { 0 };
	struct secret *s;
	char rest;

	(void)state;
	s = from_pipe("pass word\nnext\n", 15, &rest, &f);
	assert_non_null(s);
	assert_string_equal(secret_text(s), "pass word");
	assert_int_equal(rest, 'n');
	secret_free(s);
	s = from_pipe("no newline", 10, &rest, &f);
	assert_non_null(s);
	assert_string_equal(secret_text(s), "no newline");
	secret_free(s);
	s = from_pipe("\n", 1, &rest, &f);
	assert_non_null(s);
	assert_int_equal(secret_len(s), 0);
	secret_free(s);
}

static void
a_line_too_long_or_with_a_nul_is_refused(void **state)
{
	struct fault f = { 0 };
	struct secret *s;
	char text[1027];
	char rest;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[1024] = '\n';
	s = from_pipe(text, 1025, &rest, &f);
	assert_non_null(s);
	assert_int_equal(secret_len(s), 1024);
	secret_free(s);
	text[1024] = 'a';
	text[1025] = '\n';
	assert_null(from_pipe(text, 1027, &rest, &f));
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(rest, 'a');
	assert_null(from_pipe("a\0b\n", 4, &rest, &f));
	assert_int_equal(f.code, FAULT_INPUT);
	assert_null(from_pipe("", 0, &rest, &f));
	assert_int_equal(f.code, FAULT_USAGE);
	assert_null(ask_secret_fd(-1, &f));
	assert_int_equal(f.code, FAULT_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_asked_for_without_echo),
		cmocka_unit_test(no_answer_is_a_fault),
		cmocka_unit_test(
		    an_interrupt_ends_us_with_the_terminal_set_back),
		cmocka_unit_test(
		    after_an_interrupt_the_next_program_has_its_echo),
		cmocka_unit_test(stopped_and_going_on_it_asks_again),
		cmocka_unit_test(a_new_secret_is_typed_twice),
		cmocka_unit_test(two_that_differ_or_are_short_are_refused),
		cmocka_unit_test(only_yes_is_yes),
		cmocka_unit_test(without_a_terminal_nobody_is_asked),
		cmocka_unit_test(the_first_line_of_a_descriptor_is_the_secret),
		cmocka_unit_test(a_line_too_long_or_with_a_nul_is_refused),
	};

	return cmocka_run_group_tests_name("sys/ask", tests, NULL, NULL);
}
