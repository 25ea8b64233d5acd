#include "own_entry.h"

#include "base/buf.h"
#include "base/unit.h"

#include <string.h>

static void
a_filter_holds_a_value_as_it_is(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "ann.lee@LIGO.ORG", "ann.lee@LIGO.ORG" },
		{ "a*)(uid=*", "a\\2a\\29\\28uid\\3d\\2a" },
		{ "a\\b c", "a\\5cb\\20c" },
		{ "\xc3\xa9", "\\c3\\a9" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		OWN_BUF(filter, 256);

		own_entry_escape(&filter, cases[i].text, strlen(cases[i].text));
		assert_string_equal(buf_cstr(&filter), cases[i].wanted);
	}
}

static void
a_nul_ends_nothing(void **state)
{
	OWN_BUF(filter, 256);

	(void)state;
	own_entry_escape(&filter, "a\0b", 3);
	assert_string_equal(buf_cstr(&filter), "a\\00b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_holds_a_value_as_it_is),
		cmocka_unit_test(a_nul_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
