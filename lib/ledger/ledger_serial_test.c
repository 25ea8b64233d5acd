#include "ledger/ledger_book.h"
#include "ledger/ledger_unit.h"

static int
pad(const uint8_t *data, size_t len, uint8_t padded[LEDGER_SERIAL_SIZE])
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct fault f = { 0 };
	int result;

	assert_non_null(copy);
	memcpy(copy, data, len);
	result =
	    ledger_serial_pad((struct wire_bytes){ copy, len }, padded, &f);
	free(copy);
	return result;
}

static void
equal_numbers_are_equal_octets(void **state)
{
	static const uint8_t plain[] = { 1, 2 }, zeroes[25] = { [23] = 1, 2 };
	uint8_t a[LEDGER_SERIAL_SIZE], b[LEDGER_SERIAL_SIZE];

	(void)state;
	assert_int_equal(pad(plain, sizeof(plain), a), 0);
	assert_int_equal(pad(zeroes, sizeof(zeroes), b), 0);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(a[18], 1);
	assert_int_equal(a[19], 2);
	for (int i = 0; i < 18; i++)
		assert_int_equal(a[i], 0);
}

static void
what_no_certificate_may_have_is_refused(void **state)
{
	static const uint8_t zero[3] = { 0 };
	uint8_t longest[21], padded[LEDGER_SERIAL_SIZE];

	(void)state;
	memset(longest, 0xff, sizeof(longest));
	assert_int_equal(pad(zero, 0, padded), -1);
	assert_int_equal(pad(zero, 3, padded), -1);
	assert_int_equal(pad(longest, 21, padded), -1);
	assert_int_equal(pad(longest, 20, padded), 0);
}

static void
the_serial_of_a_certificate_cut_anywhere_is_never_wrong(void **state)
{
	static const struct serial serial = { { 0x81, 2, 3 }, 3 };
	OWN_BUF(der, 256);

	(void)state;
	put_der(&der, bytes(&serial), 5);
	for (size_t len = 0; len <= der.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		struct wire_bytes found;

		assert_non_null(copy);
		memcpy(copy, der.data, len);
		found = ledger_der_serial((struct wire_bytes){ copy, len });
		assert_int_equal(found.len, len == der.len ? 3 : 0);
		if (found.len > 0)
			assert_memory_equal(found.data, serial.data, 3);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_numbers_are_equal_octets),
		cmocka_unit_test(what_no_certificate_may_have_is_refused),
		cmocka_unit_test(
		    the_serial_of_a_certificate_cut_anywhere_is_never_wrong),
	};

	return cmocka_run_group_tests_name("ledger/ledger_serial", tests, NULL,
	    NULL);
}
