#include "base/fault.h"
#include "base/unit.h"
#include "x509/key.h"
#include "x509/key_ssl.h"
#include "x509/own_ssl.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>

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

static struct secret *
a_phrase(const char *text)
{
	struct fault f = { 0 };
	struct secret *phrase = secret_copy(text, strlen(text), &f);

	assert_non_null(phrase);
	return phrase;
}

/* key_read_pem from memory of exactly the right size. */
static struct key *
read_exactly(const void *pem, size_t len, const struct secret *phrase,
    struct fault *f)
{
	void *copy = malloc(len > 0 ? len : 1);
	struct key *key;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, pem, len);
	key = key_read_pem(copy, len, phrase, f);
	free(copy);
	return key;
}

static void
assert_same_key(const struct key *a, const struct key *b)
{
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(EVP_PKEY_eq(key_pkey(a), key_pkey(b)), 1);
}

static void
keys_survive_being_written_and_read(void **state)
{
	static const char *const kinds[] = { "rsa:2048", "ec:P-256",
		"ec:P-384" };
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OWN_STRUCT(key) key = a_key(kinds[i]);
		OWN_STRUCT(key) again = NULL;
		OWN_STRUCT(key) old = NULL;
		OWN_BUF(pem, 8192);
		OWN_BUF(traditional, 8192);

		assert_int_equal(key_write_pem(key, NULL, &pem, &f), 0);
		assert_memory_equal(pem.data, "-----BEGIN PRIVATE KEY-----\n",
		    28);
		assert_false(key_is_encrypted(pem.data, pem.len));
		again = read_exactly(pem.data, pem.len, NULL, &f);
		assert_same_key(key, again);

		assert_int_equal(key_write_traditional(key, &traditional, &f),
		    0);
		assert_memory_equal(traditional.data,
		    i == 0 ? "-----BEGIN RSA PRIVATE KEY-----\n"
			   : "-----BEGIN EC PRIVATE KEY-----\n",
		    i == 0 ? 32 : 31);
		old = read_exactly(traditional.data, traditional.len, NULL, &f);
		assert_same_key(key, old);
	}
}

static void
traditional_keys_are_as_openssl_writes_them(void **state)
{
	static const char *const kinds[] = { "rsa:2048", "ec:P-256" };
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		OWN_STRUCT(key) key = a_key(kinds[i]);
		OWN(BIO) bio = BIO_new(BIO_s_mem());
		OWN_BUF(ours, 8192);
		char *theirs = NULL;
		long len;

		assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio,
				     key_pkey(key), NULL, NULL, 0, NULL, NULL),
		    1);
		len = BIO_get_mem_data(bio, &theirs);
		assert_int_equal(key_write_traditional(key, &ours, &f), 0);
		assert_int_equal(ours.len, len);
		assert_memory_equal(ours.data, theirs, ours.len);
	}
}

static void
an_encrypted_key_opens_with_its_pass_phrase_only(void **state)
{
	OWN_STRUCT(key) key = a_key("ec:P-256");
	OWN_STRUCT(key) again = NULL;
	OWN_STRUCT(secret) phrase = a_phrase("open sesame");
	OWN_STRUCT(secret) wrong = a_phrase("open barley");
	OWN_STRUCT(secret) empty = a_phrase("");
	OWN_BUF(pem, 8192);
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(key_write_pem(key, phrase, &pem, &f), 0);
	assert_true(key_is_encrypted(pem.data, pem.len));
	assert_null(read_exactly(pem.data, pem.len, NULL, &f));
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_null(read_exactly(pem.data, pem.len, wrong, &f));
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_null(read_exactly(pem.data, pem.len, empty, &f));
	assert_int_equal(f.code, FAULT_LOGIN);
	again = read_exactly(pem.data, pem.len, phrase, &f);
	assert_same_key(key, again);
}

static void
old_encrypted_keys_of_openssl_are_read(void **state)
{
	OWN_STRUCT(key) key = a_key("rsa:2048");
	OWN_STRUCT(key) again = NULL;
	OWN_STRUCT(key) modern = NULL;
	OWN_STRUCT(secret) phrase = a_phrase("pass");
	OWN_STRUCT(secret) wrong = a_phrase("fail");
	OWN(BIO) bio = BIO_new(BIO_s_mem());
	OWN(BIO) pbkdf = BIO_new(BIO_s_mem());
	char pass[] = "pass", *pem = NULL;
	struct fault f = { 0 };
	long len;

	(void)state;
	assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio,
			     key_pkey(key), EVP_des_ede3_cbc(),
			     (unsigned char *)pass, 4, NULL, NULL),
	    1);
	len = BIO_get_mem_data(bio, &pem);
	assert_true(key_is_encrypted(pem, (size_t)len));
	again = read_exactly(pem, (size_t)len, phrase, &f);
	assert_same_key(key, again);
	assert_null(read_exactly(pem, (size_t)len, wrong, &f));
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_null(read_exactly(pem, (size_t)len, NULL, &f));
	assert_int_equal(f.code, FAULT_LOGIN);

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(pbkdf, key_pkey(key),
			     EVP_aes_128_cbc(), pass, 4, NULL, NULL),
	    1);
	len = BIO_get_mem_data(pbkdf, &pem);
	modern = read_exactly(pem, (size_t)len, phrase, &f);
	assert_same_key(key, modern);
}

