#include "trust/revoke.h"

#include "trust/verify_probe.h"

/* A CRL in the directory, and what becomes of the end entity. */
struct crl_case {
	const char *name;
	enum pki_who ca;
	enum pki_who signer; /* whose key signs it */
	struct pki_crl crl;
	const char *why;      /* NULL: accepted */
	const char *stricter; /* OpenSSL accepts it */
};

static const struct crl_case crl_cases[] = {
	{ "good", SUB, SUB, { -60, PKI_DAY, 7, 0 }, NULL, NULL },
	{ "empty", SUB, SUB, { -60, PKI_DAY, 0, 0 }, NULL, NULL },
	{ "revoked", SUB, SUB, { -60, PKI_DAY, 1002, 0 }, "revoked by its CA",
	    NULL },
	{ "key compromised", SUB, SUB, { -60, PKI_DAY, 1002, 1 },
	    "its key is compromised", NULL },
	{ "on hold", SUB, SUB, { -60, PKI_DAY, 1002, 6 }, "it is on hold",
	    NULL },
	{ "expired", SUB, SUB, { -600, -60, 0, 0 },
	    "CN=Sub: its CRL has expired", NULL },
	{ "not yet valid", SUB, SUB, { 60, PKI_DAY, 0, 0 }, "not yet valid",
	    NULL },
	{ "without an end", SUB, SUB, { -60, 0, 0, 0 },
	    "its CRL does not say when", "RFC 5280 5.1.2.5" },
	{ "forged", SUB, EEC, { -60, PKI_DAY, 0, 0 }, "not signed by it",
	    NULL },
	{ "the CA is revoked", ROOT, ROOT, { -60, PKI_DAY, 1001, 0 },
	    "CN=Sub: revoked by its CA", "only the leaf was asked about" },
	{ "the root's is expired", ROOT, ROOT, { -600, -60, 0, 0 },
	    "CN=Root: its CRL has expired", "only the leaf was asked about" },
	{ "the root's is forged", ROOT, EEC, { -60, PKI_DAY, 0, 0 },
	    "that is no CRL of this CA", "only the leaf was asked about" },
};

static void
judge_crl(struct pki *p, const struct crl_case *c, bool as_der)
{
	X509_CRL *crl = pki_crl(p->cert[c->ca], p->key[c->signer], &c->crl);
	char path[PATH_MAX];
	bool theirs = true;

	pki_put_crl(p, p->cert[c->ca], crl, "r0", as_der);
	if (still(p, 0, c->why != NULL ? c->why : c->name) != (c->why == NULL))
		fail_msg("%s", c->name);
	if (c->ca == SUB)
		theirs = openssl_accepts(p, EEC, 0, crl);
	if ((theirs == (c->why == NULL)) != (c->stricter == NULL))
		fail_msg("%s: OpenSSL differs", c->name);
	pki_path(p, p->cert[c->ca], "r0", path);
	assert_int_equal(unlink(path), 0);
	X509_CRL_free(crl);
}

static void
crls_of_every_ca_are_asked(void **state)
{
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_make(&p);
	pki_dir(&p);
	for (size_t i = 0; i < sizeof(crl_cases) / sizeof(crl_cases[0]); i++) {
		judge_crl(&p, &crl_cases[i], false);
		judge_crl(&p, &crl_cases[i], true);
	}
	/* No CRL at all is accepted; a file that is none is not. */
	assert_true(still(&p, 0, NULL));
	pki_text(&p, p.cert[SUB], "r0", "garbage\n");
	assert_false(still(&p, 0, "that is no CRL of this CA"));
	pki_text(&p, p.cert[SUB], "r0", "");
	assert_false(still(&p, 0, "that is no CRL of this CA"));
	pki_free(&p);
}

static void
drop(const struct pki *p, X509 *ca, const char *ending)
{
	char path[PATH_MAX];

	pki_path(p, ca, ending, path);
	assert_int_equal(unlink(path), 0);
}

static void
put_crl(const struct pki *p, enum pki_who ca)
{
	const struct pki_crl plain = { -60, PKI_DAY, 7, 0 };
	X509_CRL *crl = pki_crl(p->cert[ca], p->key[ca], &plain);

	pki_put_crl(p, p->cert[ca], crl, "r0", false);
	X509_CRL_free(crl);
}

static void
a_ca_without_crl_lets_nobody_in_unless_it_may(void **state)
{
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_make(&p);
	pki_dir(&p);
	drop(&p, p.cert[SUB], "crl_optional");
	assert_false(still(&p, 0, "CN=Sub: there is no CRL of this CA"));
	assert_true(still(&p, TRUST_CRL_OPTIONAL, NULL));
	put_crl(&p, SUB);
	assert_true(still(&p, 0, NULL));
	/* And the root above it, which is an anchor. */
	drop(&p, p.cert[ROOT], "crl_optional");
	assert_false(still(&p, 0, "CN=Root: there is no CRL of this CA"));
	put_crl(&p, ROOT);
	assert_true(still(&p, 0, NULL));
	/* What may be absent may still not be bad. */
	pki_text(&p, p.cert[SUB], "r0", "garbage\n");
	pki_text(&p, p.cert[SUB], "crl_optional", "");
	assert_false(still(&p, TRUST_CRL_OPTIONAL, "no CRL of this CA"));
	pki_free(&p);
}

static void
the_newest_crl_counts_and_proxies_of_the_revoked_fall_too(void **state)
{
	const struct pki_crl old = { -600, PKI_DAY, 0, 0 };
	const struct pki_crl new = { -60, PKI_DAY, 1002, 1 };
	struct trust_verdict verdict = { 0 };
	struct fault f = { 0 };
	X509_CRL *crl;
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_make(&p);
	pki_dir(&p);
	pki_anchor(&p, p.cert[SUB], "0");
	crl = pki_crl(p.cert[SUB], p.key[SUB], &new);
	pki_put_crl(&p, p.cert[SUB], crl, "r0", false);
	X509_CRL_free(crl);
	crl = pki_crl(p.cert[SUB], p.key[SUB], &old);
	pki_put_crl(&p, p.cert[SUB], crl, "r1", false);
	X509_CRL_free(crl);
	pki_text(&p, p.cert[SUB], "r2", "left over by an old program");
	assert_false(still(&p, 0, "its key is compromised"));
	assert_false(accepts(&p, DEEPER, 0, &verdict, &f));
	assert_non_null(strstr(f.text, "its key is compromised"));
	pki_free(&p);
}

static void
a_ca_that_may_not_sign_crls_does_not(void **state)
{
	const struct pki_crl plain = { -60, PKI_DAY, 0, 0 };
	X509_CRL *crl;
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_set(&p, SUB, KU, "critical,keyCertSign");
	pki_make(&p);
	pki_dir(&p);
	crl = pki_crl(p.cert[SUB], p.key[SUB], &plain);
	pki_put_crl(&p, p.cert[SUB], crl, "r0", false);
	assert_false(still(&p, 0, "its key signed a CRL and may not"));
	assert_false(openssl_accepts(&p, EEC, 0, crl));
	X509_CRL_free(crl);
	pki_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crls_of_every_ca_are_asked),
		cmocka_unit_test(a_ca_without_crl_lets_nobody_in_unless_it_may),
		cmocka_unit_test(
		    the_newest_crl_counts_and_proxies_of_the_revoked_fall_too),
		cmocka_unit_test(a_ca_that_may_not_sign_crls_does_not),
	};

	return cmocka_run_group_tests_name("trust/revoke", tests, NULL, NULL);
}
