#include "signetd/issuer/ending.h"

#include "base/fault.h"
#include "base/unit.h"
#include "x509/cert.h"

#define DAY 86400
#define NOW 1790000000

static void
the_end_is_told_thirty_days_before(void **state)
{
	static const struct {
		int64_t left; /* seconds */
		bool near;
		int64_t days;
	} cases[] = {
		{ 31 * DAY, false, 0 },
		{ 30 * DAY, false, 0 },
		{ 30 * DAY - 1, true, 29 },
		{ DAY, true, 1 },
		{ DAY - 1, true, 0 },
		{ 0, true, 0 },
		{ -1, true, -1 },
		{ -DAY, true, -1 },
		{ -DAY - 1, true, -2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cert cert = { .not_after = NOW + cases[i].left };
		int64_t days = 0;

		assert_int_equal(ending_near(&cert, NOW, &days), cases[i].near);
		assert_int_equal(days, cases[i].days);
	}
}

static void
it_is_told_once_a_day(void **state)
{
	struct fault f = { 0 };
	struct policy *policy = policy_new(&f);
	struct ending ending = { 0 };

	(void)state;
	assert_non_null(policy);
	ending_look(&ending, policy, 5000, NOW);
	assert_int_equal(ending.next_ms, 5000 + DAY * INT64_C(1000));
	ending_look(&ending, policy, ending.next_ms - 1, NOW);
	assert_int_equal(ending.next_ms, 5000 + DAY * INT64_C(1000));
	ending_look(&ending, policy, ending.next_ms, NOW);
	assert_int_equal(ending.next_ms, 5000 + 2 * DAY * INT64_C(1000));
	policy_free(policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_is_told_thirty_days_before),
		cmocka_unit_test(it_is_told_once_a_day),
	};

	return cmocka_run_group_tests_name("issuer/ending", tests, NULL, NULL);
}
