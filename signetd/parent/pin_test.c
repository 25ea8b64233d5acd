#include "signetd/parent/pin.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/unit.h"
#include "signetd/token_told.h"
#include "sys/console_probe.h"
#include "sys/loop.h"
#include "token/token.h"

#include <stdlib.h>

/* Two CAs with tokens, a person before terminal 7, and what the tokens are
 * told. */
struct scene {
	struct signetd_conf *conf;
	struct loop *loop;
	struct loop_timer *end;
	struct pins *pins;
	int person;
	char seen[8192];
	size_t len;
	size_t told_to;
	char told[64];
	unsigned tells;
	bool deaf; /* the token's process has gone */
	char dir[64];
};

static void
stop(void *arg)
{
	loop_stop(arg);
}

static int
tell(void *arg, size_t n, const struct secret *pin, struct fault *f)
{
	struct scene *s = arg;

	loop_stop(s->loop);
	s->tells++;
	s->told_to = n;
	assert_int_equal(text_copy(s->told, sizeof(s->told), secret_text(pin)),
	    0);
	return s->deaf ? fault_set(f, FAULT_UNREACHABLE, "gone") : 0;
}

static int
sit_down(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct fault f = { 0 };
	struct pins_wish wish = { .device = &play_device, .tell = tell };

	assert_non_null(s);
	assert_non_null(s->conf = calloc(1, sizeof(*s->conf)));
	assert_int_equal(text_copy(s->conf->pin_from, sizeof(s->conf->pin_from),
			     "console"),
	    0);
	s->person = play_machine();
	assert_non_null(s->loop = loop_new(&f));
	assert_non_null(s->end = loop_timer_new(s->loop, stop, s->loop, &f));
	wish.loop = s->loop;
	wish.conf = s->conf;
	wish.arg = s;
	assert_non_null(s->pins = pins_new(&wish, &f));
	*state = s;
	return 0;
}

static int
stand_up(void **state)
{
	struct scene *s = *state;

	pins_free(s->pins);
	loop_timer_free(s->end);
	loop_free(s->loop);
	(void)close(s->person);
	free(s->conf);
	free(s);
	return 0;
}

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
	for (int i = 0;; i++) {
		ssize_t got = read(s->person, s->seen + s->len,
		    sizeof(s->seen) - 1 - s->len);

		s->len += got > 0 ? (size_t)got : 0;
		s->seen[s->len] = '\0';
		if (strstr(s->seen, text) != NULL)
			return;
		if (i == 500)
			fail_msg("saw only \"%s\"", s->seen);
		go_on(s, 10);
	}
}

static void
forget(struct scene *s)
{
	s->len = 0;
	s->seen[0] = '\0';
}

static void
say(struct scene *s, size_t n, enum token_state state, enum fault_code fault,
    uint32_t flags)
{
	struct msg_token_news m = { .state = state,
		.fault = fault,
		.flags = flags,
		.label = "label \033[2J",
		.serial = "0815",
		.text = "because" };

	pins_heard(s->pins, n, n == 0 ? "first" : "second", &m);
}

static void
answer(struct scene *s, const char *line)
{
	unsigned tells = s->tells;

	assert_int_equal(write(s->person, line, strlen(line)), strlen(line));
	go_on(s, 10000);
	assert_int_equal(s->tells, tells + 1);
}

static void
a_pin_is_asked_for_and_told_once(void **state)
{
	struct scene *s = *state;

	say(s, 1, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	see_until(s, "PIN: ");
	assert_non_null(strstr(s->seen, "CA second"));
	assert_non_null(strstr(s->seen, "0815"));
	assert_non_null(strstr(s->seen, "because"));
	/* The token's label is no command to the terminal. */
	assert_non_null(strstr(s->seen, "label ?[2J"));
	assert_null(strstr(s->seen, "wrong"));
	answer(s, "1234\n");
	assert_int_equal(s->told_to, 1);
	assert_string_equal(s->told, "1234");
	say(s, 1, TOKEN_READY, FAULT_NONE, 0);
	assert_int_equal(machine.active, 1);
	assert_int_equal(s->tells, 1);
}

static void
a_wrong_one_is_asked_for_again_one_try_an_answer(void **state)
{
	struct scene *s = *state;

	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	answer(s, "wrong\n");
	/* While it thinks, nothing is heard, and nothing is asked. */
	forget(s);
	assert_int_equal(write(s->person, "more\n", 5), 5);
	go_on(s, 50);
	assert_int_equal(s->tells, 1);
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_LOGIN, TOKEN_TOLD_PIN_LOW);
	see_until(s, "The last one is never used");
	answer(s, "right\n");
	assert_string_equal(s->told, "right");
}

static void
the_last_try_is_not_used(void **state)
{
	struct scene *s = *state;

	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, TOKEN_TOLD_PIN_LOW);
	answer(s, "wrong\n");
	say(s, 0, TOKEN_BROKEN, FAULT_DENIED, TOKEN_TOLD_PIN_FINAL);
	assert_int_equal(machine.active, 1);
	go_on(s, 50);
	assert_int_equal(s->tells, 1);
	/* Said of a token that says itself that it needs a PIN, too. */
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, TOKEN_TOLD_PIN_LOCKED);
	assert_int_equal(machine.active, 1);
	/* The vendor's tool has seen to it. */
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	assert_int_equal(machine.active, 7);
	answer(s, "right\n");
}

