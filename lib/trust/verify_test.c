#include "trust/verify.h"

#include "trust/verify_probe.h"

static void
a_fault_names_the_certificate_and_the_rule(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	pki_init(&p);
	p.spec[DEEPER].ends = -60;
	pki_make(&p);
	pki_dir(&p);
	assert_false(accepts(&p, DEEPER, 0, &verdict, &f));
	assert_int_equal(f.code, FAULT_EXPIRED);
	assert_non_null(strstr(f.text, "CN=9876543210: expired at 2027-01-15"));
	pki_free(&p);

	pki_init(&p);
	p.spec[EEC].forged = true;
	pki_make(&p);
	pki_dir(&p);
	assert_false(accepts(&p, EEC, 0, &verdict, &f));
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	assert_non_null(strstr(f.text, "CN=Alice Example: not signed with"));
	pki_free(&p);
}

static void
the_verdict_is_about_the_whole_chain(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct fault f = { 0 };
	char name[DN_TEXT_MAX];
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_set(&p, PROXY, PCI, PKI_LIMITED);
	p.spec[PROXY].ends = 100;
	pki_make(&p);
	pki_dir(&p);
	assert_true(accepts(&p, DEEPER, TRUST_CLIENT, &verdict, &f));
	assert_true(verdict.proxy);
	assert_true(verdict.limited);
	assert_int_equal(verdict.not_after, PKI_NOW + 100);
	assert_int_equal(verdict.depth, 5);
	assert_int_equal(dn_show_slash(&verdict.identity, name, sizeof(name)),
	    0);
	assert_string_equal(name, PKI_PERSON);

	assert_true(accepts(&p, EEC, TRUST_CLIENT, &verdict, &f));
	assert_false(verdict.proxy);
	assert_false(verdict.limited);
	assert_int_equal(verdict.depth, 3);
	pki_free(&p);
}

static void
an_independent_proxy_is_nobody_but_itself(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct fault f = { 0 };
	char name[DN_TEXT_MAX];
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_set(&p, PROXY, PCI, PKI_INDEPENDENT);
	pki_make(&p);
	pki_dir(&p);
	assert_true(accepts(&p, DEEPER, 0, &verdict, &f));
	assert_int_equal(dn_show_slash(&verdict.identity, name, sizeof(name)),
	    0);
	assert_string_equal(name, PKI_PERSON "/CN=1234567890");
	pki_free(&p);
}

static void
each_ca_of_a_chain_needs_a_signing_policy_that_covers(void **state)
{
	char path[PATH_MAX];
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_make(&p);
	pki_dir(&p);
	assert_true(still(&p, 0, NULL));
	pki_policy(&p, p.cert[SUB], PKI_BASE "/OU=Hosts/*");
	assert_false(still(&p, 0, "Alice Example: its name is outside"));
	assert_true(still(&p, TRUST_NO_SIGNING_POLICY, NULL));
	pki_text(&p, p.cert[SUB], "signing_policy", "garbage\n");
	assert_false(still(&p, 0, "CN=Sub: its signing policy "));
	pki_path(&p, p.cert[SUB], "signing_policy", path);
	assert_int_equal(unlink(path), 0);
	assert_false(still(&p, 0, "CN=Sub: this CA has no signing policy"));
	pki_policy(&p, p.cert[SUB], PKI_BASE "/OU=People/*");
	pki_policy(&p, p.cert[ROOT], "/O=Elsewhere/*");
	assert_false(still(&p, 0, "CN=Sub: its name is outside"));
	/* An anchor of its own changes nothing: the way leads to the root. */
	pki_policy(&p, p.cert[ROOT], PKI_BASE "/*");
	pki_anchor(&p, p.cert[SUB], "0");
	assert_true(still(&p, 0, NULL));
	pki_path(&p, p.cert[ROOT], "0", path);
	assert_int_equal(unlink(path), 0);
	assert_false(still(&p, 0, "neither known nor sent"));
	pki_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_names_the_certificate_and_the_rule),
		cmocka_unit_test(the_verdict_is_about_the_whole_chain),
		cmocka_unit_test(an_independent_proxy_is_nobody_but_itself),
		cmocka_unit_test(
		    each_ca_of_a_chain_needs_a_signing_policy_that_covers),
	};

	return cmocka_run_group_tests_name("trust/verify", tests, NULL, NULL);
}
