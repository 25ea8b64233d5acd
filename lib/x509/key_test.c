#include "x509/key.h"

#include "base/fault.h"
#include "base/unit.h"
#include "x509/key_ssl.h"
#include "x509/own_ssl.h"

#include <string.h>

static const uint8_t text[] = "to be signed";
static const struct wire_bytes data = { text, sizeof(text) };

static struct key *
a_key(const char *what)
{
	struct fault f = { 0 };
	struct key *key = key_make(what, &f);

	if (key == NULL)
		fail_msg("%s: %s", what, f.text);
	return key;
}

static void
keys_are_made_of_the_kinds_that_have_a_name(void **state)
{
	static const struct {
		const char *what;
		enum key_kind kind;
		unsigned size;
	} kinds[] = {
		{ "rsa:2048", KEY_RSA, 2048 },
		{ "ec:P-256", KEY_P256, 256 },
		{ "ec:P-384", KEY_P384, 384 },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OWN_STRUCT(key) key = a_key(kinds[i].what);

		assert_int_equal(key_kind_of(key), kinds[i].kind);
		assert_int_equal(key_size(key), kinds[i].size);
		assert_int_equal(key_spki(key)->kind, kinds[i].kind);
	}
}

static void
other_names_make_no_key(void **state)
{
	static const char *const bad[] = { "", "rsa", "rsa:1024", "rsa:2048 ",
		"ec:P-521", "ec:P-25", "ed25519", "RSA:2048" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_null(key_make(bad[i], &f));
		assert_int_equal(f.code, FAULT_USAGE);
	}
}

/* Whether OpenSSL finds that ${key} made ${signature} with ${digest}. */
static bool
openssl_verifies(const struct key *key, const char *digest,
    const struct buf *signature)
{
	OWN(EVP_MD_CTX) ctx = EVP_MD_CTX_new();

	assert_non_null(ctx);
	assert_int_equal(EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL,
			     key_pkey(key), NULL),
	    1);
	return EVP_DigestVerify(ctx, signature->data, signature->len, data.data,
		   data.len) == 1;
}

static void
what_a_key_signs_openssl_and_we_verify(void **state)
{
	static const struct {
		const char *what;
		const char *digest;
	} kinds[] = {
		{ "rsa:2048", "SHA256" },
		{ "ec:P-256", "SHA256" },
		{ "ec:P-384", "SHA384" },
	};
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OWN_STRUCT(key) key = a_key(kinds[i].what);

		/* More than once, since the context is used again. */
		for (int times = 0; times < 3; times++) {
			OWN_BUF(out, 600);

			buf_put_u8(&out, 'x');
			assert_int_equal(key_sign(key, data, &out, &f), 0);
			assert_int_equal(out.data[0], 'x');
			buf_eat(&out, 1);
			assert_true(openssl_verifies(key, kinds[i].digest,
			    &out));
			assert_int_equal(
			    spki_verify(key_spki(key),
				key_signature_algorithm(key_kind_of(key)), data,
				(struct wire_bytes){ out.data, out.len }, &f),
			    0);
		}
	}
}

static void
a_signature_without_room_is_refused(void **state)
{
	OWN_STRUCT(key) key = a_key("ec:P-256");
	OWN_BUF(out, 16);
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(key_sign(key, data, &out, &f), -1);
	assert_int_equal(out.len, 0);
}

static void
signature_algorithms_are_those_of_openssl(void **state)
{
	static const struct {
		enum key_kind kind;
		int nid;
	} algorithms[] = {
		{ KEY_RSA, NID_sha256WithRSAEncryption },
		{ KEY_P256, NID_ecdsa_with_SHA256 },
		{ KEY_P384, NID_ecdsa_with_SHA384 },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OWN(X509_ALGOR) oracle = X509_ALGOR_new();
		struct wire_bytes ours =
		    key_signature_algorithm(algorithms[i].kind);
		unsigned char *der = NULL;
		int len;

		assert_non_null(oracle);
		assert_int_equal(X509_ALGOR_set0(oracle,
				     OBJ_nid2obj(algorithms[i].nid),
				     algorithms[i].kind == KEY_RSA
					 ? V_ASN1_NULL
					 : V_ASN1_UNDEF,
				     NULL),
		    1);
		len = i2d_X509_ALGOR(oracle, &der);
		assert_int_equal(ours.len, len);
		assert_memory_equal(ours.data, der, ours.len);
		OPENSSL_free(der);
	}
	assert_int_equal(key_signature_algorithm(KEY_OTHER).len, 0);
}

