#include "x509/key_hash.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static const uint8_t text[] = "what is to be signed, in pieces";

/* Signed at once is checked in pieces, and the other way round. */
static void
check_kind(const char *what)
{
	struct fault f = { 0 };
	struct key *key = key_make(what, &f);
	OWN_BUF(signature, 4096);
	OWN_BUF(pieces, 4096);
	struct wire_bytes whole = { text, sizeof(text) }, made;
	const struct spki *spki;
	OWN_STRUCT(key_hash) sign = NULL;
	OWN_STRUCT(key_hash) verify = NULL;
	OWN_STRUCT(key_hash) wrong = NULL;

	assert_non_null(key);
	spki = key_spki(key);
	assert_non_null(sign = key_hash_new(spki->kind, &f));
	assert_non_null(verify = key_hash_new(spki->kind, &f));
	assert_non_null(wrong = key_hash_new(spki->kind, &f));
	for (size_t i = 0; i < sizeof(text); i++)
		key_hash_add(sign, (struct wire_bytes){ text + i, 1 });
	assert_int_equal(key_hash_sign(sign, key, &pieces, &f), 0);
	made = (struct wire_bytes){ pieces.data, pieces.len };
	assert_int_equal(spki_verify(spki, key_signature_algorithm(spki->kind),
			     whole, made, &f),
	    0);
	assert_int_equal(key_sign(key, whole, &signature, &f), 0);
	made = (struct wire_bytes){ signature.data, signature.len };
	key_hash_add(verify, whole);
	assert_int_equal(key_hash_verify(verify, spki, made, &f), 0);
	key_hash_add(wrong, (struct wire_bytes){ text, sizeof(text) - 1 });
	assert_int_equal(key_hash_verify(wrong, spki, made, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	key_free(key);
}

static void
a_digest_in_pieces_is_signed_as_the_whole_is(void **state)
{
	(void)state;
	check_kind("rsa:2048");
	check_kind("ec:P-256");
	check_kind("ec:P-384");
}

static void
a_digest_that_was_made_before_is_verified(void **state)
{
	static const char *const kinds[] = { "rsa:2048", "ec:P-256",
		"ec:P-384" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fault f = { 0 };
		OWN_STRUCT(key) key = key_make(kinds[i], &f);
		const struct spki *spki = key_spki(key);
		OWN_STRUCT(key_hash) hash = key_hash_new(spki->kind, &f);
		OWN_BUF(made, 1024);
		uint8_t digest[KEY_HASH_MAX];
		size_t len;

		assert_int_equal(key_sign(key,
				     (struct wire_bytes){ text, sizeof(text) },
				     &made, &f),
		    0);
		key_hash_add(hash, (struct wire_bytes){ text, sizeof(text) });
		assert_int_equal(key_hash_end(hash, digest, &len, &f), 0);
		assert_int_equal(key_digest_verify(spki,
				     (struct wire_bytes){ digest, len },
				     (struct wire_bytes){ made.data, made.len },
				     &f),
		    0);
		digest[0] ^= 1;
		assert_int_equal(key_digest_verify(spki,
				     (struct wire_bytes){ digest, len },
				     (struct wire_bytes){ made.data, made.len },
				     &f),
		    -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

static void
a_digest_ends_once(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(key_hash) hash = key_hash_new(KEY_P384, &f);
	uint8_t digest[KEY_HASH_MAX];
	size_t len;

	(void)state;
	assert_non_null(hash);
	assert_int_equal(key_hash_end(hash, digest, &len, &f), 0);
	assert_int_equal(len, 48);
	assert_int_equal(key_hash_end(hash, digest, &len, &f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_in_pieces_is_signed_as_the_whole_is),
		cmocka_unit_test(a_digest_that_was_made_before_is_verified),
		cmocka_unit_test(a_digest_ends_once),
	};

	return cmocka_run_group_tests_name("x509/key_hash", tests, NULL, NULL);
}
