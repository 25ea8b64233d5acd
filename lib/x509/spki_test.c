#include "base/fault.h"
#include "base/unit.h"
#include "x509/der.h"
#include "x509/key.h"
#include "x509/key_ssl.h"
#include "x509/own_ssl.h"

#include <openssl/core_names.h>

#include <stdlib.h>
#include <string.h>

static const uint8_t text[] = "to be signed";
static const struct wire_bytes data = { text, sizeof(text) };

/* An OpenSSL key and its SubjectPublicKeyInfo. */
struct pair {
	EVP_PKEY *pkey;
	uint8_t *der;
	size_t len;
};

static struct pair
a_pair(const char *curve)
{
	struct pair pair = { .der = NULL };
	int len;

	pair.pkey = curve == NULL
	    ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
	    : strncmp(curve, "P-", 2) == 0
	    ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve)
	    : EVP_PKEY_Q_keygen(NULL, NULL, curve);
	assert_non_null(pair.pkey);
	len = i2d_PUBKEY(pair.pkey, &pair.der);
	assert_true(len > 0);
	pair.len = (size_t)len;
	return pair;
}

static void
drop(struct pair *pair)
{
	EVP_PKEY_free(pair->pkey);
	OPENSSL_free(pair->der);
}

static struct wire_bytes
der_of(const struct pair *pair)
{
	return (struct wire_bytes){ pair->der, pair->len };
}

/* spki_read from memory of exactly the right size, which is then gone. */
static int
read_exactly(const void *der, size_t len, struct fault *f)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct spki spki, other;
	int result;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, der, len);
	result = spki_read(&spki, (struct wire_bytes){ copy, len }, f);
	if (result == 0)
		assert_int_equal(spki_read_any(&other,
				     (struct wire_bytes){ copy, len }, f),
		    0);
	free(copy);
	return result;
}

static void
keys_are_read_as_openssl_reads_them(void **state)
{
	static const struct {
		const char *curve;
		enum key_kind kind;
		unsigned size;
	} kinds[] = {
		{ NULL, KEY_RSA, 2048 },
		{ "P-256", KEY_P256, 256 },
		{ "P-384", KEY_P384, 384 },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pair pair = a_pair(kinds[i].curve);
		OWN(EVP_PKEY) ours = NULL;
		struct fault f = { 0 };
		struct spki spki;

		assert_int_equal(spki_read(&spki, der_of(&pair), &f), 0);
		assert_int_equal(spki.kind, kinds[i].kind);
		assert_int_equal(spki.size, kinds[i].size);
		assert_int_equal(spki.size, EVP_PKEY_get_bits(pair.pkey));
		ours = spki_pkey(&spki, &f);
		assert_non_null(ours);
		assert_int_equal(EVP_PKEY_eq(ours, pair.pkey), 1);
		drop(&pair);
	}
}

static void
a_key_cut_or_lengthened_is_refused(void **state)
{
	static const char *const curves[] = { NULL, "P-256", "P-384" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pair pair = a_pair(curves[i]);
		uint8_t longer[1024] = { 0 };
		struct fault f = { 0 };

		memcpy(longer, pair.der, pair.len);
		for (size_t cut = 0; cut < pair.len; cut++)
			assert_int_equal(read_exactly(pair.der, cut, &f), -1);
		assert_int_equal(read_exactly(longer, pair.len + 1, &f), -1);
		assert_int_equal(f.code, FAULT_KEY);
		assert_int_equal(read_exactly(pair.der, pair.len, &f), 0);
		drop(&pair);
	}
}