static void
keys_of_other_kinds_are_not_taken(void **state)
{
	static const char *const types[] = { "ED25519", "X25519" };
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_null(key_take(EVP_PKEY_Q_keygen(NULL, NULL, types[i]),
		    &f));
		assert_int_equal(f.code, FAULT_KEY);
	}
	assert_null(key_take(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"), &f));
	assert_int_equal(f.code, FAULT_KEY);
}

/* What plays a token: the key behind a foreign one, and what it does. */
struct behind {
	struct key *key;
	bool corrupt;
	bool fail;
	enum fault_code code;
	bool give; /* a signature, though it fails */
	size_t digest_len;
};

static int
sign_behind(void *arg, struct wire_bytes digest, struct buf *signature,
    struct fault *f)
{
	struct behind *b = arg;
	OWN(EVP_PKEY_CTX)
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key_pkey(b->key), NULL);
	uint8_t room[1024];
	size_t len = sizeof(room);

	b->digest_len = digest.len;
	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx,
			     digest.len == 48 ? EVP_sha384() : EVP_sha256()),
	    1);
	assert_int_equal(EVP_PKEY_sign(ctx, room, &len, digest.data,
			     digest.len),
	    1);
	if (b->corrupt)
		room[len - 1] ^= 1;
	if (!b->fail || b->give)
		buf_put(signature, room, len);
	return b->fail ? fault_set(f, b->code, "as told") : 0;
}

static void
a_foreign_key_signs_through_its_caller(void **state)
{
	static const char *const kinds[] = { "rsa:2048", "ec:P-256",
		"ec:P-384" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct behind b = { .key = a_key(kinds[i]) };
		struct fault f = { 0 };
		OWN_STRUCT(key)
		key = key_foreign(key_spki(b.key), sign_behind, &b, &f);
		OWN_BUF(signature, 1024);

		assert_non_null(key);
		assert_int_equal(key_kind_of(key), key_kind_of(b.key));
		assert_int_equal(key_sign(key, data, &signature, &f), 0);
		assert_int_equal(b.digest_len, i == 2 ? 48 : 32);
		assert_int_equal(spki_verify(key_spki(b.key),
				     key_signature_algorithm(key_kind_of(key)),
				     data,
				     (struct wire_bytes){
					 signature.data, signature.len },
				     &f),
		    0);
		key_free(b.key);
	}
}

/* What key_sign leaves in a buffer that had an octet before. */
static size_t
left_after(struct behind *b, enum fault_code *code)
{
	struct fault f = { 0 };
	OWN_STRUCT(key)
	key = key_foreign(key_spki(b->key), sign_behind, b, &f);
	OWN_BUF(signature, 1024);

	assert_non_null(key);
	buf_put_u8(&signature, 0x55);
	assert_int_equal(key_sign(key, data, &signature, &f), -1);
	*code = f.code;
	assert_int_equal(signature.data[0], 0x55);
	return signature.len - 1;
}

static void
what_a_foreign_key_gives_is_believed_when_it_verifies(void **state)
{
	struct behind b = { .key = a_key("rsa:2048"), .corrupt = true };
	enum fault_code code;

	(void)state;
	assert_int_equal(left_after(&b, &code), 0);
	assert_int_equal(code, FAULT_INTERNAL);
	b.fail = true;
	b.code = FAULT_SUSPENDED;
	assert_int_equal(left_after(&b, &code), 0);
	b.give = true;
	assert_int_equal(left_after(&b, &code), 0);
	assert_int_equal(code, FAULT_SUSPENDED);
	/* Made in the shadow of a removal: the caller revokes it. */
	b.corrupt = false;
	assert_int_equal(left_after(&b, &code), 256);
	assert_int_equal(code, FAULT_SUSPENDED);
	b.code = FAULT_TIMEOUT;
	assert_int_equal(left_after(&b, &code), 0);
	assert_int_equal(code, FAULT_TIMEOUT);
	key_free(b.key);
}

static void
a_foreign_key_is_not_written_and_not_lent(void **state)
{
	struct behind b = { .key = a_key("ec:P-256") };
	struct fault f = { 0 };
	OWN_STRUCT(key)
	key = key_foreign(key_spki(b.key), sign_behind, &b, &f);
	OWN_BUF(out, 4096);

	(void)state;
	assert_non_null(key);
	assert_null(key_pkey(key));
	assert_int_equal(key_write_pem(key, NULL, &out, &f), -1);
	assert_int_equal(f.code, FAULT_UNSUPPORTED);
	assert_int_equal(key_write_traditional(key, &out, &f), -1);
	assert_int_equal(f.code, FAULT_UNSUPPORTED);
	assert_int_equal(out.len, 0);
	key_free(b.key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_made_of_the_kinds_that_have_a_name),
		cmocka_unit_test(other_names_make_no_key),
		cmocka_unit_test(what_a_key_signs_openssl_and_we_verify),
		cmocka_unit_test(a_signature_without_room_is_refused),
		cmocka_unit_test(signature_algorithms_are_those_of_openssl),
		cmocka_unit_test(keys_of_other_kinds_are_not_taken),
		cmocka_unit_test(a_foreign_key_signs_through_its_caller),
		cmocka_unit_test(
		    what_a_foreign_key_gives_is_believed_when_it_verifies),
		cmocka_unit_test(a_foreign_key_is_not_written_and_not_lent),
	};

	return cmocka_run_group_tests_name("x509/key", tests, NULL, NULL);
}
