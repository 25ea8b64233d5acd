#include "signetd/revoked.h"

#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct revoked one = { { 0x12, 0x34 }, 2, 1, 1790000000 };
static const struct revoked two = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
					14, 15, 16, 17, 18, 19, 20 },
	20, 0, 0 };

static void
the_revoked_survive_the_journey(void **state)
{
	OWN_BUF(out, 1000);
	struct revoked r;
	struct wire_in in;

	(void)state;
	revoked_put(&out, &one);
	revoked_put(&out, &two);
	in = (struct wire_in){ .at = out.data, .left = out.len };
	assert_int_equal(revoked_next(&in, &r), 1);
	assert_memory_equal(r.serial, one.serial, 2);
	assert_int_equal(r.serial_len, 2);
	assert_int_equal(r.reason, 1);
	assert_int_equal(r.when, 1790000000);
	assert_int_equal(revoked_next(&in, &r), 1);
	assert_memory_equal(r.serial, two.serial, 20);
	assert_int_equal(revoked_next(&in, &r), 0);
}

/* From memory that ends where the bytes do. */
static int
read_exactly(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct wire_in in = { .at = copy, .left = len };
	struct revoked r;
	int result;

	assert_non_null(copy);
	memcpy(copy, data, len);
	do
		result = revoked_next(&in, &r);
	while (result == 1);
	free(copy);
	return result;
}

static void
a_list_cut_anywhere_but_between_two_is_refused(void **state)
{
	OWN_BUF(out, 1000);
	size_t between;

	(void)state;
	revoked_put(&out, &one);
	between = out.len;
	revoked_put(&out, &two);
	for (size_t cut = 0; cut <= out.len; cut++)
		assert_int_equal(read_exactly(out.data, cut),
		    cut == 0 || cut == between || cut == out.len ? 0 : -1);
}

static void
what_no_crl_may_hold_is_refused(void **state)
{
	static const uint8_t empty[] = { 0, 1, 0, 0, 0, 0, 0, 0, 0, 1 };
	static const uint8_t zero[] = { 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1 };
	static const uint8_t reason[] = { 1, 1, 11, 0, 0, 0, 0, 0, 0, 0, 1 };
	static const uint8_t time[] = { 1, 1, 1, 128, 0, 0, 0, 0, 0, 0, 1 };
	uint8_t longer[40] = { 21, 1 };

	(void)state;
	assert_int_equal(read_exactly(empty, sizeof(empty)), -1);
	assert_int_equal(read_exactly(zero, sizeof(zero)), -1);
	assert_int_equal(read_exactly(reason, sizeof(reason)), -1);
	assert_int_equal(read_exactly(time, sizeof(time)), -1);
	assert_int_equal(read_exactly(longer, 31), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_revoked_survive_the_journey),
		cmocka_unit_test(
		    a_list_cut_anywhere_but_between_two_is_refused),
		cmocka_unit_test(what_no_crl_may_hold_is_refused),
	};

	return cmocka_run_group_tests_name("signetd/revoked", tests, NULL,
	    NULL);
}
