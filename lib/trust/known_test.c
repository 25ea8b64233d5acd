#include "trust/known.h"

#include "trust/verify_probe.h"

/* The signature of ${cert}, whose last octet is altered and put back. */
static void
what_is_altered_is_checked_anew(void **state)
{
	OWN_STRUCT(known) known = NULL;
	OWN_STRUCT(cert) sub = NULL;
	OWN_STRUCT(cert) root = NULL;
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_make(&p);
	assert_non_null(known = known_new(&f));
	sub = pki_read(p.cert[SUB]);
	root = pki_read(p.cert[ROOT]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(known_check_cert(known, sub, root, &f), 0);
		sub->der[sub->len - 1] ^= 1;
		assert_int_equal(known_check_cert(known, sub, root, &f), -1);
		sub->der[sub->len - 1] ^= 1;
		/* Nor does another key come by it. */
		assert_int_equal(known_check_cert(known, sub, sub, &f), -1);
	}
	pki_free(&p);
}

/* More than there is room for: what was forgotten is checked again. */
static void
many_are_forgotten_one_by_one(void **state)
{
	OWN_STRUCT(known) known = NULL;
	OWN_STRUCT(cert) root = NULL;
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_make(&p);
	assert_non_null(known = known_new(&f));
	root = pki_read(p.cert[ROOT]);
	for (int round = 0; round < 2; round++) {
		for (long i = 0; i < 300; i++) {
			OWN_STRUCT(cert) sub = NULL;

			assert_int_equal(
			    ASN1_INTEGER_set(X509_get_serialNumber(p.cert[SUB]),
				5000 + i),
			    1);
			assert_true(X509_sign(p.cert[SUB], p.key[ROOT],
					EVP_sha256()) > 0);
			sub = pki_read(p.cert[SUB]);
			assert_int_equal(known_check_cert(known, sub, root, &f),
			    0);
		}
	}
	pki_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_altered_is_checked_anew),
		cmocka_unit_test(many_are_forgotten_one_by_one),
	};

	return cmocka_run_group_tests_name("trust/known", tests, NULL, NULL);
}
