#include "roster/roster_value.h"

#include "base/fault.h"
#include "base/unit.h"
#include "roster/roster_part.h"

#include <stdlib.h>
#include <string.h>

static void
reads(const char *value, const char *name)
{
	char text[ROSTER_NAME_SIZE];
	struct fault f = { 0 };

	if (roster_value_name(value, strlen(value), text, &f) != 1)
		fail_msg("%s: %s", value, f.text);
	assert_string_equal(text, name);
}

static void
names_are_read_in_every_spelling(void **state)
{
	(void)state;
	reads("/O=a/CN=b", "/O=a/CN=b");
	reads("subject=/O=a/CN=b", "/O=a/CN=b");
	reads("  Subject= /O=a/CN=b \t", "/O=a/CN=b");
	reads("/O=a/E=a@b.c", "/O=a/emailAddress=a@b.c");
	reads("/O=a/USERID=x", "/O=a/UID=x");
	reads("/O=a/CN=host/a.b", "/O=a/CN=host\\/a.b");
	reads("/O=a/CN=host\\/a.b", "/O=a/CN=host\\/a.b");
	reads("/O=a/CN=\xc3\xb6", "/O=a/CN=\\xC3\\xB6");
	reads("/O=a/CN=\\xc3\\xb6", "/O=a/CN=\\xC3\\xB6");
}

static void
prose_is_passed_over(void **state)
{
	static const char *const prose[] = { "", " ", "tea", "O=a/CN=b", "\xff",
		"see subject=/O=a" };
	char text[ROSTER_NAME_SIZE];
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(prose) / sizeof(prose[0]); i++)
		assert_int_equal(roster_value_name(prose[i], strlen(prose[i]),
				     text, &f),
		    0);
}

static void
what_could_be_taken_for_something_else_is_refused(void **state)
{
	static const char *const bad[] = { "/", "/O=", "/O=a\nb", "/O=a\"",
		"/O=a\\x22", "/O=a\\x0a", "/O=a\\\\b", "/O=\xff", "/FOO=a",
		"subject=", "subject=O=a", "/O=\xe2\x28\xa1", "/O=a\\x20",
		"/O=a\x7f" };
	char text[ROSTER_NAME_SIZE];
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (roster_value_name(bad[i], strlen(bad[i]), text, &f) != -1)
			fail_msg("%s", bad[i]);
		assert_int_equal(f.code, FAULT_INPUT);
	}
	assert_int_equal(roster_value_name("/O=a\0b", 6, text, &f), -1);
}

static void
a_megabyte_is_not_copied_anywhere(void **state)
{
	size_t len = 1 << 20;
	char *value = malloc(len), text[ROSTER_NAME_SIZE];
	struct fault f = { 0 };

	(void)state;
	assert_non_null(value);
	memset(value, 'x', len);
	memcpy(value, "/O=", 3);
	assert_int_equal(roster_value_name(value, len, text, &f), -1);
	free(value);
}

static void
accounts_are_plain(void **state)
{
	static const char *const bad[] = { "", "-a", ".a", "a b", "a,b", "a\"",
		"#a", "a/b", "a\\", "\xc3\xb6", "a\n" };

	(void)state;
	assert_true(roster_value_account("albert.einstein-2_x", 19, false));
	assert_true(roster_value_account(".pool", 5, true));
	assert_false(roster_value_account(".", 1, true));
	assert_false(roster_value_account("..a", 3, true));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(roster_value_account(bad[i], strlen(bad[i]),
		    false));
	assert_false(roster_value_account("a\0b", 3, false));
}

static bool
makes(const char *template, const char *principal, const char *account,
    const char *subject)
{
	struct roster_source s = { 0 };
	char text[ROSTER_NAME_SIZE];
	struct fault f = { 0 };
	bool made;

	s.subject = strdup(template);
	if (roster_subject_prepare(&s, &f) < 0)
		fail_msg("%s", f.text);
	made = roster_subject(&s, principal, account, text);
	if (made && subject != NULL)
		assert_string_equal(text, subject);
	if (made && s.subject_before != NULL)
		assert_true(roster_subject_could(&s, text));
	free(s.subject);
	free(s.subject_before);
	free(s.subject_after);
	return made;
}

static void
subjects_come_from_the_template(void **state)
{
	char s64[80] = { 0 };

	(void)state;
	assert_true(makes("/DC=org/CN={principal}", "a@B", "a",
	    "/DC=org/CN=a@B"));
	assert_true(makes("/DC=org/CN={user}", "a@B", "x", "/DC=org/CN=a"));
	assert_true(makes("/DC=org/CN={account}", "", "x", "/DC=org/CN=x"));
	assert_true(makes("/DC=org/OU={user}/CN={principal}", "a@B", "x",
	    "/DC=org/OU=a/CN=a@B"));
	assert_true(makes("/CN=x {principal} y/O=z", "a@B", "x",
	    "/CN=x a@B y/O=z"));
	assert_true(makes("/CN={principal}", "host/a@B", "x",
	    "/CN=host\\/a@B"));
	assert_false(makes("/CN={principal}", "", "x", NULL));
	assert_false(makes("/CN={principal}", "@B", "x", NULL));
	assert_false(makes("/CN={account}", "a@B", "", NULL));
	assert_false(makes("/CN={principal}", "a/CN=root", "x", NULL));
	assert_false(makes("/CN={principal}", "a\"b", "x", NULL));
	/* RFC 5280: a common name has 64 characters at most. */
	memset(s64, 'a', 64);
	assert_true(makes("/CN={principal}", s64, "x", NULL));
}

static void
templates_without_a_word_are_refused(void **state)
{
	struct roster_source s = { 0 };
	struct fault f = { 0 };
	char same[] = "/CN=x", odd[] = "/CN={colour}", none[] = "x{principal}";

	(void)state;
	s.subject = same;
	assert_int_equal(roster_subject_prepare(&s, &f), -1);
	s.subject = odd;
	assert_int_equal(roster_subject_prepare(&s, &f), -1);
	s.subject = none;
	assert_int_equal(roster_subject_prepare(&s, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

static void
nobody_claims_what_the_template_makes(void **state)
{
	struct roster_source s = { 0 };
	char template[] = "/DC=org/CN={principal}";
	struct fault f = { 0 };

	(void)state;
	s.subject = template;
	assert_int_equal(roster_subject_prepare(&s, &f), 0);
	assert_true(roster_subject_could(&s, "/DC=org/CN=b@B"));
	assert_true(roster_subject_could(&s, "/dc=ORG/cn=b@B"));
	assert_true(roster_subject_could(&s, "/DC=org/CN=host\\/x"));
	assert_false(roster_subject_could(&s, "/DC=org/CN=b/CN=c"));
	assert_false(roster_subject_could(&s, "/DC=com/CN=b"));
	assert_false(roster_subject_could(&s, "/DC=org/CN="));
	free(s.subject_before);
	free(s.subject_after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_in_every_spelling),
		cmocka_unit_test(prose_is_passed_over),
		cmocka_unit_test(
		    what_could_be_taken_for_something_else_is_refused),
		cmocka_unit_test(a_megabyte_is_not_copied_anywhere),
		cmocka_unit_test(accounts_are_plain),
		cmocka_unit_test(subjects_come_from_the_template),
		cmocka_unit_test(templates_without_a_word_are_refused),
		cmocka_unit_test(nobody_claims_what_the_template_makes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
