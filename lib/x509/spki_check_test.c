#include "base/fault.h"
#include "base/unit.h"
#include "x509/der.h"
#include "x509/key.h"
#include "x509/own_ssl.h"

#include <openssl/bn.h>

#include <stdlib.h>
#include <string.h>

#define LAST_PRIME 751

static bool
is_prime(unsigned n)
{
	for (unsigned d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n > 1;
}

/* An RSA key with the modulus ${n}, as spki_read makes it of ${bits}. */
static struct spki
rsa_of(const BIGNUM *n, struct buf *bits)
{
	uint8_t octets[1024];
	int len = BN_bn2bin(n, octets);
	size_t mark = der_open(bits, DER_SEQUENCE);

	assert_true(len > 0);
	der_put_positive(bits, octets, (size_t)len);
	der_put_u64(bits, 65537);
	der_close(bits, mark);
	assert_false(bits->failed);
	return (struct spki){ .kind = KEY_RSA,
		.size = (unsigned)BN_num_bits(n),
		.bits = { bits->data, bits->len } };
}

/* Whether ${n} may be certified; if not, the fault's text. */
static bool
passes(const BIGNUM *n, struct fault *f)
{
	struct key_rules rules = { 512, false, false };
	OWN_BUF(bits, 2048);
	struct spki spki = rsa_of(n, &bits);

	return spki_check(&spki, &rules, f) == 0;
}

static void
moduli_that_a_small_prime_divides_are_refused(void **state)
{
	OWN(BIGNUM) clean = BN_new();
	OWN(BIGNUM) n = BN_new();
	struct fault f = { 0 };

	(void)state;
	/* A product of two primes has no small factor. */
	assert_int_equal(BN_generate_prime_ex(clean, 1024, 0, NULL, NULL, NULL),
	    1);
	assert_true(passes(clean, &f));
	for (unsigned p = 3; p <= LAST_PRIME; p++) {
		char expected[64];

		if (!is_prime(p))
			continue;
		assert_non_null(BN_copy(n, clean));
		assert_int_equal(BN_mul_word(n, p), 1);
		assert_false(passes(n, &f));
		assert_int_equal(f.code, FAULT_KEY);
		snprintf(expected, sizeof(expected),
		    "an RSA modulus that %u divides", p);
		assert_string_equal(f.text, expected);
	}
	assert_non_null(BN_copy(n, clean));
	assert_int_equal(BN_mul_word(n, 757), 1);
	assert_true(passes(n, &f));
}

static void
moduli_of_every_length_divide_as_openssl_divides_them(void **state)
{
	OWN(BIGNUM) n = BN_new();
	int refused = 0;

	(void)state;
	for (int bits = 512; bits < 640; bits++) {
		struct fault f = { 0 };
		bool divides = false;

		assert_int_equal(BN_rand(n, bits, BN_RAND_TOP_ONE,
				     BN_RAND_BOTTOM_ODD),
		    1);
		for (unsigned p = 3; p <= LAST_PRIME; p++)
			if (is_prime(p) && BN_mod_word(n, p) == 0)
				divides = true;
		assert_int_equal(passes(n, &f), !divides);
		refused += divides ? 1 : 0;
	}
	/* About four in five odd numbers have such a factor. */
	assert_in_range(refused, 64, 127);
}

/* k * M + (65537^a mod M), M the product of the primes up to ${last}. */
static void
roca_prime(BIGNUM *made, unsigned last, int bits)
{
	OWN(BIGNUM) m = BN_new();
	OWN(BIGNUM) k = BN_new();
	OWN(BIGNUM) a = BN_new();
	OWN(BIGNUM) base = BN_new();
	BN_CTX *ctx = BN_CTX_new();

	assert_int_equal(BN_set_word(m, 2), 1);
	for (unsigned p = 3; p <= last; p++)
		if (is_prime(p))
			assert_int_equal(BN_mul_word(m, p), 1);
	assert_int_equal(BN_set_word(base, 65537), 1);
	assert_int_equal(BN_rand(a, 60, -1, 0), 1);
	assert_int_equal(BN_mod_exp(made, base, a, m, ctx), 1);
	assert_int_equal(BN_rand(k, bits - BN_num_bits(m), 0, 0), 1);
	assert_int_equal(BN_mul(k, k, m, ctx), 1);
	assert_int_equal(BN_add(made, made, k), 1);
	BN_CTX_free(ctx);
}

static void
moduli_of_the_roca_form_are_refused(void **state)
{
	/* The last prime of the primorial for each size of modulus. */
	static const struct {
		int bits;
		unsigned last;
	} sizes[] = { { 512, 167 }, { 1024, 353 }, { 2048, 701 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OWN(BIGNUM) p = BN_new();
		OWN(BIGNUM) q = BN_new();
		BN_CTX *ctx = BN_CTX_new();
		struct fault f = { 0 };

		/* Larger factors, so that none above ${last} is met often:
		 * whichever rule refuses, try until it is this one. */
		for (int tries = 0; tries < 200; tries++) {
			roca_prime(p, sizes[i].last, sizes[i].bits / 2 + 8);
			roca_prime(q, sizes[i].last, sizes[i].bits / 2 + 8);
			assert_int_equal(BN_mul(p, p, q, ctx), 1);
			assert_false(passes(p, &f));
			if (strstr(f.text, "ROCA") != NULL)
				break;
		}
		assert_non_null(strstr(f.text, "ROCA"));
		assert_int_equal(f.code, FAULT_KEY);
		BN_CTX_free(ctx);
	}
}

static void
good_keys_pass_the_rules_that_allow_them(void **state)
{
	static const struct {
		const char *key;
		const char *rules;
		bool allowed;
	} cases[] = {
		{ "rsa:2048", "rsa:2048 ec:P-256 ec:P-384", true },
		{ "rsa:2048", "rsa:1024", true },
		{ "rsa:2048", "rsa:2049", false },
		{ "rsa:2048", "ec:P-256 ec:P-384", false },
		{ "ec:P-256", "ec:P-256", true },
		{ "ec:P-256", "rsa:2048 ec:P-384", false },
		{ "ec:P-384", "  ec:P-384  rsa:2048", true },
		{ "ec:P-384", "ec:P-256", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = { 0 };
		OWN_STRUCT(key) key = key_make(cases[i].key, &f);
		struct key_rules rules;

		assert_non_null(key);
		assert_int_equal(key_rules_read(&rules, cases[i].rules, &f), 0);
		assert_int_equal(spki_check(key_spki(key), &rules, &f),
		    cases[i].allowed ? 0 : -1);
		assert_int_equal(f.code, cases[i].allowed ? 0 : FAULT_KEY);
	}
}

static void
rules_that_make_no_sense_are_refused(void **state)
{
	static const char *const bad[] = { "", " ", "rsa", "rsa:", "rsa:512",
		"rsa:0", "rsa:2048x", "rsa:32768", "rsa:-1", "ec:P-521",
		"ec:P-256,ec:P-384", "ed25519" };
	char huge[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };
		struct key_rules rules;

		assert_int_equal(key_rules_read(&rules, bad[i], &f), -1);
		assert_int_equal(f.code, FAULT_CONFIG);
	}
	memset(huge, ' ', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	memcpy(huge, "ec:P-256", 8);
	{
		struct fault f = { 0 };
		struct key_rules rules;

		assert_int_equal(key_rules_read(&rules, huge, &f), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moduli_that_a_small_prime_divides_are_refused),
		cmocka_unit_test(
		    moduli_of_every_length_divide_as_openssl_divides_them),
		cmocka_unit_test(moduli_of_the_roca_form_are_refused),
		cmocka_unit_test(good_keys_pass_the_rules_that_allow_them),
		cmocka_unit_test(rules_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests_name("x509/spki_check", tests, NULL,
	    NULL);
}