static void
keys_of_others_are_read_and_not_used(void **state)
{
	static const char *const others[] = { "P-521", "ED25519", "X25519" };
	struct key_rules rules = { 1024, true, true };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pair pair = a_pair(others[i]);
		struct fault f = { 0 };
		struct spki spki;

		assert_int_equal(spki_read(&spki, der_of(&pair), &f), -1);
		assert_int_equal(f.code, FAULT_KEY);
		assert_int_equal(spki_read_any(&spki, der_of(&pair), &f), 0);
		assert_int_equal(spki.kind, KEY_OTHER);
		assert_true(spki.bits.len > 0);
		f.code = FAULT_NONE;
		assert_int_equal(spki_check(&spki, &rules, &f), -1);
		assert_int_equal(f.code, FAULT_KEY);
		f.code = FAULT_NONE;
		assert_int_equal(spki_verify(&spki,
				     key_signature_algorithm(KEY_P256), data,
				     data, &f),
		    -1);
		assert_int_equal(f.code, FAULT_KEY);
		drop(&pair);
	}
}

static void
another_form_of_point_is_refused(void **state)
{
	struct pair pair = a_pair("P-256");
	struct fault f = { 0 };
	struct spki spki;
	unsigned char *der = NULL;
	int len;

	(void)state;
	assert_int_equal(EVP_PKEY_set_utf8_string_param(pair.pkey,
			     OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
			     "compressed"),
	    1);
	len = i2d_PUBKEY(pair.pkey, &der);
	assert_true(len > 0);
	assert_int_equal(read_exactly(der, (size_t)len, &f), -1);
	assert_int_equal(f.code, FAULT_KEY);
	assert_int_equal(spki_read_any(&spki,
			     (struct wire_bytes){ der, (size_t)len }, &f),
	    0);
	assert_int_equal(spki.kind, KEY_OTHER);
	OPENSSL_free(der);
	drop(&pair);
}

static void
a_point_off_its_curve_verifies_nothing(void **state)
{
	struct pair pair = a_pair("P-256");
	struct fault f = { 0 };
	struct spki spki;

	(void)state;
	pair.der[pair.len - 1] ^= 1;
	assert_int_equal(spki_read(&spki, der_of(&pair), &f), 0);
	assert_null(spki_pkey(&spki, &f));
	assert_int_equal(f.code, FAULT_KEY);
	assert_int_equal(spki_verify(&spki, key_signature_algorithm(KEY_P256),
			     data, data, &f),
	    -1);
	assert_int_equal(f.code, FAULT_KEY);
	drop(&pair);
}

/* A SubjectPublicKeyInfo of RSA with these numbers. */
static int
read_rsa(const void *n, size_t n_len, const void *e, size_t e_len)
{
	static const uint8_t algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
		0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
	struct fault f = { 0 };
	OWN_BUF(bits, 8192);
	OWN_BUF(der, 8192);
	size_t mark = der_open(&bits, DER_SEQUENCE);
	int result;

	der_put_positive(&bits, n, n_len);
	der_put_positive(&bits, e, e_len);
	der_close(&bits, mark);
	mark = der_open(&der, DER_SEQUENCE);
	buf_put(&der, algorithm, sizeof(algorithm));
	der_put_bits(&der, bits.data, bits.len);
	der_close(&der, mark);
	assert_false(der.failed || bits.failed);
	result = read_exactly(der.data, der.len, &f);
	assert_int_equal(result < 0, f.code == FAULT_KEY);
	return result;
}

static void
rsa_keys_that_cannot_be_good_are_refused(void **state)
{
	static uint8_t n[2049];

	(void)state;
	memset(n, 0xa5, sizeof(n));
	assert_int_equal(read_rsa(n, 256, "\x01\x00\x01", 3), 0);
	assert_int_equal(read_rsa(n, 64, "\x01\x00\x01", 3), 0);
	assert_int_equal(read_rsa(n, 2048, "\x01\x00\x01", 3), 0);
	assert_int_equal(read_rsa(n, 63, "\x01\x00\x01", 3), -1);
	assert_int_equal(read_rsa(n, 2049, "\x01\x00\x01", 3), -1);
	assert_int_equal(read_rsa(n, 256, "\x03", 1), -1);
	assert_int_equal(read_rsa(n, 256, "\xff\xff", 2), -1);
	assert_int_equal(read_rsa(n, 256, "\x01\x00\x02", 3), -1);
	assert_int_equal(read_rsa(n, 256, "\x01\x00\x03", 3), 0);
	assert_int_equal(read_rsa(n, 256, "\xff\xff\xff\xff\xff\xff\xff\xff",
			     8),
	    0);
	assert_int_equal(read_rsa(n, 256, "\x01\0\0\0\0\0\0\0\x01", 9), -1);
	assert_int_equal(read_rsa(n, 256, "", 0), -1);
	n[255] = 0xa4;
	assert_int_equal(read_rsa(n, 256, "\x01\x00\x01", 3), -1);
}

