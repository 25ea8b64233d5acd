#include "myproxy/myproxy_bootstrap.h"

#include "anchor/house_probe.h"
#include "base/file.h"
#include "trust/pki_probe.h"
#include "trust/verify.h"

#define HOST "slcs.example.org"

/* A chain of a server as it is shown: leaf, CA, root. */
struct shown {
	struct pki pki;
	struct cert_list chain;
};

static void
show(struct shown *s)
{
	pki_make(&s->pki);
	assert_true(pki_chain(&s->pki, EEC, &s->chain));
	assert_non_null(s->chain.cert[s->chain.count] =
			    pki_read(s->pki.cert[ROOT]));
	s->chain.count++;
}

static void
prepare(struct shown *s)
{
	memset(s, 0, sizeof(*s));
	pki_init(&s->pki);
	s->pki.spec[EEC].subject = PKI_BASE "/OU=Services/CN=" HOST;
	s->pki.spec[PROXY].subject = PKI_BASE "/CN=a";
	s->pki.spec[DEEPER].subject = PKI_BASE "/CN=b";
}

static void
drop(struct shown *s)
{
	cert_list_free(&s->chain);
	for (int i = 0; i < PKI_COUNT; i++) {
		EVP_PKEY_free(s->pki.key[i]);
		X509_free(s->pki.cert[i]);
	}
}

static int
check(struct shown *s, const char *host, const char *dn, struct fault *f)
{
	return myproxy_bootstrap_check(&s->chain, host, dn, PKI_NOW, f);
}

static void
a_chain_that_holds_together_is_taken(void **state)
{
	struct shown s;
	struct fault f;

	(void)state;
	prepare(&s);
	show(&s);
	assert_int_equal(check(&s, HOST, NULL, &f), 0);
	assert_int_equal(check(&s, "1.2.3.4", PKI_BASE "/OU=Services/CN=" HOST,
			     &f),
	    0);
	drop(&s);
}

static void
another_host_or_subject_is_refused(void **state)
{
	struct shown s;
	struct fault f;

	(void)state;
	prepare(&s);
	show(&s);
	assert_int_equal(check(&s, "other.example.org", NULL, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	assert_int_equal(check(&s, HOST, PKI_BASE "/CN=other", &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	drop(&s);
}

static void
a_forged_signature_anywhere_is_refused(void **state)
{
	(void)state;
	for (int who = ROOT; who <= EEC; who++) {
		struct shown s;
		struct fault f;

		prepare(&s);
		s.pki.spec[who].forged = true;
		show(&s);
		assert_int_equal(check(&s, HOST, NULL, &f), -1);
		drop(&s);
	}
}

static void
what_is_not_valid_now_is_refused(void **state)
{
	(void)state;
	for (int who = ROOT; who <= EEC; who++) {
		struct shown s;
		struct fault f;

		prepare(&s);
		s.pki.spec[who].ends = -60;
		show(&s);
		assert_int_equal(check(&s, HOST, NULL, &f), -1);
		drop(&s);
		prepare(&s);
		s.pki.spec[who].begins = 60;
		show(&s);
		assert_int_equal(check(&s, HOST, NULL, &f), -1);
		drop(&s);
	}
}

static void
an_end_entity_certifies_nobody(void **state)
{
	struct shown s;
	struct fault f;

	(void)state;
	prepare(&s);
	pki_set(&s.pki, SUB, "basicConstraints", "critical,CA:FALSE");
	show(&s);
	assert_int_equal(check(&s, HOST, NULL, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	drop(&s);
}

static void
a_chain_without_its_root_is_refused(void **state)
{
	struct shown s;
	struct fault f;

	(void)state;
	prepare(&s);
	show(&s);
	while (s.chain.count > 0) {
		cert_free(s.chain.cert[--s.chain.count]);
		assert_int_equal(check(&s, HOST, NULL, &f), -1);
		assert_int_equal(f.code, FAULT_UNTRUSTED);
	}
	drop(&s);
}

static void
count_line(void *arg, const char *line)
{
	int *prints = arg;

	if (strstr(line, "\n  SHA-256 ") != NULL)
		(*prints)++;
}

static void
what_is_installed_trusts_the_server_and_nobody_else(void **state)
{
	struct shown s;
	struct fault f;
	struct place place;
	struct trust_verdict verdict;
	struct cert_list other;
	int prints = 0;

	(void)state;
	prepare(&s);
	show(&s);
	place_init(&place);
	memcpy(s.pki.dir, place.dir, sizeof(s.pki.dir));
	assert_int_equal(myproxy_bootstrap_install(&s.chain, s.pki.dir, "host",
			     count_line, &prints, &f),
	    0);
	assert_int_equal(prints, 2);
	{
		OWN_STRUCT(trust_store)
		store = trust_load(s.pki.dir, false, NULL, NULL, &f);

		assert_non_null(store);
		assert_int_equal(trust_count(store), 2);
		assert_true(myproxy_bootstrap_known(store, &s.chain));
		assert_int_equal(trust_verify(store, &s.chain, PKI_NOW,
				     TRUST_SERVER, &verdict, &f),
		    0);
		/* Someone else of the same CA. */
		memset(&other, 0, sizeof(other));
		s.pki.spec[EEC].subject = PKI_PERSON;
		X509_free(s.pki.cert[EEC]);
		s.pki.cert[EEC] = pki_cert(&s.pki.spec[EEC], s.pki.key[EEC],
		    s.pki.cert[SUB], s.pki.key[SUB]);
		assert_true(pki_chain(&s.pki, EEC, &other));
		assert_int_equal(trust_verify(store, &other, PKI_NOW, 0,
				     &verdict, &f),
		    -1);
		assert_int_equal(f.code, FAULT_UNTRUSTED);
		cert_list_free(&other);
	}
	/* A second time nothing is overwritten. */
	assert_int_equal(myproxy_bootstrap_install(&s.chain, s.pki.dir, "host",
			     count_line, &prints, &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	place_drop(&place);
	drop(&s);
}

static void
a_name_that_would_end_the_quotes_is_not_put_into_a_policy(void **state)
{
	static const char *const names[] = { PKI_BASE "/CN=a'b",
		PKI_BASE "/CN=a\"b", PKI_BASE "/CN=*" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct place place;
		struct shown s;
		struct fault f;
		int prints = 0;

		prepare(&s);
		s.pki.spec[EEC].subject = names[i];
		show(&s);
		place_init(&place);
		memcpy(s.pki.dir, place.dir, sizeof(s.pki.dir));
		assert_int_equal(myproxy_bootstrap_install(&s.chain, s.pki.dir,
				     "host", count_line, &prints, &f),
		    -1);
		assert_int_equal(f.code, FAULT_UNTRUSTED);
		assert_int_equal(prints, 0);
		place_drop(&place);
		drop(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_that_holds_together_is_taken),
		cmocka_unit_test(another_host_or_subject_is_refused),
		cmocka_unit_test(a_forged_signature_anywhere_is_refused),
		cmocka_unit_test(what_is_not_valid_now_is_refused),
		cmocka_unit_test(an_end_entity_certifies_nobody),
		cmocka_unit_test(a_chain_without_its_root_is_refused),
		cmocka_unit_test(
		    what_is_installed_trusts_the_server_and_nobody_else),
		cmocka_unit_test(
		    a_name_that_would_end_the_quotes_is_not_put_into_a_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
