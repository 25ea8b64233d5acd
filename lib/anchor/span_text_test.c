#include "anchor/span_text.h"

#include "base/unit.h"

static void
spans_have_their_two_largest_units(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "0 seconds" },
		{ 1, "1 second" },
		{ 60, "1 minute" },
		{ 3661, "1 hour 1 minute" },
		{ 2 * 86400 + 3600, "2 days 1 hour" },
		{ 86400 * 800, "2 years 70 days" },
		{ -5, "0 seconds" },
	};
	char text[SPAN_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		span_text(cases[i].seconds, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void
moments_lie_before_or_after_now(void **state)
{
	char text[MOMENT_TEXT_SIZE];

	(void)state;
	moment_text(86400, 0, text);
	assert_string_equal(text, "1970-01-02 00:00:00 UTC (1 day from now)");
	/* Past 2038. */
	moment_text((time_t)2500000000, (time_t)2500000060, text);
	assert_string_equal(text, "2049-03-22 04:26:40 UTC (1 minute ago)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_have_their_two_largest_units),
		cmocka_unit_test(moments_lie_before_or_after_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
