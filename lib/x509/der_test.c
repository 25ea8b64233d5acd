#include "x509/der.h"

#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

/* A reader of a copy that ends where the data does, so that ASan sees a slip.
 */
static struct der_in
exactly(const void *data, size_t len, uint8_t **copy)
{
	*copy = malloc(len > 0 ? len : 1);
	assert_non_null(*copy);
	if (len > 0)
		memcpy(*copy, data, len);
	return DER_IN(*copy, len);
}

static bool
reads_as(const void *data, size_t len, uint8_t tag)
{
	uint8_t *copy;
	struct der_in in = exactly(data, len, &copy);
	bool good;

	(void)der_get(&in, tag);
	good = der_ended(&in);
	free(copy);
	return good;
}

static void
only_minimal_definite_lengths_are_read(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		bool good;
	} cases[] = {
		{ "\x04\x01x", 3, true }, { "\x04\x00", 2, true },
		{ "\x04\x81\x01x", 4, false },		       /* not minimal */
		{ "\x04\x82\x00\x80", 4, false },	       /* not minimal */
		{ "\x04\x80x\x00\x00", 5, false },	       /* indefinite */
		{ "\x04\x02x", 3, false },		       /* cut */
		{ "\x04\x01xy", 4, false },		       /* left over */
		{ "\x04", 1, false },			       /* no length */
		{ "", 0, false },			       /* nothing */
		{ "\x04\x85\x00\x00\x00\x00\x01x", 8, false }, /* huge */
		{ "\x04\x84\xff\xff\xff\xff", 6, false },      /* past end */
		{ "\x04\xff", 2, false },		       /* reserved */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(reads_as(cases[i].data, cases[i].len,
				     DER_OCTET_STRING),
		    cases[i].good);
}

static void
high_tags_end_marks_and_other_tags_are_refused(void **state)
{
	(void)state;
	assert_false(reads_as("\x1f\x04\x00", 3, 0x1f));
	assert_false(reads_as("\xbf\x1f\x00", 3, 0));
	assert_false(reads_as("\x00\x00", 2, 0));
	assert_false(reads_as("\x04\x00", 2, DER_SEQUENCE));
	assert_true(reads_as("\x04\x00", 2, 0));
}

static void
a_reader_that_failed_stays_failed(void **state)
{
	static const uint8_t data[] = "\x04\x01x\x04\x01y";
	struct der_in in = DER_IN(data, 6);
	struct der_in inner;

	(void)state;
	assert_int_equal(der_get(&in, DER_SEQUENCE).len, 0);
	assert_int_equal(der_get(&in, DER_OCTET_STRING).len, 0);
	assert_int_equal(der_peek(&in), 0);
	assert_false(der_maybe(&in, DER_OCTET_STRING, &inner));
	assert_true(inner.failed);
	assert_true(der_enter(&in, DER_OCTET_STRING).failed);
	assert_false(der_ended(&in));
}

static void
an_optional_element_is_entered_only_if_it_is_there(void **state)
{
	static const uint8_t data[] = "\x30\x03\x04\x01x\x05\x00";
	struct der_in in = DER_IN(data, 7);
	struct der_in inner;

	(void)state;
	assert_false(der_maybe(&in, DER_SET, &inner));
	assert_false(inner.failed);
	assert_int_equal(inner.left, 0);
	assert_true(der_maybe(&in, DER_SEQUENCE, &inner));
	assert_int_equal(der_get(&inner, DER_OCTET_STRING).data[0], 'x');
	assert_true(der_ended(&inner));
	assert_int_equal(der_get_whole(&in, DER_NULL).len, 2);
	assert_true(der_ended(&in));
}

static bool
flags_read(const char *data, size_t len, uint32_t *flags)
{
	uint8_t *copy;
	struct der_in in = exactly(data, len, &copy);
	bool good;

	*flags = der_get_flags(&in);
	good = der_ended(&in);
	free(copy);
	return good;
}

