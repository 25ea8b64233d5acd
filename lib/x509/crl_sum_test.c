#include "x509/crl_sum.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

struct one {
	const char *serial;
	int reason;
	int64_t when;
};

static void
add(struct crl_sum *s, const struct one *one)
{
	crl_sum_add(s,
	    (struct wire_bytes){
		(const uint8_t *)one->serial, strlen(one->serial) },
	    one->reason, one->when);
}

static void
the_same_in_another_order_is_the_same(void **state)
{
	static const struct one list[] = { { "\x01", 0, 7 },
		{ "\x01\x02", 1, 7 }, { "\x02", 6, 8 } };
	struct fault f = { 0 };
	OWN_STRUCT(crl_sum) s = crl_sum_new(&f);

	(void)state;
	assert_non_null(s);
	assert_true(crl_sum_even(s));
	for (size_t i = 0; i < 3; i++)
		add(s, &list[i]);
	assert_false(crl_sum_even(s));
	for (size_t i = 3; i-- > 0;)
		add(s, &list[i]);
	assert_true(crl_sum_even(s));
}

static void
each_difference_is_seen(void **state)
{
	static const struct one was = { "\x01\x02", 1, 7 };
	static const struct one others[] = { { "\x01\x03", 1, 7 },
		{ "\x01", 1, 7 }, { "\x01\x02\x01", 1, 7 },
		{ "\x01\x02", 0, 7 }, { "\x01\x02", 1, 8 } };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct fault f = { 0 };
		OWN_STRUCT(crl_sum) s = crl_sum_new(&f);

		assert_non_null(s);
		add(s, &was);
		add(s, &others[i]);
		assert_false(crl_sum_even(s));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_in_another_order_is_the_same),
		cmocka_unit_test(each_difference_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
