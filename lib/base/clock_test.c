#include "base/clock.h"

#include "base/unit.h"

#include <stdlib.h>

static void
a_time_is_written_in_utc(void **state)
{
	static const struct {
		time_t when;
		const char *text;
	} times[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 951782399, "2000-02-28T23:59:59Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 1795321680, "2026-11-22T04:28:00Z" },
		{ 2147483648, "2038-01-19T03:14:08Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ INT64_MAX, "" },
	};
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
	tzset();
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		clock_text(times[i].when, text);
		assert_string_equal(text, times[i].text);
	}
}

static void
the_monotonic_clock_counts_milliseconds(void **state)
{
	const struct timespec wait = { 0, 20000000 };
	int64_t before = clock_mono(), passed;

	(void)state;
	assert_int_equal(nanosleep(&wait, NULL), 0);
	passed = clock_mono() - before;
	assert_true(passed >= 19 && passed < 10000);
}

static void
the_wall_clock_is_the_system_s(void **state)
{
	time_t before = time(NULL), now = clock_wall();

	(void)state;
	assert_true(now >= before && now <= before + 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_written_in_utc),
		cmocka_unit_test(the_monotonic_clock_counts_milliseconds),
		cmocka_unit_test(the_wall_clock_is_the_system_s),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