static void
named_bits_have_one_form(void **state)
{
	uint32_t flags;

	(void)state;
	assert_true(flags_read("\x03\x02\x01\x06", 4, &flags));
	assert_int_equal(flags, 0x60);
	assert_true(flags_read("\x03\x03\x07\x00\x80", 5, &flags));
	assert_int_equal(flags, 0x100);
	assert_true(flags_read("\x03\x01\x00", 3, &flags));
	assert_int_equal(flags, 0);
	/* a trailing zero bit, padding that is not zero, padding of nothing */
	assert_false(flags_read("\x03\x02\x00\x06", 4, &flags));
	assert_false(flags_read("\x03\x02\x02\x06", 4, &flags));
	assert_false(flags_read("\x03\x01\x01", 3, &flags));
	assert_false(flags_read("\x03\x02\x08\x00", 4, &flags));
	assert_false(flags_read("\x03\x00", 2, &flags));
	assert_false(flags_read("\x03\x06\x00\xff\xff\xff\xff\xff", 8, &flags));
}

static void
flags_survive_the_journey(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 32; shift++) {
		OWN_BUF(out, 64);
		uint32_t flags = UINT32_C(0x80000421) >> shift, again;

		der_put_flags(&out, flags);
		assert_false(out.failed);
		assert_true(flags_read((const char *)out.data, out.len,
		    &again));
		assert_int_equal(again, flags);
	}
}

static void
numbers_survive_the_journey_in_the_fewest_octets(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 127, 128, 255, 256, 32767,
		32768, 65537, UINT64_C(0x7fffffffffffffff),
		UINT64_C(0x8000000000000000), UINT64_MAX };
	static const size_t sizes[] = { 3, 3, 3, 4, 4, 4, 4, 5, 5, 10, 11, 11 };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		OWN_BUF(out, 64);
		struct der_in in;

		der_put_u64(&out, numbers[i]);
		assert_int_equal(out.len, sizes[i]);
		in = DER_IN(out.data, out.len);
		assert_true(der_get_u64(&in) == numbers[i]);
		assert_true(der_ended(&in));
	}
}

static void
numbers_that_are_negative_padded_or_too_large_are_refused(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} bad[] = {
		{ "\x02\x01\x80", 3 },
		{ "\x02\x02\x00\x7f", 4 },
		{ "\x02\x00", 2 },
		{ "\x02\x09\x01\0\0\0\0\0\0\0\0", 11 },
		{ "\x02\x0a\x00\x80\0\0\0\0\0\0\0\0", 12 },
	};
	static const uint8_t zero[] = "\x02\x01\x00";
	struct der_in in;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t *copy;

		in = exactly(bad[i].data, bad[i].len, &copy);
		assert_int_equal(der_get_u64(&in), 0);
		assert_true(in.failed);
		free(copy);
	}
	in = DER_IN(zero, 3);
	assert_int_equal(der_get_unsigned(&in).len, 0);
	assert_true(der_ended(&in));
	in = DER_IN(zero, 3);
	(void)der_get_positive(&in);
	assert_true(in.failed);
}

static void
a_magnitude_loses_leading_zeroes_and_gains_one_when_needed(void **state)
{
	OWN_BUF(out, 64);
	struct der_in in;
	struct wire_bytes n;

	(void)state;
	der_put_positive(&out, "\0\0\x81\x02", 4);
	assert_int_equal(out.len, 5);
	assert_memory_equal(out.data, "\x02\x03\x00\x81\x02", 5);
	in = DER_IN(out.data, out.len);
	n = der_get_positive(&in);
	assert_int_equal(n.len, 2);
	assert_memory_equal(n.data, "\x81\x02", 2);
}