static void
a_key_is_found_between_other_text(void **state)
{
	static const char before[] = "Bag Attributes\n"
				     "-----BEGIN EC PARAMETERS-----\nBggqhkj"
				     "OPQMBBw==\n-----END EC PARAMETERS-----\n";
	OWN_STRUCT(key) key = a_key("ec:P-256");
	OWN_STRUCT(key) again = NULL;
	OWN_BUF(pem, 8192);
	struct fault f = { 0 };

	(void)state;
	buf_text(&pem, before);
	assert_int_equal(key_write_traditional(key, &pem, &f), 0);
	buf_text(&pem,
	    "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n");
	again = read_exactly(pem.data, pem.len, NULL, &f);
	assert_same_key(key, again);
}

static void
text_without_a_good_key_is_refused(void **state)
{
	static const struct {
		const char *pem;
		enum fault_code code;
	} bad[] = {
		{ "", FAULT_ABSENT },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n"
		  "-----END CERTIFICATE-----\n",
		    FAULT_ABSENT },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n"
		  "-----END PRIVATE KEY-----\n",
		    FAULT_INPUT },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n", FAULT_INPUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_null(read_exactly(bad[i].pem, strlen(bad[i].pem), NULL,
		    &f));
		assert_int_equal(f.code, bad[i].code);
		assert_false(key_is_encrypted(bad[i].pem, strlen(bad[i].pem)));
	}
}

static void
keys_we_do_not_use_are_refused(void **state)
{
	struct fault f = { 0 };
	OWN(EVP_PKEY) other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	OWN(BIO) bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long len;

	(void)state;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, other, NULL, NULL,
			     0, NULL, NULL),
	    1);
	len = BIO_get_mem_data(bio, &pem);
	assert_null(read_exactly(pem, (size_t)len, NULL, &f));
	assert_int_equal(f.code, FAULT_KEY);
}

/* The key of ${from} with the public point of ${other}, as PEM. */
static void
put_mixed(struct buf *pem, const struct key *from, const struct key *other)
{
	OWN(EVP_PKEY) mixed = EVP_PKEY_dup(key_pkey(from));
	OWN(BIO) bio = BIO_new(BIO_s_mem());
	unsigned char *point = NULL;
	size_t size = EVP_PKEY_get1_encoded_public_key(key_pkey(other), &point);
	char *text = NULL;
	long len;

	assert_int_equal(EVP_PKEY_set_octet_string_param(mixed,
			     OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, size),
	    1);
	OPENSSL_free(point);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, mixed, NULL, NULL,
			     0, NULL, NULL),
	    1);
	len = BIO_get_mem_data(bio, &text);
	buf_put(pem, text, (size_t)len);
}

static void
halves_that_do_not_belong_together_are_refused(void **state)
{
	OWN_STRUCT(key) key = a_key("ec:P-256");
	OWN_STRUCT(key) other = a_key("ec:P-256");
	OWN_BUF(pem, 8192);
	struct fault f = { 0 };

	(void)state;
	put_mixed(&pem, key, other);
	assert_null(read_exactly(pem.data, pem.len, NULL, &f));
	assert_int_equal(f.code, FAULT_KEY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_survive_being_written_and_read),
		cmocka_unit_test(traditional_keys_are_as_openssl_writes_them),
		cmocka_unit_test(
		    an_encrypted_key_opens_with_its_pass_phrase_only),
		cmocka_unit_test(old_encrypted_keys_of_openssl_are_read),
		cmocka_unit_test(a_key_is_found_between_other_text),
		cmocka_unit_test(text_without_a_good_key_is_refused),
		cmocka_unit_test(keys_we_do_not_use_are_refused),
		cmocka_unit_test(
		    halves_that_do_not_belong_together_are_refused),
	};

	return cmocka_run_group_tests_name("x509/key_pem", tests, NULL, NULL);
}
