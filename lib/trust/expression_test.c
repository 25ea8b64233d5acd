#include "trust/expression.h"

#include "base/fault.h"
#include "base/unit.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = { "", "a", "b", "ab", "aab", "abab", "ba",
	"/o=a/cn=x", "/o=a/cn=xy", "/o=a", "a.b", "a+b", "abc", "aabbcc", "]",
	"-", "a]", "^", "aaaaaaaaaa", "x|y" };
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

/* What the C library says of ${pattern}, matched whole. */
static bool
library(const char *pattern, const char *text)
{
	char whole[256];
	regex_t compiled;
	bool fits;

	(void)snprintf(whole, sizeof(whole), "^(%s)$", pattern);
	if (regcomp(&compiled, whole, REG_EXTENDED | REG_ICASE | REG_NOSUB) !=
	    0)
		fail_msg("%s", pattern);
	fits = regexec(&compiled, text, 0, NULL, 0) == 0;
	regfree(&compiled);
	return fits;
}

static void
it_says_what_the_library_says(void **state)
{
	static const char *const patterns[] = { "a", "A", "a*", "a+", "a?b",
		"(ab)*", "(a|b)*", "(a*)*", "(a*b)+", "a|b|ab", "(a|b)(a|b)?",
		".*", ".", "/O=A/.*", "/O=A(/CN=.*)?", "a[.]b", "a\\.b",
		"a\\+b", "[ab]+", "[^a]", "[]a]+", "[a-c]*", "[a-]", "[^]]",
		"((a|ab)(c|bcd)*)+", "(a?)*b", "()", "a()b", "(a+)+",
		"((a*)+b*)*", "x\\|y", "[\\^]", "(|a)b" };

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct fault f = { 0 };
		OWN_STRUCT(expression) e = expression_new(patterns[i], &f);

		if (e == NULL)
			fail_msg("%s: %s", patterns[i], f.text);
		for (size_t k = 0; k < TEXTS; k++)
			if (expression_fits(e, texts[k]) !=
			    library(patterns[i], texts[k]))
				fail_msg("%s: %s", patterns[i], texts[k]);
	}
}

static void
ends_may_be_marked(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(expression) e = expression_new("^/O=A/.*$", &f);

	(void)state;
	assert_non_null(e);
	assert_true(expression_fits(e, "/o=a/cn=b"));
	assert_false(expression_fits(e, "/o=a"));
}

static void
what_is_none_is_refused(void **state)
{
	static const char *const patterns[] = { "*", "+a", "?", "a**", "a++",
		"a*?", "(", ")", "a)", "(a", "[", "[a", "[b-a]", "a{2}", "{",
		"\\", "\\d", "a^b", "a$b", "(a$)", "[[:alpha:]]", "(*a)",
		"|*" };

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct fault f = { 0 };

		if (expression_new(patterns[i], &f) != NULL)
			fail_msg("%s", patterns[i]);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

static void
long_ones_end(void **state)
{
	char pattern[EXPRESSION_MAX + 2], text[1024];
	struct expression *e;
	struct fault f = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	/* (a?)(a?)...: what other engines take for ever. */
	pattern[0] = '\0';
	for (size_t i = 0; i + 4 < EXPRESSION_MAX; i += 4)
		memcpy(pattern + i, "(a?)", 5);
	assert_non_null(e = expression_new(pattern, &f));
	assert_false(expression_fits(e, text));
	expression_free(e);
	memset(pattern, '(', 100);
	pattern[100] = '\0';
	assert_null(expression_new(pattern, &f));
	memset(pattern, 'a', sizeof(pattern));
	pattern[sizeof(pattern) - 1] = '\0';
	assert_null(expression_new(pattern, &f));
	for (size_t i = 0; i < 200; i++)
		pattern[i] = "a|"[i % 2];
	pattern[200] = '\0';
	assert_null(expression_new(pattern, &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_the_library_says),
		cmocka_unit_test(ends_may_be_marked),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(long_ones_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
