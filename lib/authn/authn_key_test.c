#include "authn/authn_key.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/unit.h"
#include "trust/pki_probe.h"
#include "trust/store.h"

#include <string.h>

#define CHALLENGE "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"

/* What the client sends: its signature over ${challenge}, and its chain. */
static void
answer(const struct pki *p, enum pki_who leaf, EVP_PKEY *key,
    const char *challenge, const EVP_MD *digest, struct buf *out)
{
	OWN(EVP_MD_CTX) context = EVP_MD_CTX_new();
	uint8_t signature[1024], length[4];
	struct wire_out wire = { length, sizeof(length), false };
	size_t len = sizeof(signature);

	assert_non_null(context);
	assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, key),
	    1);
	assert_int_equal(EVP_DigestSign(context, signature, &len,
			     (const uint8_t *)challenge, strlen(challenge)),
	    1);
	wire_put_u32(&wire, (uint32_t)len);
	buf_put(out, length, sizeof(length));
	buf_put(out, signature, len);
	buf_put_u8(out, (uint8_t)leaf); /* down to SUB, which is 1 */
	for (int i = (int)leaf; i >= (int)SUB; i--) {
		unsigned char *der = NULL;
		int n = i2d_X509(p->cert[i], &der);

		assert_true(n > 0);
		buf_put(out, der, (size_t)n);
		OPENSSL_free(der);
	}
	assert_false(out->failed);
}

/* Check the ${len} bytes from memory of exactly their size. */
static int
check(const struct pki *p, const void *data, size_t len, bool sha1,
    struct trust_verdict *verdict, struct fault *f)
{
	OWN_STRUCT(trust_store) store = trust_load(p->dir, true, NULL, NULL, f);
	uint8_t *exact = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(store);
	assert_non_null(exact);
	memcpy(exact, data, len);
	memset(f, 0, sizeof(*f));
	result = authn_key_check(store, CHALLENGE, sha1,
	    (struct wire_bytes){ exact, len }, PKI_NOW, verdict, f);
	free(exact);
	return result;
}

static int
check_leaf(const struct pki *p, enum pki_who leaf, const char *challenge,
    const EVP_MD *digest, bool sha1, struct trust_verdict *verdict,
    struct fault *f)
{
	OWN_BUF(out, 65536);

	answer(p, leaf, p->key[leaf], challenge, digest, &out);
	return check(p, out.data, out.len, sha1, verdict, f);
}

static void
make(struct pki *p, const char *key)
{
	pki_init(p);
	p->spec[EEC].key = p->spec[PROXY].key = key;
	pki_make(p);
	pki_dir(p);
}

static void
is_person(const struct trust_verdict *verdict)
{
	char text[DN_TEXT_MAX];

	assert_int_equal(dn_show_slash(&verdict->identity, text, sizeof(text)),
	    0);
	assert_string_equal(text, PKI_PERSON);
}

static void
who_signs_the_challenge_is_the_holder(void **state)
{
	static const char *const keys[] = { "EC", "RSA:2048" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct trust_verdict verdict;
		struct fault f = { 0 };
		struct pki p;

		make(&p, keys[i]);
		assert_int_equal(check_leaf(&p, EEC, CHALLENGE, EVP_sha256(),
				     false, &verdict, &f),
		    0);
		is_person(&verdict);
		assert_int_equal(check_leaf(&p, PROXY, CHALLENGE, EVP_sha256(),
				     false, &verdict, &f),
		    0);
		is_person(&verdict);
		assert_false(verdict.limited);
		assert_int_equal(check_leaf(&p, EEC, CHALLENGE, EVP_sha1(),
				     true, &verdict, &f),
		    0);
		is_person(&verdict);
		pki_free(&p);
	}
}

static void
each_digest_is_good_for_its_own_method_only(void **state)
{
	static const char *const keys[] = { "EC", "RSA:2048" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct trust_verdict verdict;
		struct fault f = { 0 };
		struct pki p;

		make(&p, keys[i]);
		assert_int_equal(check_leaf(&p, EEC, CHALLENGE, EVP_sha1(),
				     false, &verdict, &f),
		    -1);
		assert_int_equal(f.code, FAULT_LOGIN);
		assert_int_equal(check_leaf(&p, EEC, CHALLENGE, EVP_sha256(),
				     true, &verdict, &f),
		    -1);
		assert_int_equal(f.code, FAULT_LOGIN);
		pki_free(&p);
	}
}

