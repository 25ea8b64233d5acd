#include "x509/dn.h"

#include "base/fault.h"
#include "base/unit.h"
#include "x509/own_ssl.h"

#include <stdlib.h>
#include <string.h>

/* dn_read_der from memory of exactly the right size. */
static int
read_exactly(struct dn *dn, const void *der, size_t len, struct fault *f)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, der, len);
	result = dn_read_der(dn, (struct wire_bytes){ copy, len }, f);
	free(copy);
	return result;
}

static struct dn
name(const char *slash)
{
	struct fault f = { 0 };
	struct dn dn;

	if (dn_read_slash(&dn, slash, &f) < 0)
		fail_msg("%s: %s", slash, f.text);
	return dn;
}

/* One AttributeTypeAndValue, into ${out}. */
static void
put_ava(struct buf *out, const char *oid, uint8_t tag, const char *value,
    size_t len)
{
	size_t one = der_open(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	der_put(out, tag, value, len);
	der_close(out, one);
}

/* A name of one attribute, from its DER. */
static int
read_one(struct dn *dn, uint8_t tag, const char *value, size_t len)
{
	struct fault f = { 0 };
	OWN_BUF(der, 4096);
	size_t names = der_open(&der, DER_SEQUENCE);
	size_t set = der_open(&der, DER_SET);

	put_ava(&der, "2.5.4.3", tag, value, len);
	der_close(&der, set);
	der_close(&der, names);
	assert_false(der.failed);
	return read_exactly(dn, der.data, der.len, &f);
}

static void
malformed_names_are_refused(void **state)
{
	static const struct {
		const char *der;
		size_t len;
	} bad[] = {
		{ "", 0 },
		{ "\x31\x00", 2 },		   /* no SEQUENCE */
		{ "\x30\x02\x31\x00", 4 },	   /* RDN of nothing */
		{ "\x30\x04\x31\x02\x30\x00", 6 }, /* no attribute */
		{ "\x30\x00\x00", 3 },		   /* left over */
		{ "\x30\x0a\x31\x08\x30\x06\x06\x01\x2a\x0c\x01", 11 },
		{ "\x30\x0b\x31\x09\x30\x07\x06\x01\x80\x0c\x02xy", 13 },
		{ "\x30\x0c\x31\x0a\x30\x08\x06\x01\x2a\x0c\x01x\x05\x00", 14 },
		{ "\x30\x0a\x31\x08\x30\x06\x06\x01\x2a\x05\x01x", 12 },
		{ "\x30\x0a\x31\x08\x30\x06\x06\x01\x2a\x2c\x01x", 12 },
	};
	static const char good[] =
	    "\x30\x0a\x31\x08\x30\x06\x06\x01\x2a\x0c\x01x";
	struct fault f = { 0 };
	struct dn dn;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_exactly(&dn, bad[i].der, bad[i].len, &f),
		    -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
	assert_int_equal(read_exactly(&dn, good, sizeof(good) - 1, &f), 0);
	for (size_t cut = 0; cut < sizeof(good) - 1; cut++)
		assert_int_equal(read_exactly(&dn, good, cut, &f), -1);
}

static void
values_of_every_string_type_are_kept_and_bad_ones_refused(void **state)
{
	struct dn dn;

	(void)state;
	assert_int_equal(read_one(&dn, DER_UTF8, "\xc3\xa9", 2), 0);
	assert_int_equal(read_one(&dn, DER_T61, "\xe9", 1), 0);
	assert_int_equal(read_one(&dn, DER_BMP, "\x01\x41", 2), 0);
	assert_int_equal(read_one(&dn, DER_UNIVERSAL, "\0\x01\xf6\0", 4), 0);
	assert_int_equal(read_one(&dn, DER_NUMERIC, "12", 2), 0);
	assert_int_equal(read_one(&dn, DER_VISIBLE, "a", 1), -1);
	assert_int_equal(read_one(&dn, DER_IA5, "a@b", 3), 0);
	assert_int_equal(read_one(&dn, DER_PRINTABLE, "a_b@c", 5), 0);

	assert_int_equal(read_one(&dn, DER_UTF8, "\xc3", 1), -1);
	assert_int_equal(read_one(&dn, DER_UTF8, "a\0b", 3), -1);
	assert_int_equal(read_one(&dn, DER_UTF8, "", 0), -1);
	assert_int_equal(read_one(&dn, DER_IA5, "a\nb", 3), -1);
	assert_int_equal(read_one(&dn, DER_IA5, "\xe9", 1), -1);
	assert_int_equal(read_one(&dn, DER_T61, "a\x7f", 2), -1);
	assert_int_equal(read_one(&dn, DER_BMP, "\x01\x41\x01", 3), -1);
	assert_int_equal(read_one(&dn, DER_BMP, "\xd8\x00", 2), -1);
	assert_int_equal(read_one(&dn, DER_BMP, "\0\0", 2), -1);
	assert_int_equal(read_one(&dn, DER_UNIVERSAL, "\0\x11\0\0", 4), -1);
	assert_int_equal(read_one(&dn, DER_OCTET_STRING, "a", 1), -1);
}

static void
a_name_too_long_to_hold_is_refused(void **state)
{
	char value[DN_MAX + 1];
	struct dn dn;

	(void)state;
	memset(value, 'a', sizeof(value));
	assert_int_equal(read_one(&dn, DER_UTF8, value, DN_MAX - 21), 0);
	assert_int_equal(dn.len, DN_MAX);
	assert_int_equal(read_one(&dn, DER_UTF8, value, DN_MAX - 20), -1);
}

static void
attributes_of_one_rdn_are_sorted_and_differ(void **state)
{
	static const char *const orders[][2] = { { "2.5.4.3", "2.5.4.10" },
		{ "2.5.4.10", "2.5.4.3" }, { "2.5.4.3", "2.5.4.3" } };
	struct fault f = { 0 };
	struct dn dn;

	(void)state;
	for (int i = 0; i < 3; i++) {
		OWN_BUF(der, 512);
		size_t names = der_open(&der, DER_SEQUENCE);
		size_t set = der_open(&der, DER_SET);

		put_ava(&der, orders[i][0], DER_UTF8, "a", 1);
		put_ava(&der, orders[i][1], DER_UTF8, "a", 1);
		der_close(&der, set);
		der_close(&der, names);
		assert_int_equal(read_exactly(&dn, der.data, der.len, &f),
		    i == 0 ? 0 : -1);
	}
}

static void
the_name_of_no_rdn_has_nothing_below(void **state)
{
	struct fault f = { 0 };
	struct dn dn, other = name("/O=a");
	char text[4];

	(void)state;
	assert_int_equal(read_exactly(&dn, "\x30\x00", 2, &f), 0);
	assert_int_equal(dn_depth(&dn), 0);
	assert_false(dn_parent(&dn, &other));
	assert_false(dn_under(&other, &dn));
	assert_int_equal(dn_show_slash(&dn, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	memset(&dn, 0, sizeof(dn));
	assert_false(dn_under(&other, &dn));
	assert_false(dn_under(&dn, &other));
}

static void
a_name_space_holds_what_is_below_and_not_itself(void **state)
{
	struct dn base = name("/DC=org/DC=ligo/OU=People");
	struct dn below = name("/DC=org/DC=ligo/OU=People/CN=a");
	struct dn deeper = name("/DC=org/DC=ligo/OU=People/OU=b/CN=a");
	struct dn beside = name("/DC=org/DC=ligo/OU=Peoples/CN=a");
	struct dn above = name("/DC=org/DC=ligo");

	(void)state;
	assert_true(dn_under(&below, &base));
	assert_true(dn_under(&deeper, &base));
	assert_false(dn_under(&base, &base));
	assert_false(dn_under(&beside, &base));
	assert_false(dn_under(&above, &base));
	assert_false(dn_equal(&below, &base));
	assert_true(dn_equal(&base, &base));
}

static void
parents_lose_the_last_rdn_down_to_the_first(void **state)
{
	struct dn dn = name("/O=a/OU=b/CN=c/CN=d");
	struct dn expected = name("/O=a/OU=b/CN=c");

	(void)state;
	assert_int_equal(dn_depth(&dn), 4);
	assert_true(dn_parent(&dn, &dn));
	assert_true(dn_equal(&dn, &expected));
	assert_true(dn_parent(&dn, &dn));
	assert_true(dn_parent(&dn, &dn));
	assert_int_equal(dn_depth(&dn), 1);
	assert_false(dn_parent(&dn, &dn));
}

static void
hashes_are_those_of_openssl(void **state)
{
	static const char *const names[] = { "/DC=org/DC=ligo/CN=LIGO Root 1",
		"/C=US/O=Example  Ltd/CN=caf\xc3\xa9", "/O=a" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct dn dn = name(names[i]);
		struct fault f = { 0 };
		const uint8_t *at = dn.der;
		OWN(X509_NAME) oracle = d2i_X509_NAME(NULL, &at, (long)dn.len);
		char expected[9], hash[9];

		assert_non_null(oracle);
		snprintf(expected, sizeof(expected), "%08lx",
		    X509_NAME_hash_ex(oracle, NULL, NULL, NULL) & 0xffffffff);
		assert_int_equal(dn_hash(&dn, hash, &f), 0);
		assert_string_equal(hash, expected);
		snprintf(expected, sizeof(expected), "%08lx",
		    X509_NAME_hash_old(oracle) & 0xffffffff);
		assert_int_equal(dn_hash_old(&dn, hash, &f), 0);
		assert_string_equal(hash, expected);
	}
}

static void
a_known_name_has_its_known_hash(void **state)
{
	struct dn dn = name("/DC=org/DC=example/O=Signet/CN=Test Root 1");
	struct fault f = { 0 };
	char hash[9];

	(void)state;
	assert_int_equal(dn_hash(&dn, hash, &f), 0);
	assert_string_equal(hash, "efda9352");
	assert_int_equal(dn_hash_old(&dn, hash, &f), 0);
	assert_string_equal(hash, "addefb3d");
}

static void
a_name_that_is_no_der_has_no_hash(void **state)
{
	struct dn dn = { .len = 0 };
	struct fault f = { 0 };
	char hash[9];

	(void)state;
	assert_int_equal(dn_hash(&dn, hash, &f), -1);
	assert_int_equal(dn_hash_old(&dn, hash, &f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_names_are_refused),
		cmocka_unit_test(
		    values_of_every_string_type_are_kept_and_bad_ones_refused),
		cmocka_unit_test(a_name_too_long_to_hold_is_refused),
		cmocka_unit_test(attributes_of_one_rdn_are_sorted_and_differ),
		cmocka_unit_test(the_name_of_no_rdn_has_nothing_below),
		cmocka_unit_test(
		    a_name_space_holds_what_is_below_and_not_itself),
		cmocka_unit_test(parents_lose_the_last_rdn_down_to_the_first),
		cmocka_unit_test(hashes_are_those_of_openssl),
		cmocka_unit_test(a_known_name_has_its_known_hash),
		cmocka_unit_test(a_name_that_is_no_der_has_no_hash),
	};

	return cmocka_run_group_tests_name("x509/dn", tests, NULL, NULL);
}