/* Sign with OpenSSL and ${digest}. */
static size_t
sign(EVP_PKEY *pkey, const char *digest, uint8_t *signature, size_t size)
{
	OWN(EVP_MD_CTX) ctx = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL,
			     pkey, NULL),
	    1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &size, data.data,
			     data.len),
	    1);
	return size;
}

/* The AlgorithmIdentifier of OpenSSL's ${nid}; OPENSSL_free() the data. */
static struct wire_bytes
algorithm(int nid, int parameters)
{
	OWN(X509_ALGOR) made = X509_ALGOR_new();
	unsigned char *der = NULL;
	int len;

	assert_int_equal(X509_ALGOR_set0(made, OBJ_nid2obj(nid), parameters,
			     NULL),
	    1);
	len = i2d_X509_ALGOR(made, &der);
	assert_true(len > 0);
	return (struct wire_bytes){ der, (size_t)len };
}

static void
signatures_of_openssl_are_verified_under_their_algorithm_only(void **state)
{
	static const struct {
		const char *curve;
		const char *digest;
		int nid;
		int parameters;
		enum fault_code code;
	} cases[] = {
		{ NULL, "SHA256", NID_sha256WithRSAEncryption, V_ASN1_NULL, 0 },
		{ NULL, "SHA384", NID_sha384WithRSAEncryption, V_ASN1_NULL, 0 },
		{ NULL, "SHA512", NID_sha512WithRSAEncryption, V_ASN1_NULL, 0 },
		{ NULL, "SHA256", NID_sha256WithRSAEncryption, V_ASN1_UNDEF,
		    0 },
		{ NULL, "SHA384", NID_sha384WithRSAEncryption, V_ASN1_UNDEF,
		    0 },
		{ NULL, "SHA512", NID_sha512WithRSAEncryption, V_ASN1_UNDEF,
		    0 },
		{ "P-256", "SHA256", NID_ecdsa_with_SHA256, V_ASN1_UNDEF, 0 },
		{ "P-256", "SHA384", NID_ecdsa_with_SHA384, V_ASN1_UNDEF, 0 },
		{ "P-256", "SHA512", NID_ecdsa_with_SHA512, V_ASN1_UNDEF, 0 },
		{ "P-384", "SHA384", NID_ecdsa_with_SHA384, V_ASN1_UNDEF, 0 },
		{ NULL, "SHA256", NID_sha384WithRSAEncryption, V_ASN1_NULL,
		    FAULT_INPUT },
		{ NULL, "SHA256", NID_ecdsa_with_SHA256, V_ASN1_UNDEF,
		    FAULT_INPUT },
		{ "P-256", "SHA256", NID_sha256WithRSAEncryption, V_ASN1_NULL,
		    FAULT_INPUT },
		{ "P-256", "SHA256", NID_ecdsa_with_SHA384, V_ASN1_UNDEF,
		    FAULT_INPUT },
		{ NULL, "SHA1", NID_sha1WithRSAEncryption, V_ASN1_NULL,
		    FAULT_UNSUPPORTED },
		{ "P-256", "SHA1", NID_ecdsa_with_SHA1, V_ASN1_UNDEF,
		    FAULT_UNSUPPORTED },
		{ "P-256", "SHA256", NID_ecdsa_with_SHA256, V_ASN1_NULL,
		    FAULT_UNSUPPORTED },
	};
	struct pair rsa = a_pair(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair pair = { .der = NULL };
		struct fault f = { 0 };
		uint8_t signature[512];
		struct wire_bytes how, made = { signature, 0 };
		struct spki spki;

		if (cases[i].curve != NULL)
			pair = a_pair(cases[i].curve);
		assert_int_equal(spki_read(&spki,
				     der_of(pair.der != NULL ? &pair : &rsa),
				     &f),
		    0);
		made.len = sign(pair.pkey != NULL ? pair.pkey : rsa.pkey,
		    cases[i].digest, signature, sizeof(signature));
		how = algorithm(cases[i].nid, cases[i].parameters);
		assert_int_equal(spki_verify(&spki, how, data, made, &f),
		    cases[i].code == 0 ? 0 : -1);
		assert_int_equal(f.code, cases[i].code);
		OPENSSL_free((void *)(uintptr_t)how.data);
		drop(&pair);
	}
	drop(&rsa);
}

