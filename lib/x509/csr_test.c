#include "x509/csr.h"

#include "base/fault.h"
#include "base/unit.h"
#include "x509/der.h"
#include "x509/own_ssl.h"

#include <stdlib.h>
#include <string.h>

static struct key *
a_key(const char *what)
{
	struct fault f = { 0 };
	struct key *key = key_make(what, &f);

	if (key == NULL)
		fail_msg("%s: %s", what, f.text);
	return key;
}

/* A request of ours for ${key}. */
static void
write_one(const struct key *key, struct wire_bytes extensions, struct buf *out)
{
	struct fault f = { 0 };
	struct dn subject;

	assert_int_equal(dn_read_slash(&subject, "/DC=org/CN=a", &f), 0);
	if (csr_write(&subject, key, extensions, out, &f) < 0)
		fail_msg("%s", f.text);
}

/* csr_read from memory of exactly the right size, which is then gone. */
static int
read_exactly(const void *der, size_t len, struct fault *f)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct csr csr;
	int result;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, der, len);
	result = csr_read(&csr, (struct wire_bytes){ copy, len }, f);
	free(copy);
	return result;
}

static void
what_we_write_openssl_and_we_read(void **state)
{
	static const char *const kinds[] = { "rsa:2048", "ec:P-256",
		"ec:P-384" };
	struct wire_bytes none = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OWN_STRUCT(key) key = a_key(kinds[i]);
		OWN_BUF(der, CSR_MAX);
		struct fault f = { 0 };
		const uint8_t *at;
		X509_REQ *oracle;
		struct csr csr;
		char name[64];

		write_one(key, none, &der);
		at = der.data;
		oracle = d2i_X509_REQ(NULL, &at, (long)der.len);
		assert_non_null(oracle);
		assert_ptr_equal(at, der.data + der.len);
		assert_int_equal(X509_REQ_verify(oracle,
				     X509_REQ_get0_pubkey(oracle)),
		    1);
		X509_REQ_free(oracle);
		assert_int_equal(csr_read(&csr,
				     (struct wire_bytes){ der.data, der.len },
				     &f),
		    0);
		assert_int_equal(dn_show_slash(&csr.subject, name,
				     sizeof(name)),
		    0);
		assert_string_equal(name, "/DC=org/CN=a");
		assert_true(der_bytes_equal(csr.spki.der, key_spki(key)->der));
		assert_int_equal(csr.attributes.len, 0);
	}
}

static void
asked_for_extensions_are_carried(void **state)
{
	static const uint8_t extensions[] = { 0x30, 0x0e, 0x30, 0x0c, 0x06,
		0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x02, 0x30,
		0x00 };
	OWN_STRUCT(key) key = a_key("ec:P-256");
	OWN_BUF(der, CSR_MAX);
	STACK_OF(X509_EXTENSION) * found;
	struct fault f = { 0 };
	const uint8_t *at;
	X509_REQ *oracle;
	struct csr csr;

	(void)state;
	write_one(key, (struct wire_bytes){ extensions, sizeof(extensions) },
	    &der);
	at = der.data;
	assert_non_null(oracle = d2i_X509_REQ(NULL, &at, (long)der.len));
	assert_non_null(found = X509_REQ_get_extensions(oracle));
	assert_int_equal(sk_X509_EXTENSION_num(found), 1);
	assert_int_equal(OBJ_obj2nid(X509_EXTENSION_get_object(
			     sk_X509_EXTENSION_value(found, 0))),
	    NID_basic_constraints);
	sk_X509_EXTENSION_pop_free(found, X509_EXTENSION_free);
	X509_REQ_free(oracle);
	assert_int_equal(csr_read(&csr,
			     (struct wire_bytes){ der.data, der.len }, &f),
	    0);
	assert_true(csr.attributes.len > sizeof(extensions));
	assert_memory_equal(csr.attributes.data + csr.attributes.len -
		sizeof(extensions),
	    extensions, sizeof(extensions));
}