static void
a_boolean_is_all_ones_or_all_zeroes(void **state)
{
	OWN_BUF(out, 64);
	struct der_in in;

	(void)state;
	der_put_bool(&out, true);
	der_put_bool(&out, false);
	in = DER_IN(out.data, out.len);
	assert_true(der_get_bool(&in));
	assert_false(der_get_bool(&in));
	assert_true(der_ended(&in));
	in = DER_IN((const uint8_t *)"\x01\x01\x01", 3);
	assert_false(der_get_bool(&in));
	assert_true(in.failed);
	in = DER_IN((const uint8_t *)"\x01\x02\xff\xff", 4);
	assert_false(der_get_bool(&in));
	assert_true(in.failed);
}

static void
a_bit_string_of_octets_has_no_padding(void **state)
{
	OWN_BUF(out, 64);
	struct der_in in;

	(void)state;
	der_put_bits(&out, "ab", 2);
	assert_memory_equal(out.data,
	    "\x03\x03\x00"
	    "ab",
	    5);
	in = DER_IN(out.data, out.len);
	assert_int_equal(der_get_bits(&in).len, 2);
	assert_true(der_ended(&in));
	out.data[2] = 1;
	in = DER_IN(out.data, out.len);
	assert_int_equal(der_get_bits(&in).len, 0);
	assert_true(in.failed);
}

static void
elements_of_every_length_close(void **state)
{
	static const size_t sizes[] = { 0, 1, 127, 128, 255, 256, 65535,
		65536 };
	static uint8_t filler[65536];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		OWN_BUF(out, 70000);
		struct der_in in, inner;
		size_t outer = der_open(&out, DER_SEQUENCE);

		der_put(&out, DER_OCTET_STRING, filler, sizes[i]);
		der_put(&out, DER_NULL, NULL, 0);
		der_close(&out, outer);
		assert_false(out.failed);
		in = DER_IN(out.data, out.len);
		inner = der_enter(&in, DER_SEQUENCE);
		assert_int_equal(der_get(&inner, DER_OCTET_STRING).len,
		    sizes[i]);
		assert_int_equal(der_get(&inner, DER_NULL).len, 0);
		assert_true(der_ended(&inner) && der_ended(&in));
	}
}

static void
a_full_buffer_fails_and_is_not_overrun(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 131; limit++) {
		OWN_BUF(out, limit);
		size_t mark = der_open(&out, DER_SEQUENCE);

		for (int i = 0; i < 64; i++)
			der_put(&out, DER_NULL, NULL, 0);
		der_close(&out, mark);
		assert_true(out.failed);
	}
}

static void
bytes_are_equal_only_when_they_are(void **state)
{
	struct wire_bytes a = { (const uint8_t *)"ab", 2 };
	struct wire_bytes b = { (const uint8_t *)"ac", 2 };
	struct wire_bytes none = { NULL, 0 };

	(void)state;
	assert_true(der_bytes_equal(a, a));
	assert_false(der_bytes_equal(a, b));
	assert_false(der_bytes_equal(a, none));
	assert_true(der_bytes_equal(none, none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_minimal_definite_lengths_are_read),
		cmocka_unit_test(
		    high_tags_end_marks_and_other_tags_are_refused),
		cmocka_unit_test(a_reader_that_failed_stays_failed),
		cmocka_unit_test(
		    an_optional_element_is_entered_only_if_it_is_there),
		cmocka_unit_test(named_bits_have_one_form),
		cmocka_unit_test(flags_survive_the_journey),
		cmocka_unit_test(
		    numbers_survive_the_journey_in_the_fewest_octets),
		cmocka_unit_test(
		    numbers_that_are_negative_padded_or_too_large_are_refused),
		cmocka_unit_test(
		    a_magnitude_loses_leading_zeroes_and_gains_one_when_needed),
		cmocka_unit_test(a_boolean_is_all_ones_or_all_zeroes),
		cmocka_unit_test(a_bit_string_of_octets_has_no_padding),
		cmocka_unit_test(elements_of_every_length_close),
		cmocka_unit_test(a_full_buffer_fails_and_is_not_overrun),
		cmocka_unit_test(bytes_are_equal_only_when_they_are),
	};

	return cmocka_run_group_tests_name("x509/der", tests, NULL, NULL);
}
