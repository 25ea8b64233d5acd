#include "sys/console.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"
#include "sys/console_probe.h"
#include "sys/loop.h"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Somebody before it, and what is heard of him. */
struct scene {
	struct loop *loop;
	struct loop_timer *end;
	struct console *console;
	int master;
	char seen[4096];
	size_t len;
	unsigned answers;
	char answer[512];
	bool gone;
};

static void
heard(void *arg, struct secret *answer, const struct fault *f)
{
	struct scene *s = arg;
	OWN_STRUCT(secret) mine = answer;

	loop_stop(s->loop);
	if (mine == NULL) {
		assert_int_equal(f->code, FAULT_UNREACHABLE);
		s->gone = true;
		return;
	}
	s->answers++;
	assert_int_equal(text_copy(s->answer, sizeof(s->answer),
			     secret_text(mine)),
	    0);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
sit_down(struct scene *s)
{
	struct fault f = { 0 };

	memset(s, 0, sizeof(*s));
	s->master = play_machine();
	assert_non_null(s->loop = loop_new(&f));
	assert_non_null(s->end = loop_timer_new(s->loop, stop, s->loop, &f));
}

static void
stand_up(struct scene *s)
{
	console_free(s->console);
	loop_timer_free(s->end);
	loop_free(s->loop);
	(void)close(s->master);
}

static int
ask(struct scene *s, struct fault *f)
{
	const struct console_wish wish = { .kind = CONSOLE_VIRTUAL,
		.text = "The token of CA x\n",
		.prompt = "PIN: ",
		.heard = heard,
		.arg = s,
		.device = &play_device };

	s->console = console_open(s->loop, &wish, f);
	return s->console == NULL ? -1 : 0;
}

static void
type(const struct scene *s, const void *text, size_t len)
{
	assert_int_equal(write(s->master, text, len), len);
}

static const char *
see(struct scene *s)
{
	ssize_t got;

	while ((got = read(s->master, s->seen + s->len,
		    sizeof(s->seen) - 1 - s->len)) > 0)
		s->len += (size_t)got;
	s->seen[s->len] = '\0';
	return s->seen;
}

/* Run until a handler stops it, or for ${ms}. */
static void
go_on(struct scene *s, int64_t ms)
{
	struct fault f = { 0 };

	loop_timer_set(s->end, ms);
	assert_int_equal(loop_run(s->loop, &f), 0);
}

static void
see_until(struct scene *s, const char *text)
{
	for (int i = 0; strstr(see(s), text) == NULL; i++) {
		if (i == 500)
			fail_msg("saw only \"%s\"", s->seen);
		go_on(s, 10);
	}
}

#define TAKEN                                                     \
	"open:tty0 OPENQRY open:tty7 own hang-up open:tty7 EXCL " \
	"ACTIVATE:7"
#define GIVEN_BACK " ACTIVATE:1 NXCL disown DISALLOCATE:7"

static void
a_terminal_is_taken_shown_and_given_back(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	struct termios now;
	int alone = 0;

	(void)state;
	sit_down(&s);
	if (ask(&s, &f) < 0)
		fail_msg("%s", f.text);
	assert_string_equal(machine.done, TAKEN);
	assert_string_equal(console_name(s.console), "tty7");
	assert_int_equal(machine.active, 7);
	see_until(&s, "PIN: ");
	assert_non_null(strstr(s.seen, "The token of CA x"));
	assert_int_equal(tcgetattr(s.master, &now), 0);
	assert_int_equal(now.c_lflag & (tcflag_t)(ECHO | ECHONL | ISIG), 0);
	assert_true((now.c_lflag & ICANON) != 0);
	assert_int_equal(ioctl(s.master, TIOCGEXCL, &alone), 0);
	type(&s, "marker 1234\n", 12);
	go_on(&s, 10000);
	assert_int_equal(s.answers, 1);
	assert_string_equal(s.answer, "marker 1234");
	console_free(s.console);
	s.console = NULL;
	assert_null(strstr(see(&s), "marker"));
	assert_string_equal(machine.done, TAKEN GIVEN_BACK);
	assert_int_equal(machine.active, 1);
	stand_up(&s);
}

static void
what_was_typed_before_is_not_the_answer(void **state)
{
	struct scene s;
	struct fault f = { 0 };

	(void)state;
	sit_down(&s);
	type(&s, "eager\n", 6);
	assert_int_equal(ask(&s, &f), 0);
	type(&s, "right\nand more\n", 15);
	go_on(&s, 10000);
	assert_string_equal(s.answer, "right");
	/* What was typed behind the first answer is none to the second
	 * question. */
	console_ask(s.console, "It is wrong.\n", "PIN: ", false);
	go_on(&s, 50);
	assert_int_equal(s.answers, 1);
	see_until(&s, "It is wrong.");
	type(&s, "second\n", 7);
	go_on(&s, 10000);
	assert_int_equal(s.answers, 2);
	assert_string_equal(s.answer, "second");
	stand_up(&s);
}

static void
what_cannot_be_an_answer_is_asked_for_again(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	char line[600];

	(void)state;
	sit_down(&s);
	assert_int_equal(ask(&s, &f), 0);
	type(&s, "\n", 1);
	see_until(&s, "Nothing was entered.");
	memset(line, 'x', sizeof(line));
	line[CONSOLE_ANSWER_MAX + 1] = '\n';
	type(&s, line, CONSOLE_ANSWER_MAX + 2);
	see_until(&s, "too long");
	s.len = 0;
	type(&s, "12\00034\n", 6);
	see_until(&s, "control character");
	s.len = 0;
	type(&s, "12\003\n", 4);
	see_until(&s, "control character");
	s.len = 0;
	/* No end of the input, and no arrow key. */
	type(&s, "\004", 1);
	type(&s, "1\033[A\n", 5);
	see_until(&s, "control character");
	assert_int_equal(s.answers, 0);
	line[CONSOLE_ANSWER_MAX] = '\n';
	type(&s, line, CONSOLE_ANSWER_MAX + 1);
	go_on(&s, 10000);
	assert_int_equal(s.answers, 1);
	assert_int_equal(strlen(s.answer), CONSOLE_ANSWER_MAX);
	stand_up(&s);
}

static void
a_line_longer_than_the_kernel_keeps_is_too_long(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	char block[250];

	(void)state;
	sit_down(&s);
	assert_int_equal(ask(&s, &f), 0);
	memset(block, 'y', sizeof(block));
	for (int i = 0; i < 24; i++) {
		(void)!write(s.master, block, sizeof(block));
		go_on(&s, 5);
	}
	type(&s, "\n", 1);
	see_until(&s, "too long");
	assert_int_equal(s.answers, 0);
	stand_up(&s);
}

static void
an_empty_answer_is_one_where_that_was_wished_for(void **state)
{
	struct scene s;
	struct fault f = { 0 };

	(void)state;
	sit_down(&s);
	assert_int_equal(ask(&s, &f), 0);
	console_ask(s.console, "", "Press Return: ", true);
	type(&s, "\n", 1);
	go_on(&s, 10000);
	assert_int_equal(s.answers, 1);
	assert_string_equal(s.answer, "");
	stand_up(&s);
}

static void
a_terminal_that_hangs_up_is_told_of(void **state)
{
	struct scene s;
	struct fault f = { 0 };

	(void)state;
	sit_down(&s);
	assert_int_equal(ask(&s, &f), 0);
	(void)close(s.master);
	s.master = -1;
	go_on(&s, 10000);
	assert_true(s.gone);
	stand_up(&s);
}

static void
a_person_who_went_to_another_terminal_stays_there(void **state)
{
	struct scene s;
	struct fault f = { 0 };

	(void)state;
	sit_down(&s);
	assert_int_equal(ask(&s, &f), 0);
	machine.active = 3;
	console_free(s.console);
	s.console = NULL;
	assert_string_equal(machine.done, TAKEN " NXCL disown DISALLOCATE:7");
	assert_int_equal(machine.active, 3);
	stand_up(&s);
}

static void
a_screen_that_does_not_let_go_does_not_hold_us(void **state)
{
	struct scene s;
	struct fault f = { 0 };

	(void)state;
	sit_down(&s);
	machine.stubborn = true;
	assert_int_equal(ask(&s, &f), 0);
	assert_int_equal(machine.active, 1);
	/* Somebody switches by hand, and then it will not go back. */
	machine.active = 7;
	console_free(s.console);
	s.console = NULL;
	assert_string_equal(machine.done, TAKEN GIVEN_BACK);
	stand_up(&s);
}

static void
after_each_failure_all_is_as_it_was(void **state)
{
	static const struct {
		const char *step;
		int error;
		enum fault_code code;
		const char *done;
	} fails[] = {
		{ "open:tty0", EACCES, FAULT_CONFIG,
		    "open:tty0 open:console "
		    "OPENQRY open:tty7 own "
		    "hang-up open:tty7 EXCL "
		    "ACTIVATE:7" },
		{ "OPENQRY", ENOENT, FAULT_BUSY, "open:tty0 OPENQRY" },
		{ "open:tty7", EBUSY, FAULT_BUSY,
		    "open:tty0 OPENQRY open:tty7 DISALLOCATE:7" },
		{ "own", EPERM, FAULT_BUSY,
		    "open:tty0 OPENQRY open:tty7 own DISALLOCATE:7" },
		{ "hang-up", EPERM, FAULT_BUSY,
		    "open:tty0 OPENQRY open:tty7 own hang-up DISALLOCATE:7" },
		{ "EXCL", EIO, FAULT_BUSY,
		    "open:tty0 OPENQRY open:tty7 own hang-up open:tty7 EXCL "
		    "disown DISALLOCATE:7" },
		{ "ACTIVATE:7", EPERM, FAULT_SYSTEM,
		    TAKEN " NXCL disown DISALLOCATE:7" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fails) / sizeof(fails[0]); i++) {
		struct scene s;
		struct fault f = { 0 };

		sit_down(&s);
		machine.fails = fails[i].step;
		machine.error = fails[i].error;
		if (i == 0) {
			/* The other way to the same console. */
			assert_int_equal(ask(&s, &f), 0);
			assert_string_equal(machine.done, fails[i].done);
			stand_up(&s);
			continue;
		}
		assert_int_equal(ask(&s, &f), -1);
		assert_int_equal(f.code, fails[i].code);
		assert_string_equal(machine.done, fails[i].done);
		assert_int_equal(machine.active, 1);
		stand_up(&s);
	}
}

static void
what_somebody_else_holds_is_left_alone(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct scene s;
		struct fault f = { 0 };

		sit_down(&s);
		machine.alone = i == 0;
		machine.mode = i == 1 ? VT_PROCESS : VT_AUTO;
		machine.shows = i == 2 ? KD_GRAPHICS : KD_TEXT;
		assert_int_equal(ask(&s, &f), -1);
		assert_int_equal(f.code, FAULT_BUSY);
		assert_non_null(strstr(f.text, "somebody else"));
		assert_string_equal(machine.done,
		    "open:tty0 OPENQRY open:tty7 DISALLOCATE:7");
		stand_up(&s);
	}
}

