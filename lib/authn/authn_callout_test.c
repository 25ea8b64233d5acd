#include "authn/authn.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static char path[PATH_MAX];

static int
set_up(void **state)
{
	char here[PATH_MAX];

	(void)state;
	if (getcwd(here, sizeof(here) - 32) == NULL)
		return -1;
	return text_fmt(path, sizeof(path), "%s/authn_callout_test.sh", here);
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

/* Run a shell script of that body for ${principal}. */
static int
run(const char *body, const char *principal, int timeout_s, char *subject,
    size_t size, struct fault *f)
{
	OWN_BUF(text, 8192);

	buf_text(&text, "#!/bin/sh\n");
	buf_text(&text, body);
	assert_false(text.failed);
	assert_int_equal(file_write(path, 0700, text.data, text.len, f), 0);
	f->code = FAULT_NONE;
	return authn_callout(path, principal, timeout_s, subject, size, f);
}

static void
its_line_is_the_subject(void **state)
{
	struct fault f = { 0 };
	char subject[64];

	(void)state;
	assert_int_equal(run("echo \"/O=G/CN=$1\"", "ann@R", 10, subject,
			     sizeof(subject), &f),
	    0);
	assert_string_equal(subject, "/O=G/CN=ann@R");
	assert_int_equal(run("printf /O=G", "ann@R", 10, subject,
			     sizeof(subject), &f),
	    0);
	assert_string_equal(subject, "/O=G");
}

static void
the_principal_is_an_argument_not_a_command(void **state)
{
	struct fault f = { 0 };
	char subject[64];

	(void)state;
	assert_int_equal(run("echo \"$#$1\"", "a b;exit 1 $(id) `id`", 10,
			     subject, sizeof(subject), &f),
	    0);
	assert_string_equal(subject, "1a b;exit 1 $(id) `id`");
	assert_int_equal(run("echo x", "-rf", 10, subject, sizeof(subject), &f),
	    -1);
	assert_int_equal(run("echo x", "", 10, subject, sizeof(subject), &f),
	    -1);
	assert_int_equal(authn_callout("ls", "x", 10, subject, sizeof(subject),
			     &f),
	    -1);
}

static void
it_gets_no_environment_and_no_descriptors(void **state)
{
	struct fault f = { 0 };
	char subject[64];

	(void)state;
	assert_int_equal(setenv("KRB5_KTNAME", "secret", 1), 0);
	assert_int_equal(run("echo \"<$KRB5_KTNAME$HOME$USER>\"", "ann", 10,
			     subject, sizeof(subject), &f),
	    0);
	assert_string_equal(subject, "<>");
	/* The shell itself holds the script open, above 9. */
	assert_int_equal(run("for i in 3 4 5 6 7 8 9; do\n"
			     "[ -e /proc/$$/fd/$i ] && echo $i; done; echo end",
			     "ann", 10, subject, sizeof(subject), &f),
	    0);
	assert_string_equal(subject, "end");
}

static void
a_status_or_silence_means_nobody(void **state)
{
	struct fault f = { 0 };
	char subject[64] = "untouched";

	(void)state;
	assert_int_equal(run("echo /O=G; exit 1", "ann", 10, subject,
			     sizeof(subject), &f),
	    -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(run("exit 0", "ann", 10, subject, sizeof(subject), &f),
	    -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(run("kill -9 $$", "ann", 10, subject, sizeof(subject),
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_FAILED);
	assert_string_equal(subject, "untouched");
}

static void
more_than_a_line_is_refused(void **state)
{
	static const char *const bad[] = { "echo a; echo b", "printf 'a\\0b'",
		"printf 'a\\033b'", "printf '\\377'",
		"while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done",
		"printf %080d 1" };
	char subject[64] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(run(bad[i], "ann", 10, subject,
				     sizeof(subject), &f),
		    -1);
		assert_int_equal(f.code, FAULT_FAILED);
	}
	assert_string_equal(subject, "untouched");
}

static void
what_takes_too_long_is_ended_with_all_it_started(void **state)
{
	static const char *const slow[] = { "sleep 60 & sleep 60",
		"exec >&-; sleep 60" };
	char subject[64];

	(void)state;
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		struct fault f = { 0 };
		int64_t before = clock_mono();

		assert_int_equal(run(slow[i], "ann", 1, subject,
				     sizeof(subject), &f),
		    -1);
		assert_int_equal(f.code, FAULT_FAILED);
		assert_non_null(strstr(f.text, "too long"));
		assert_in_range(clock_mono() - before, 900, 20000);
	}
}

static void
a_program_that_is_not_there_is_a_fault(void **state)
{
	struct fault f = { 0 };
	char subject[64];

	(void)state;
	assert_int_equal(authn_callout("/nonexistent/program", "ann", 10,
			     subject, sizeof(subject), &f),
	    -1);
	assert_int_equal(f.code, FAULT_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_line_is_the_subject),
		cmocka_unit_test(the_principal_is_an_argument_not_a_command),
		cmocka_unit_test(it_gets_no_environment_and_no_descriptors),
		cmocka_unit_test(a_status_or_silence_means_nobody),
		cmocka_unit_test(more_than_a_line_is_refused),
		cmocka_unit_test(
		    what_takes_too_long_is_ended_with_all_it_started),
		cmocka_unit_test(a_program_that_is_not_there_is_a_fault),
	};

	return cmocka_run_group_tests_name("authn/authn_callout", tests, set_up,
	    tear_down);
}