static void
another_challenge_or_another_key_proves_nothing(void **state)
{
	struct trust_verdict verdict;
	struct fault f = { 0 };
	struct pki p;
	OWN_BUF(out, 65536);

	(void)state;
	make(&p, "EC");
	assert_int_equal(check_leaf(&p, EEC, OTHER, EVP_sha256(), false,
			     &verdict, &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	answer(&p, EEC, p.key[DEEPER], CHALLENGE, EVP_sha256(), &out);
	assert_int_equal(check(&p, out.data, out.len, false, &verdict, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	pki_free(&p);
}

static void
limited_expired_and_untrusted_are_told_apart(void **state)
{
	struct trust_verdict verdict;
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_set(&p, PROXY, "proxyCertInfo", PKI_LIMITED);
	pki_make(&p);
	pki_dir(&p);
	assert_int_equal(check_leaf(&p, PROXY, CHALLENGE, EVP_sha256(), false,
			     &verdict, &f),
	    0);
	assert_true(verdict.limited);
	pki_free(&p);

	pki_init(&p);
	p.spec[EEC].ends = -1;
	pki_make(&p);
	pki_dir(&p);
	assert_int_equal(check_leaf(&p, EEC, CHALLENGE, EVP_sha256(), false,
			     &verdict, &f),
	    -1);
	assert_int_equal(f.code, FAULT_EXPIRED);
	pki_free(&p);

	pki_init(&p);
	p.spec[SUB].forged = true;
	pki_make(&p);
	pki_dir(&p);
	assert_int_equal(check_leaf(&p, EEC, CHALLENGE, EVP_sha256(), false,
			     &verdict, &f),
	    -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	pki_free(&p);
}

static void
a_server_is_no_person_and_a_small_key_no_proof(void **state)
{
	struct trust_verdict verdict;
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	pki_init(&p);
	p.spec[EEC].ext[4] =
	    (struct pki_extension){ "extendedKeyUsage", "serverAuth" };
	pki_make(&p);
	pki_dir(&p);
	assert_int_equal(check_leaf(&p, EEC, CHALLENGE, EVP_sha256(), false,
			     &verdict, &f),
	    -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	pki_free(&p);

	make(&p, "RSA:512");
	assert_int_equal(check_leaf(&p, EEC, CHALLENGE, EVP_sha256(), false,
			     &verdict, &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	pki_free(&p);
}

static void
every_cut_and_every_turned_bit_is_refused(void **state)
{
	struct trust_verdict verdict;
	struct fault f = { 0 };
	struct pki p;
	OWN_BUF(out, 65536);

	(void)state;
	make(&p, "EC");
	answer(&p, EEC, p.key[EEC], CHALLENGE, EVP_sha256(), &out);
	for (size_t len = 0; len < out.len; len += 1 + len / 40)
		assert_int_equal(check(&p, out.data, len, false, &verdict, &f),
		    -1);
	buf_put_u8(&out, 0);
	assert_int_equal(check(&p, out.data, out.len, false, &verdict, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	out.len--;
	for (size_t i = 0; i < out.len; i += 1 + i / 60) {
		out.data[i] ^= 1;
		assert_int_equal(check(&p, out.data, out.len, false, &verdict,
				     &f),
		    -1);
		out.data[i] ^= 1;
	}
	assert_int_equal(check(&p, out.data, out.len, false, &verdict, &f), 0);
	pki_free(&p);
}

static void
an_answer_has_one_to_sixteen_certificates(void **state)
{
	static const uint8_t element[] = { 0x30, 0x00 };
	struct authn_key_answer parts;

	(void)state;
	for (size_t n = 0; n < 20; n++) {
		struct fault f = { 0 };
		OWN_BUF(out, 1024);
		bool good = n >= 1 && n <= AUTHN_KEY_CERTS_MAX;

		buf_put(&out, "\0\0\0\1s", 5);
		buf_put_u8(&out, (uint8_t)n);
		for (size_t i = 0; i < n; i++)
			buf_put(&out, element, sizeof(element));
		assert_int_equal(authn_key_read(&parts,
				     (struct wire_bytes){ out.data, out.len },
				     &f),
		    good ? 0 : -1);
		if (good)
			assert_int_equal(parts.count, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_signs_the_challenge_is_the_holder),
		cmocka_unit_test(each_digest_is_good_for_its_own_method_only),
		cmocka_unit_test(
		    another_challenge_or_another_key_proves_nothing),
		cmocka_unit_test(limited_expired_and_untrusted_are_told_apart),
		cmocka_unit_test(
		    a_server_is_no_person_and_a_small_key_no_proof),
		cmocka_unit_test(every_cut_and_every_turned_bit_is_refused),
		cmocka_unit_test(an_answer_has_one_to_sixteen_certificates),
	};

	return cmocka_run_group_tests_name("authn/authn_key", tests, NULL,
	    NULL);
}