/* ---- a process with a terminal */

static void
answer_back(void *arg, struct secret *answer, const struct fault *f)
{
	OWN_STRUCT(secret) mine = answer;

	(void)f;
	dprintf(STDERR_FILENO, "[got %s]\r\n",
	    mine == NULL ? "nothing" : secret_text(mine));
	loop_stop(arg);
}

static void
ask_at_the_terminal(void)
{
	struct fault f = { 0 };
	struct loop *loop = loop_new(&f);
	const struct console_wish wish = { .kind = CONSOLE_TERMINAL,
		.text = "Token\n",
		.prompt = "PIN: ",
		.heard = answer_back,
		.arg = loop };
	struct console *c;

	(void)signal(SIGTTIN, SIG_IGN);
	(void)signal(SIGTTOU, SIG_IGN);
	if (loop == NULL || console_check(CONSOLE_TERMINAL, NULL, &f) < 0 ||
	    (c = console_open(loop, &wish, &f)) == NULL ||
	    loop_run(loop, &f) < 0)
		_exit(1);
	console_free(c);
	loop_free(loop);
	/* Until the person has looked at the terminal. */
	(void)!read(STDIN_FILENO, &(char){ 0 }, 1);
	_exit(0);
}

static void
the_controlling_terminal_is_set_back(void **state)
{
	struct scene s;
	struct termios now;
	int status = 0;
	pid_t pid;

	(void)state;
	sit_down(&s);
	(void)close(s.master);
	pid = forkpty(&s.master, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid == 0)
		ask_at_the_terminal();
	assert_int_equal(fcntl(s.master, F_SETFL, O_NONBLOCK), 0);
	see_until(&s, "PIN: ");
	assert_int_equal(tcgetattr(s.master, &now), 0);
	assert_int_equal(now.c_lflag & ECHO, 0);
	/* Ctrl-C goes on to end who asks. */
	assert_true((now.c_lflag & ISIG) != 0);
	type(&s, "there\n", 6);
	see_until(&s, "[got there]");
	for (int i = 0; i < 500; i++) {
		assert_int_equal(tcgetattr(s.master, &now), 0);
		if ((now.c_lflag & ECHO) != 0)
			break;
		go_on(&s, 10);
	}
	assert_true((now.c_lflag & ECHO) != 0);
	type(&s, "\n", 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	stand_up(&s);
}

static void
without_a_terminal_there_is_none_to_ask_at(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct fault f = { 0 };

		(void)setsid();
		_exit(console_check(CONSOLE_TERMINAL, NULL, &f) < 0 &&
			    f.code == FAULT_CONFIG
			? 0
			: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_is_taken_shown_and_given_back),
		cmocka_unit_test(what_was_typed_before_is_not_the_answer),
		cmocka_unit_test(what_cannot_be_an_answer_is_asked_for_again),
		cmocka_unit_test(
		    a_line_longer_than_the_kernel_keeps_is_too_long),
		cmocka_unit_test(
		    an_empty_answer_is_one_where_that_was_wished_for),
		cmocka_unit_test(a_terminal_that_hangs_up_is_told_of),
		cmocka_unit_test(
		    a_person_who_went_to_another_terminal_stays_there),
		cmocka_unit_test(
		    a_screen_that_does_not_let_go_does_not_hold_us),
		cmocka_unit_test(after_each_failure_all_is_as_it_was),
		cmocka_unit_test(what_somebody_else_holds_is_left_alone),
		cmocka_unit_test(the_controlling_terminal_is_set_back),
		cmocka_unit_test(without_a_terminal_there_is_none_to_ask_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
