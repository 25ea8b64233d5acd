#include "asker.h"

#include "base/fault.h"
#include "base/secret.h"
#include "base/unit.h"

#include <string.h>
#include <unistd.h>

/* Standard input holds ${text} and ends. */
static void
say(const char *text)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
}

static void
a_password_is_asked_for_once_and_given_as_often_as_needed(void **state)
{
	struct asker a = { .from_stdin = true };
	struct fault f;

	(void)state;
	say("secret123\nsecond line\n");
	for (int i = 0; i < 2; i++) {
		OWN_STRUCT(secret) s = asker_server(&a, "localhost", &f);

		assert_non_null(s);
		assert_string_equal(secret_text(s), "secret123");
	}
	asker_clear(&a);
	assert_null(a.kept);
}

static void
who_may_not_be_asked_is_not(void **state)
{
	struct asker a = { .from_stdin = true, .forbidden = true };
	struct fault f;

	(void)state;
	say("secret123\n");
	assert_null(asker_server(&a, "localhost", &f));
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_null(asker_prompt(&a, "Password: ", &f));
	assert_int_equal(f.code, FAULT_LOGIN);
}

static void
one_line_answers_one_question_of_kerberos(void **state)
{
	struct asker a = { .from_stdin = true };
	struct fault f;
	OWN_STRUCT(secret) first = NULL;

	(void)state;
	say("old-password\nnot read\n");
	assert_non_null(first = asker_prompt(&a, "Password: ", &f));
	assert_string_equal(secret_text(first), "old-password");
	assert_null(a.kept);
	assert_null(asker_prompt(&a, "It has expired.\nEnter a new one: ", &f));
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_non_null(strstr(f.text, "It has expired. Enter a new one:"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_password_is_asked_for_once_and_given_as_often_as_needed),
		cmocka_unit_test(who_may_not_be_asked_is_not),
		cmocka_unit_test(one_line_answers_one_question_of_kerberos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
