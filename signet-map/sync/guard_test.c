#include "guard.h"

#include "base/unit.h"

static const struct guard_rule rule = { 1000, 20, 5, 3600 };

static void
a_fifth_may_go_at_once_and_no_more(void **state)
{
	struct guard g = { 0, 0 };

	(void)state;
	assert_false(guard_lets(&g, &rule, 201, 1000));
	/* What was refused has not gone. */
	assert_true(guard_lets(&g, &rule, 200, 1000));
	assert_false(guard_lets(&g, &rule, 1, 1000));
	assert_true(guard_lets(&g, &rule, 0, 1000));
}

static void
small_steps_are_one_large_one(void **state)
{
	struct guard g = { 0, 0 };
	size_t gone = 0;

	(void)state;
	for (int64_t now = 1000; now < 1600; now++)
		gone += guard_lets(&g, &rule, 1, now);
	/* A sixth of an hour lets a sixth of the bucket run out. */
	assert_in_range(gone, 200, 200 + 200 / 6 + 1);
}

static void
what_has_gone_is_forgotten_in_time(void **state)
{
	struct guard g = { 0, 0 };

	(void)state;
	assert_true(guard_lets(&g, &rule, 200, 1000));
	assert_false(guard_lets(&g, &rule, 101, 1000 + 1800));
	assert_true(guard_lets(&g, &rule, 100, 1000 + 1800));
	assert_true(guard_lets(&g, &rule, 200, 1000 + 1800 + 3600));
}

static void
few_may_always_go(void **state)
{
	struct guard g = { 0, 0 };
	struct guard_rule small = { 10, 20, 5, 3600 };

	(void)state;
	assert_true(guard_lets(&g, &small, 5, 1000));
	assert_false(guard_lets(&g, &small, 1, 1000));
	small.per_cent = 100;
	assert_true(guard_lets(&g, &small, 10, 1000));
}

static void
a_clock_that_goes_back_lets_nothing_run_out(void **state)
{
	struct guard g = { 0, 0 };

	(void)state;
	assert_true(guard_lets(&g, &rule, 200, 1000000));
	assert_false(guard_lets(&g, &rule, 1, 1000));
	assert_true(guard_level(&g, &rule, 1000) == 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fifth_may_go_at_once_and_no_more),
		cmocka_unit_test(small_steps_are_one_large_one),
		cmocka_unit_test(what_has_gone_is_forgotten_in_time),
		cmocka_unit_test(few_may_always_go),
		cmocka_unit_test(a_clock_that_goes_back_lets_nothing_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
