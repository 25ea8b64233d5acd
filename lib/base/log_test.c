#include "base/log.h"

#include "base/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Standard error goes into a pipe while a test logs. */
struct ear {
	int saved;
	int fd;
	char line[8192];
};

static struct ear
listen_in(void)
{
	struct ear ear = { .saved = dup(STDERR_FILENO) };
	int fds[2];

	assert_true(ear.saved >= 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(close(fds[1]), 0);
	ear.fd = fds[0];
	return ear;
}

/* All that was logged; nothing is left to read. */
static const char *
heard(struct ear *ear)
{
	ssize_t got;
	size_t len = 0;

	assert_int_equal(dup2(ear->saved, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(close(ear->saved), 0);
	while ((got = read(ear->fd, ear->line + len,
		    sizeof(ear->line) - 1 - len)) > 0)
		len += (size_t)got;
	ear->line[len] = '\0';
	assert_int_equal(close(ear->fd), 0);
	return ear->line;
}

/* The part of a line after "name[pid]: ". */
static const char *
body(const char *line)
{
	const char *at = strstr(line, "]: ");

	assert_non_null(at);
	return at + 3;
}

static void
an_event_is_one_line_with_its_fields(void **state)
{
	struct ear ear = listen_in();
	char expected[64];
	const char *line;

	(void)state;
	(void)unsetenv("JOURNAL_STREAM");
	log_open("issuer", 6);
	LOG(LOGIN, LOG_TEXT("user", "alice"), LOG_NUMBER("pid", 42),
	    LOG_TEXT("none", NULL), LOG_NUMBER("low", INT64_MIN));
	line = heard(&ear);
	assert_string_equal(body(line),
	    "login user=alice pid=42 low=-9223372036854775808\n");
	/* "2026-11-22T04:28:00Z issuer[123]: " */
	(void)snprintf(expected, sizeof(expected),
	    " issuer[%d]: ", (int)getpid());
	assert_memory_equal(line + 20, expected, strlen(expected));
	assert_int_equal(line[10], 'T');
	assert_int_equal(line[19], 'Z');
}

static void
the_journal_is_told_the_priority(void **state)
{
	struct ear ear = listen_in();

	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
	log_open("front", 6);
	LOG(LOGIN_REFUSED, LOG_TEXT("user", "bob"));
	assert_memory_equal(heard(&ear), "<4>front[", 9);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

static void
events_below_the_threshold_are_dropped(void **state)
{
	struct ear ear = listen_in();

	(void)state;
	log_open("front", 4);
	LOG(REQUEST, LOG_TEXT("user", "bob"));
	LOG(LOGIN_REFUSED, LOG_TEXT("user", "eve"));
	assert_string_equal(body(heard(&ear)), "login-refused user=eve\n");
}

static void
a_field_cannot_forge_another_or_a_line(void **state)
{
	static const struct {
		const char *text;
		const char *shown;
	} fields[] = {
		{ "plain", "plain" },
		{ "", "\"\"" },
		{ "a b", "\"a b\"" },
		{ "x ref=1", "\"x ref=1\"" },
		{ "x=y", "\"x=y\"" },
		{ "x\" ref=\"1", "\"x\\\" ref=\\\"1\"" },
		{ "a\\b", "\"a\\\\b\"" },
		{ "a\n2026-01-01T00:00:00Z front[1]: login",
		    "\"a\\x0a2026-01-01T00:00:00Z front[1]: login\"" },
		{ "\x1b[2J\r\t\x7f", "\"\\x1b[2J\\x0d\\x09\\x7f\"" },
		{ "Zo\xc3\xab", "\"Zo\\xc3\\xab\"" },
	};

	(void)state;
	log_open("front", 6);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct ear ear = listen_in();
		char expected[128];

		LOG(LOGIN, LOG_TEXT("user", fields[i].text),
		    LOG_NUMBER("end", 1));
		(void)snprintf(expected, sizeof(expected),
		    "login user=%s end=1\n", fields[i].shown);
		assert_string_equal(body(heard(&ear)), expected);
	}
}

/* ${unit} repeated: the line has an end, and every quote its fellow. */
static void
is_cut_well(char unit, size_t len)
{
	struct ear ear = listen_in();
	char *text = malloc(len + 1);
	const char *line;
	bool quoted = false;
	size_t n;

	assert_non_null(text);
	memset(text, unit, len);
	text[len] = '\0';
	LOG(LOGIN, LOG_TEXT("user", text), LOG_TEXT("more", "a b"),
	    LOG_NUMBER("end", 1));
	free(text);
	line = heard(&ear);
	n = strlen(line);
	assert_true(n <= 4096);
	assert_int_equal(line[n - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + n - 1);
	for (size_t i = 0; i < n; i++) {
		if (line[i] == '\\')
			i++;
		else if (line[i] == '"')
			quoted = !quoted;
	}
	assert_false(quoted);
}

static void
a_line_too_long_is_cut_and_still_a_line(void **state)
{
	(void)state;
	log_open("front", 6);
	for (size_t len = 3900; len < 4200; len++)
		is_cut_well('a', len);
	for (size_t len = 900; len < 1100; len++)
		is_cut_well('\n', len);
	for (size_t len = 1950; len < 2100; len++)
		is_cut_well('"', len);
	is_cut_well('\\', 100000);
}

static void
a_fault_is_logged_with_its_reference(void **state)
{
	struct ear ear = listen_in();
	struct fault f = { 0 };

	(void)state;
	log_open("front", 6);
	(void)fault_set(&f, FAULT_DENIED, "no \"such\" user");
	log_fault(&f, "0123456789ab");
	assert_string_equal(body(heard(&ear)),
	    "fault code=DENIED text=\"no \\\"such\\\" user\" "
	    "ref=0123456789ab\n");
}

static void
every_event_has_a_name_of_its_own_and_a_meaning(void **state)
{
	(void)state;
	for (int e = 0; e < EVENT_COUNT; e++) {
		const char *name = log_name((enum event)e);

		assert_non_null(name);
		assert_true(strspn(name, "abcdefghijklmnopqrstuvwxyz-") ==
		    strlen(name));
		assert_in_range(log_priority((enum event)e), 3, 7);
		assert_true(strlen(log_meaning((enum event)e)) > 10);
		for (int other = 0; other < e; other++)
			assert_string_not_equal(name,
			    log_name((enum event)other));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_one_line_with_its_fields),
		cmocka_unit_test(the_journal_is_told_the_priority),
		cmocka_unit_test(events_below_the_threshold_are_dropped),
		cmocka_unit_test(a_field_cannot_forge_another_or_a_line),
		cmocka_unit_test(a_line_too_long_is_cut_and_still_a_line),
		cmocka_unit_test(a_fault_is_logged_with_its_reference),
		cmocka_unit_test(
		    every_event_has_a_name_of_its_own_and_a_meaning),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
