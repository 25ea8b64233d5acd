#include "trust/sigmatch.h"

#include "base/unit.h"

#include <string.h>

static void
expect(const char *in, const char *want)
{
	char out[200];

	assert_true(sigmatch_fold(in, out, sizeof(out)));
	assert_string_equal(out, want);
	/* Folding what is folded changes nothing. */
	assert_true(sigmatch_fold(want, out, sizeof(out)));
	assert_string_equal(out, want);
}

static void
spellings_of_one_name_fold_to_one_text(void **state)
{
	(void)state;
	expect("/DC=Org/CN=Alice Example", "/dc=org/cn=alice example");
	expect("/O=A/USERID=u/Email=E@a", "/o=a/uid=u/emailaddress=e@a");
	expect("/0.9.2342.19200300.100.1.1=u/E=e", "/uid=u/emailaddress=e");
	expect("/CN=host\\/a\\+b", "/cn=host/a+b");
	expect("/CN=host\\\\/a", "/cn=host/a");
	expect("/CN=\\xC3\\xBC", "/cn=\\xc3\\xbc");
	expect("/CN=EMAIL=x", "/cn=email=x");
	expect("", "");
}

static void
what_does_not_fit_is_no_name(void **state)
{
	char out[8];

	(void)state;
	assert_true(sigmatch_fold("1234567", out, sizeof(out)));
	assert_false(sigmatch_fold("12345678", out, sizeof(out)));
	assert_false(sigmatch_fold("/E=", out, sizeof(out)));
}

static void
patterns_match_whole_texts(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = { { "abc", "abc", true }, { "abc", "abcd", false },
		{ "abc", "ab", false }, { "a*", "ab", true },
		{ "a*", "abcdef", true }, { "a*", "a", false },
		{ "*", "a", true }, { "*", "", false }, { "", "", true },
		{ "", "a", false }, { "a?c", "abc", true },
		{ "a?c", "ac", false }, { "*c", "abcabc", true },
		{ "*c", "c", false }, { "a*b*c", "a1b2c", true },
		{ "a*b*c", "abbc", false }, { "a*b*c", "abc", false },
		{ "a*b*c", "axbxd", false }, { "a*bc", "abcbc", true },
		{ "**", "a", false }, { "**", "ab", true },
		{ "a*", "a*", true }, { "a?", "a?", true } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (sigmatch_pattern(cases[i].pattern, cases[i].text) !=
		    cases[i].match)
			fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_of_one_name_fold_to_one_text),
		cmocka_unit_test(what_does_not_fit_is_no_name),
		cmocka_unit_test(patterns_match_whole_texts),
	};

	return cmocka_run_group_tests_name("trust/sigmatch", tests, NULL, NULL);
}