static void
an_altered_signature_text_or_key_does_not_verify(void **state)
{
	static const char *const curves[] = { NULL, "P-256", "P-384" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pair pair = a_pair(curves[i]), other = a_pair(curves[i]);
		struct fault f = { 0 };
		uint8_t signature[512];
		struct spki spki, stranger;
		struct wire_bytes how, made = { signature, 0 };
		struct wire_bytes less = { text, sizeof(text) - 1 };

		made.len = sign(pair.pkey, i == 2 ? "SHA384" : "SHA256",
		    signature, sizeof(signature));
		assert_int_equal(spki_read(&spki, der_of(&pair), &f), 0);
		assert_int_equal(spki_read(&stranger, der_of(&other), &f), 0);
		how = key_signature_algorithm(spki.kind);
		assert_int_equal(spki_verify(&spki, how, data, made, &f), 0);
		assert_int_equal(spki_verify(&spki, how, less, made, &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
		assert_int_equal(spki_verify(&stranger, how, data, made, &f),
		    -1);
		for (size_t bit = 0; bit < 8 * made.len; bit += 37) {
			signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(spki_verify(&spki, how, data, made,
					     &f),
			    -1);
			signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		made.len--;
		assert_int_equal(spki_verify(&spki, how, data, made, &f), -1);
		made.len = 0;
		assert_int_equal(spki_verify(&spki, how, data, made, &f), -1);
		drop(&pair);
		drop(&other);
	}
}

static void
key_identifiers_are_those_of_openssl(void **state)
{
	struct pair pair = a_pair("P-256");
	OWN(X509) x509 = X509_new();
	struct fault f = { 0 };
	uint8_t id[KEY_ID_SIZE], expected[EVP_MAX_MD_SIZE];
	struct spki spki;
	unsigned len = 0;

	(void)state;
	assert_int_equal(X509_set_pubkey(x509, pair.pkey), 1);
	assert_int_equal(X509_pubkey_digest(x509, EVP_sha1(), expected, &len),
	    1);
	assert_int_equal(len, KEY_ID_SIZE);
	assert_int_equal(spki_read(&spki, der_of(&pair), &f), 0);
	spki_id(&spki, id);
	assert_memory_equal(id, expected, KEY_ID_SIZE);
	drop(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_read_as_openssl_reads_them),
		cmocka_unit_test(a_key_cut_or_lengthened_is_refused),
		cmocka_unit_test(keys_of_others_are_read_and_not_used),
		cmocka_unit_test(another_form_of_point_is_refused),
		cmocka_unit_test(a_point_off_its_curve_verifies_nothing),
		cmocka_unit_test(rsa_keys_that_cannot_be_good_are_refused),
		cmocka_unit_test(
		    signatures_of_openssl_are_verified_under_their_algorithm_only),
		cmocka_unit_test(
		    an_altered_signature_text_or_key_does_not_verify),
		cmocka_unit_test(key_identifiers_are_those_of_openssl),
	};

	return cmocka_run_group_tests_name("x509/spki", tests, NULL, NULL);
}
