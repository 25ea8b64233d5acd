#include "base/unit.h"
#include "x509/der.h"
#include "x509/own_ssl.h"

#include <openssl/asn1.h>

#include <stdlib.h>
#include <string.h>

/* Read ${text} as a time from memory of exactly its size. */
static bool
time_reads(uint8_t tag, const char *text, time_t *when)
{
	OWN_BUF(der, 64);
	struct der_in in;
	uint8_t *copy;
	bool good;

	der_put(&der, tag, text, strlen(text));
	assert_non_null(copy = malloc(der.len));
	memcpy(copy, der.data, der.len);
	in = DER_IN(copy, der.len);
	*when = der_get_time(&in);
	good = der_ended(&in);
	free(copy);
	return good;
}

static void
times_are_read_in_the_one_form_of_rfc_5280(void **state)
{
	time_t when;

	(void)state;
	assert_true(time_reads(DER_UTCTIME, "700101000000Z", &when));
	assert_int_equal(when, 0);
	assert_true(time_reads(DER_UTCTIME, "500101000000Z", &when));
	assert_int_equal(when, -631152000);
	assert_true(time_reads(DER_UTCTIME, "491231235959Z", &when));
	assert_int_equal(when, 2524607999);
	assert_true(time_reads(DER_GENTIME, "20500101000000Z", &when));
	assert_int_equal(when, 2524608000);
	assert_true(time_reads(DER_GENTIME, "99991231235959Z", &when));
	assert_int_equal(when, 253402300799);
	assert_true(time_reads(DER_UTCTIME, "240229000000Z", &when));
	assert_int_equal(when, 1709164800);
}

static void
moments_that_never_were_and_other_forms_are_refused(void **state)
{
	static const char *const utc[] = { "260229000000Z", "261301000000Z",
		"260001000000Z", "260100000000Z", "260132000000Z",
		"260101240000Z", "260101006000Z", "260101000060Z",
		"2601010000Z", "260101000000", "260101000000+0000",
		"260101000000z", "26010100000 Z", "-60101000000Z", "",
		"20500101000000Z" };
	static const char *const gen[] = { "20491231235959Z",
		"20500101000000.5Z", "205001010000Z", "21000229000000Z",
		"20500101000000", "500101000000Z" };
	time_t when;

	(void)state;
	for (size_t i = 0; i < sizeof(utc) / sizeof(utc[0]); i++)
		assert_false(time_reads(DER_UTCTIME, utc[i], &when));
	for (size_t i = 0; i < sizeof(gen) / sizeof(gen[0]); i++)
		assert_false(time_reads(DER_GENTIME, gen[i], &when));
}

static void
times_are_written_as_openssl_writes_them_and_read_back(void **state)
{
	static const time_t first = -631152000, last = 253402300799;

	(void)state;
	for (time_t when = first; when <= last; when += 86400 * 97 + 12347) {
		OWN_BUF(der, 64);
		OWN(ASN1_TIME) oracle = ASN1_TIME_set(NULL, when);
		struct der_in in;

		assert_non_null(oracle);
		der_put_time(&der, when);
		assert_int_equal(der.data[0], ASN1_STRING_type(oracle));
		assert_int_equal(der.data[1], ASN1_STRING_length(oracle));
		assert_memory_equal(der.data + 2, ASN1_STRING_get0_data(oracle),
		    der.data[1]);
		in = DER_IN(der.data, der.len);
		assert_int_equal(der_get_time(&in), when);
		assert_true(der_ended(&in));
	}
}

static void
a_time_that_no_certificate_can_state_fails(void **state)
{
	static const time_t out_of_range[] = { -631152001, 253402300800,
		INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		OWN_BUF(der, 64);

		der_put_time(&der, out_of_range[i]);
		assert_true(der.failed);
	}
}

static void
identifiers_are_written_as_openssl_writes_them_and_read_back(void **state)
{
	static const char *const oids[] = { "2.5.4.3", "1.2.840.113549.1.1.11",
		"1.3.6.1.5.5.7.1.14", "0.9.2342.19200300.100.1.25", "0.0",
		"1.39", "2.40", "2.999.1", "2.25.18446744073709551615",
		"1.3.6.1.4.1.3536.1.222", "2.18446744073709551535.0" };

	(void)state;
	for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
		OWN_BUF(der, 64);
		OWN(ASN1_OBJECT) oracle = OBJ_txt2obj(oids[i], 1);
		char text[64];
		struct wire_bytes oid;

		der_put_oid(&der, oids[i]);
		assert_false(der.failed);
		assert_non_null(oracle);
		oid.data = der.data + 2;
		oid.len = der.len - 2;
		assert_int_equal(oid.len, OBJ_length(oracle));
		assert_memory_equal(oid.data, OBJ_get0_data(oracle), oid.len);
		assert_int_equal(der_oid_text(oid, text, sizeof(text)), 0);
		assert_string_equal(text, oids[i]);
		assert_int_equal(der_oid_text(oid, text, strlen(oids[i])), -1);
		assert_string_equal(text, "");
	}
}

static bool
oid_is_read(const char *data, size_t len)
{
	OWN_BUF(der, 64);
	struct der_in in;
	struct wire_bytes oid;

	der_put(&der, DER_OID, data, len);
	in = DER_IN(der.data, der.len);
	oid = der_get_oid(&in);
	if (in.failed)
		assert_int_equal(oid.len, 0);
	return der_ended(&in) && oid.len == len;
}

static void
malformed_identifiers_fail(void **state)
{
	static const char *const bad[] = { "", "1", "1.", "3.1", "1.40", "1..2",
		".1", "1.2.", "1.02", "1.2.a", "1.2 ", "-1.2",
		"2.25.18446744073709551616", "2.18446744073709551536" };
	static const struct {
		const char *data;
		size_t len;
	} cut[] = {
		{ "", 0 },
		{ "\x80\x01", 2 },
		{ "\x2a\x80\x01", 3 },
		{ "\x2a\x86", 2 },
		{ "\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 12 },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWN_BUF(der, 64);

		der_put_oid(&der, bad[i]);
		assert_true(der.failed);
	}
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		uint8_t *copy = malloc(cut[i].len > 0 ? cut[i].len : 1);

		assert_non_null(copy);
		memcpy(copy, cut[i].data, cut[i].len);
		assert_int_equal(der_oid_text((struct wire_bytes){ copy,
						  cut[i].len },
				     text, sizeof(text)),
		    -1);
		free(copy);
		/* The last one is too long to show, and well formed. */
		assert_int_equal(oid_is_read(cut[i].data, cut[i].len),
		    i + 1 == sizeof(cut) / sizeof(cut[0]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_in_the_one_form_of_rfc_5280),
		cmocka_unit_test(
		    moments_that_never_were_and_other_forms_are_refused),
		cmocka_unit_test(
		    times_are_written_as_openssl_writes_them_and_read_back),
		cmocka_unit_test(a_time_that_no_certificate_can_state_fails),
		cmocka_unit_test(
		    identifiers_are_written_as_openssl_writes_them_and_read_back),
		cmocka_unit_test(malformed_identifiers_fail),
	};

	return cmocka_run_group_tests_name("x509/der_value", tests, NULL, NULL);
}
