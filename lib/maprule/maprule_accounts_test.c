#include "maprule/maprule_accounts.h"

#include "base/fault.h"
#include "base/unit.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

static void
accounts_of_a_text_are_all_there_is(void **state)
{
	static const char text[] = "root:x:0:0::/:/bin/sh\n"
				   "toor:x:0:0::/:/bin/sh\n"
				   "joe:x:1001:1:Joe:/h:/s\n"
				   "joe:x:0:1:again:/h:/s\n";
	struct fault f = { 0 };
	struct maprule_accounts *a =
	    maprule_accounts_read(text, strlen(text), &f);
	uint32_t uid = 7;

	(void)state;
	assert_non_null(a);
	assert_int_equal(maprule_accounts_find(a, "joe", true, &uid, &f), 1);
	assert_int_equal(uid, 1001);
	assert_int_equal(maprule_accounts_find(a, "toor", true, &uid, &f), 1);
	assert_int_equal(uid, 0);
	assert_int_equal(maprule_accounts_find(a, "nobody", true, &uid, &f), 0);
	maprule_accounts_free(a);
}

static void
lines_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = { "joe\n", "joe:x\n", "joe:x:1\n",
		"joe:x:-1:1:\n", "joe:x:4294967295:1:\n", "joe:x:y:1:\n" };
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(maprule_accounts_read(wrong[i], strlen(wrong[i]),
		    &f));
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

static void
the_system_is_asked_and_many_are_held(void **state)
{
	struct fault f = { 0 };
	struct maprule_accounts *a = maprule_accounts_open(&f);
	struct passwd *me = getpwuid(0);
	uint32_t uid = 7;
	char name[32];

	(void)state;
	assert_non_null(a);
	assert_non_null(me);
	assert_int_equal(maprule_accounts_find(a, me->pw_name, false, &uid, &f),
	    1);
	assert_int_equal(uid, 0);
	for (int i = 0; i < 600; i++) {
		(void)snprintf(name, sizeof(name), "no-such-account-%d", i);
		assert_int_equal(maprule_accounts_find(a, name, true, &uid, &f),
		    0);
		assert_int_equal(maprule_accounts_find(a, name, true, &uid, &f),
		    0);
	}
	maprule_accounts_free(a);
}

static void
what_an_account_may_be_called(void **state)
{
	static const char *const bad[] = { "", "-x", ".x", "a b", "a,b", "#",
		"a#", "a\"", "a\\", "a/b", "a:b", "\x01", "\xc3\xa9", "a'b" };

	(void)state;
	assert_true(maprule_account_good("frederique.marion"));
	assert_true(maprule_account_good("host$"));
	assert_true(maprule_account_good("a@b"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(maprule_account_good(bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accounts_of_a_text_are_all_there_is),
		cmocka_unit_test(lines_that_are_none_are_refused),
		cmocka_unit_test(the_system_is_asked_and_many_are_held),
		cmocka_unit_test(what_an_account_may_be_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