static void
requests_of_openssl_are_read(void **state)
{
	static const char *const curves[] = { NULL, "P-256", "P-384" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OWN(EVP_PKEY) pkey = curves[i] == NULL
		    ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
		    : EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i]);
		X509_REQ *made = X509_REQ_new();
		unsigned char *der = NULL;
		struct fault f = { 0 };
		int len;

		assert_non_null(made);
		/* Without a subject, as some clients have it. */
		assert_int_equal(X509_REQ_set_pubkey(made, pkey), 1);
		assert_true(X509_REQ_sign(made, pkey, EVP_sha512()) > 0);
		len = i2d_X509_REQ(made, &der);
		assert_true(len > 0);
		assert_int_equal(read_exactly(der, (size_t)len, &f), 0);
		OPENSSL_free(der);
		X509_REQ_free(made);
	}
}

static void
every_cut_and_every_excess_is_refused(void **state)
{
	OWN_STRUCT(key) key = a_key("ec:P-256");
	OWN_BUF(der, CSR_MAX);
	struct fault f = { 0 };

	(void)state;
	write_one(key, (struct wire_bytes){ NULL, 0 }, &der);
	for (size_t cut = 0; cut < der.len; cut++) {
		f.code = FAULT_NONE;
		assert_int_equal(read_exactly(der.data, cut, &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
	buf_put_u8(&der, 0);
	assert_int_equal(read_exactly(der.data, der.len, &f), -1);
}

static void
no_changed_bit_goes_unnoticed(void **state)
{
	OWN_STRUCT(key) key = a_key("ec:P-256");
	OWN_BUF(der, CSR_MAX);
	struct fault f = { 0 };

	(void)state;
	write_one(key, (struct wire_bytes){ NULL, 0 }, &der);
	for (size_t bit = 0; bit < 8 * der.len; bit++) {
		der.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(read_exactly(der.data, der.len, &f), -1);
		der.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(read_exactly(der.data, der.len, &f), 0);
}

static void
a_request_signed_by_another_key_is_refused(void **state)
{
	OWN_STRUCT(key) key = a_key("ec:P-256");
	OWN_STRUCT(key) thief = a_key("ec:P-256");
	OWN_BUF(der, CSR_MAX);
	struct wire_bytes mine = key_spki(key)->bits;
	struct wire_bytes his = key_spki(thief)->bits;
	struct fault f = { 0 };
	uint8_t *found;

	(void)state;
	write_one(thief, (struct wire_bytes){ NULL, 0 }, &der);
	found = memmem(der.data, der.len, his.data, his.len);
	assert_non_null(found);
	memcpy(found, mine.data, mine.len);
	assert_int_equal(read_exactly(der.data, der.len, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
}

/* A request signed by ${key} whose CertificationRequestInfo is ${info}. */
static enum fault_code
reads_signed(const struct key *key, const struct buf *info)
{
	struct wire_bytes how = key_signature_algorithm(key_kind_of(key));
	OWN_BUF(der, 2 * CSR_MAX);
	OWN_BUF(signature, 1024);
	struct fault f = { 0 };
	size_t mark = der_open(&der, DER_SEQUENCE);

	assert_int_equal(key_sign(key,
			     (struct wire_bytes){ info->data, info->len },
			     &signature, &f),
	    0);
	buf_put(&der, info->data, info->len);
	buf_put(&der, how.data, how.len);
	der_put_bits(&der, signature.data, signature.len);
	der_close(&der, mark);
	assert_false(der.failed);
	if (read_exactly(der.data, der.len, &f) < 0)
		assert_int_not_equal(f.code, FAULT_NONE);
	return f.code;
}

/* CertificationRequestInfo, its attributes as given. */
static void
put_info(struct buf *info, unsigned version, const struct key *key,
    const char *attributes, size_t len)
{
	struct wire_bytes spki = key_spki(key)->der;
	size_t mark = der_open(info, DER_SEQUENCE);

	der_put_u64(info, version);
	buf_put(info, "\x30\x00", 2);
	buf_put(info, spki.data, spki.len);
	buf_put(info, attributes, len);
	der_close(info, mark);
}

static void
a_well_signed_request_that_is_malformed_is_refused(void **state)
{
	static const struct {
		unsigned version;
		const char *attributes;
		size_t len;
		enum fault_code code;
	} cases[] = {
		{ 0, "\xa0\x00", 2, FAULT_NONE },
		{ 0, "", 0, FAULT_NONE },
		{ 0, "\xa0\x07\x30\x05\x06\x01\x2a\x31\x00", 9, FAULT_NONE },
		{ 1, "\xa0\x00", 2, FAULT_INPUT },
		{ 0, "\xa0\x00\xa0\x00", 4, FAULT_INPUT },
		{ 0, "\xa1\x00", 2, FAULT_INPUT },
		{ 0, "\xa0\x02\x30\x00", 4, FAULT_INPUT },
		{ 0, "\xa0\x02\x05\x00", 4, FAULT_INPUT },
		{ 0, "\xa0\x05\x30\x03\x06\x01\x2a", 7, FAULT_INPUT },
		{ 0, "\xa0\x09\x30\x07\x06\x01\x2a\x31\x02\x04\x01", 11,
		    FAULT_INPUT },
		{ 0, "\xa0\x09\x30\x07\x06\x01\x2a\x31\x00\x05\x00", 11,
		    FAULT_INPUT },
	};
	OWN_STRUCT(key) key = a_key("ec:P-256");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		OWN_BUF(info, CSR_MAX);

		put_info(&info, cases[i].version, key, cases[i].attributes,
		    cases[i].len);
		assert_int_equal(reads_signed(key, &info), cases[i].code);
	}
}

static void
a_request_too_large_is_refused(void **state)
{
	OWN_STRUCT(key) key = a_key("ec:P-256");
	OWN_BUF(info, 2 * CSR_MAX);
	OWN_BUF(attributes, 2 * CSR_MAX);
	OWN_BUF(out, CSR_MAX);
	static char filler[CSR_MAX];
	struct fault f = { 0 };
	struct dn subject;
	size_t set = der_open(&attributes, DER_CONTEXT_C(0));
	size_t one = der_open(&attributes, DER_SEQUENCE), values;

	(void)state;
	der_put_oid(&attributes, "1.2.3");
	values = der_open(&attributes, DER_SET);
	der_put(&attributes, DER_OCTET_STRING, filler, sizeof(filler));
	der_close(&attributes, values);
	der_close(&attributes, one);
	der_close(&attributes, set);
	put_info(&info, 0, key, (const char *)attributes.data, attributes.len);
	assert_int_equal(reads_signed(key, &info), FAULT_INPUT);

	assert_int_equal(dn_read_slash(&subject, "/CN=a", &f), 0);
	assert_int_equal(csr_write(&subject, key,
			     (struct wire_bytes){
				 attributes.data, attributes.len },
			     &out, &f),
	    -1);
}

static void
a_reader_of_streams_learns_how_long_a_request_is(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		long answer;
	} cases[] = {
		{ "", 0, 0 },
		{ "\x30", 1, 0 },
		{ "\x30\x05", 2, 7 },
		{ "\x30\x81", 2, 0 },
		{ "\x30\x81\x80", 3, 131 },
		{ "\x30\x82\x01", 3, 0 },
		{ "\x30\x82\x01\x00", 4, 260 },
		{ "\x30\x82\x03\xe4", 4, 1000 },
		{ "\x30\x82\x03\xe5", 4, -1 },
		{ "\x30\x81\x7f", 3, -1 },
		{ "\x30\x82\x00\xff", 4, -1 },
		{ "\x30\x80", 2, -1 },
		{ "\x30\x85", 2, -1 },
		{ "\x30\xff", 2, -1 },
		{ "\x30\x84\xff\xff\xff\xff", 6, -1 },
		{ "\x31", 1, -1 },
		{ "-----BEGIN", 10, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *copy = malloc(cases[i].len > 0 ? cases[i].len : 1);

		assert_non_null(copy);
		memcpy(copy, cases[i].data, cases[i].len);
		assert_int_equal(csr_length(copy, cases[i].len, 1000),
		    cases[i].answer);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_write_openssl_and_we_read),
		cmocka_unit_test(asked_for_extensions_are_carried),
		cmocka_unit_test(requests_of_openssl_are_read),
		cmocka_unit_test(every_cut_and_every_excess_is_refused),
		cmocka_unit_test(no_changed_bit_goes_unnoticed),
		cmocka_unit_test(a_request_signed_by_another_key_is_refused),
		cmocka_unit_test(
		    a_well_signed_request_that_is_malformed_is_refused),
		cmocka_unit_test(a_request_too_large_is_refused),
		cmocka_unit_test(
		    a_reader_of_streams_learns_how_long_a_request_is),
	};

	return cmocka_run_group_tests_name("x509/csr", tests, NULL, NULL);
}