static void
one_is_asked_for_after_the_other(void **state)
{
	struct scene *s = *state;

	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	say(s, 1, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	see_until(s, "PIN: ");
	assert_non_null(strstr(s->seen, "CA first"));
	assert_null(strstr(s->seen, "CA second"));
	answer(s, "one\n");
	assert_int_equal(s->told_to, 0);
	go_on(s, 50);
	forget(s);
	say(s, 0, TOKEN_READY, FAULT_NONE, 0);
	see_until(s, "PIN: ");
	assert_non_null(strstr(s->seen, "CA second"));
	answer(s, "two\n");
	assert_int_equal(s->told_to, 1);
	assert_string_equal(s->told, "two");
}

static void
a_token_that_goes_ends_the_question(void **state)
{
	struct scene *s = *state;

	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	assert_int_equal(machine.active, 7);
	say(s, 0, TOKEN_ABSENT, FAULT_ABSENT, 0);
	assert_int_equal(machine.active, 1);
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	assert_int_equal(machine.active, 7);
	pins_gone(s->pins, 0);
	assert_int_equal(machine.active, 1);
	/* And one that goes while it is told. */
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	s->deaf = true;
	answer(s, "1234\n");
	assert_int_equal(machine.active, 1);
	s->deaf = false;
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	answer(s, "1234\n");
}

static void
at_the_end_of_the_daemon_the_screen_is_given_back(void **state)
{
	struct scene *s = *state;

	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	assert_int_equal(machine.active, 7);
	pins_stop(s->pins);
	assert_int_equal(machine.active, 1);
	say(s, 1, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	assert_int_equal(machine.active, 1);
}

static void
what_is_news_while_somebody_is_asked_asks_no_second_time(void **state)
{
	struct scene *s = *state;

	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	see_until(s, "PIN: ");
	forget(s);
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, TOKEN_TOLD_PIN_LOW);
	go_on(s, 50);
	assert_int_equal(read(s->person, s->seen, sizeof(s->seen)), -1);
	answer(s, "1234\n");
}

static void
a_reader_with_keys_gets_the_pin_itself(void **state)
{
	struct scene *s = *state;

	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, TOKEN_TOLD_PIN_PAD);
	see_until(s, "at the reader");
	answer(s, "\n");
	assert_string_equal(s->told, "");
}

/* ---- credentials */

static void
lay_down(struct scene *s, const char *pin)
{
	char path[96];
	int fd;

	assert_int_equal(text_copy(s->dir, sizeof(s->dir), "/tmp/pin.XXXXXX"),
	    0);
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(text_fmt(path, sizeof(path), "%s/pin", s->dir), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, pin, strlen(pin)), strlen(pin));
	assert_int_equal(close(fd), 0);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", s->dir, 1), 0);
	assert_int_equal(text_copy(s->conf->pin_from, sizeof(s->conf->pin_from),
			     "credential:pin"),
	    0);
}

static void
take_away(struct scene *s)
{
	char path[96];

	assert_int_equal(text_fmt(path, sizeof(path), "%s/pin", s->dir), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(s->dir), 0);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void
a_credential_is_used_while_it_is_right(void **state)
{
	struct scene *s = *state;

	lay_down(s, "by file\n");
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	assert_int_equal(s->tells, 1);
	assert_string_equal(s->told, "by file");
	say(s, 0, TOKEN_READY, FAULT_NONE, 0);
	say(s, 0, TOKEN_ABSENT, FAULT_ABSENT, 0);
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	assert_int_equal(s->tells, 2);
	/* It is right, and does not do: not at once again. */
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_SYSTEM, 0);
	assert_int_equal(s->tells, 2);
	assert_string_equal(machine.done, "");
	take_away(s);
}

static void
a_wrong_credential_is_not_tried_again(void **state)
{
	struct scene *s = *state;

	lay_down(s, "wrong\n");
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	assert_int_equal(s->tells, 1);
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_LOGIN, TOKEN_TOLD_PIN_LOW);
	say(s, 0, TOKEN_ABSENT, FAULT_ABSENT, 0);
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, TOKEN_TOLD_PIN_LOW);
	pins_gone(s->pins, 0);
	say(s, 0, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	go_on(s, 50);
	assert_int_equal(s->tells, 1);
	/* It is not the other token's fault. */
	say(s, 1, TOKEN_NEEDS_PIN, FAULT_NONE, 0);
	assert_int_equal(s->tells, 2);
	take_away(s);
}

static void
where_a_pin_comes_from_is_looked_at_before(void **state)
{
	struct scene *s = *state;
	struct fault f = { 0 };

	assert_int_equal(pins_check(s->conf, &play_device, &f), 0);
	machine.fails = "open:tty0";
	machine.error = EACCES;
	/* The other name of the same console. */
	assert_int_equal(pins_check(s->conf, &play_device, &f), 0);
	lay_down(s, "1234\n");
	assert_int_equal(pins_check(s->conf, &play_device, &f), 0);
	take_away(s);
	assert_int_equal(pins_check(s->conf, &play_device, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

int
main(void)
{
#define AT_A_CONSOLE(test) \
	cmocka_unit_test_setup_teardown(test, sit_down, stand_up)
	const struct CMUnitTest tests[] = {
		AT_A_CONSOLE(a_pin_is_asked_for_and_told_once),
		AT_A_CONSOLE(a_wrong_one_is_asked_for_again_one_try_an_answer),
		AT_A_CONSOLE(the_last_try_is_not_used),
		AT_A_CONSOLE(one_is_asked_for_after_the_other),
		AT_A_CONSOLE(a_token_that_goes_ends_the_question),
		AT_A_CONSOLE(at_the_end_of_the_daemon_the_screen_is_given_back),
		AT_A_CONSOLE(
		    what_is_news_while_somebody_is_asked_asks_no_second_time),
		AT_A_CONSOLE(a_reader_with_keys_gets_the_pin_itself),
		AT_A_CONSOLE(a_credential_is_used_while_it_is_right),
		AT_A_CONSOLE(a_wrong_credential_is_not_tried_again),
		AT_A_CONSOLE(where_a_pin_comes_from_is_looked_at_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
