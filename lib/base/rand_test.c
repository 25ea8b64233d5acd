#include "base/rand.h"

#include "base/unit.h"

#include <stdint.h>
#include <string.h>

static void
every_byte_is_filled_and_none_beyond(void **state)
{
	uint8_t bytes[64];
	uint8_t seen[62];

	(void)state;
	memset(seen, 0, sizeof(seen));
	/* A byte that is zero in twenty draws has not been drawn. */
	for (int draw = 0; draw < 20; draw++) {
		memset(bytes, 0, sizeof(bytes));
		rand_bytes(bytes + 1, sizeof(seen));
		assert_int_equal(bytes[0], 0);
		assert_int_equal(bytes[63], 0);
		for (size_t i = 0; i < sizeof(seen); i++)
			seen[i] |= bytes[i + 1];
	}
	for (size_t i = 0; i < sizeof(seen); i++)
		assert_int_not_equal(seen[i], 0);
	rand_bytes(NULL, 0);
}

static void
a_reference_is_twelve_digits_and_never_the_same(void **state)
{
	char refs[200][RAND_REF_SIZE];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		rand_ref(refs[i]);
		assert_int_equal(strlen(refs[i]), 12);
		assert_int_equal(strspn(refs[i], "0123456789abcdef"), 12);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(refs[i], refs[j]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_filled_and_none_beyond),
		cmocka_unit_test(
		    a_reference_is_twelve_digits_and_never_the_same),
	};

	return cmocka_run_group_tests_name("base/rand", tests, NULL, NULL);
}
