#include "trust/path.h"

#include "trust/verify_probe.h"

/* Judge ${chain}, whose certificates stay the caller's. */
static int
judge(const struct pki *p, const struct cert_list *chain,
    struct trust_verdict *verdict, struct fault *f)
{
	OWN_STRUCT(trust_store) store = trust_load(p->dir, true, NULL, NULL, f);
	int answer;

	assert_non_null(store);
	answer = trust_verify(store, chain, PKI_NOW, 0, verdict, f);
	verdict->anchor = NULL;
	return answer;
}

static void
plain(struct pki *p, struct cert_list *chain)
{
	pki_init(p);
	pki_make(p);
	pki_dir(p);
	assert_true(pki_chain(p, DEEPER, chain));
}

static void
what_follows_the_leaf_comes_in_any_order(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct cert_list chain;
	struct fault f = { 0 };
	struct cert *swap;
	struct pki p;

	(void)state;
	plain(&p, &chain);
	swap = chain.cert[1];
	chain.cert[1] = chain.cert[3];
	chain.cert[3] = swap;
	assert_int_equal(judge(&p, &chain, &verdict, &f), 0);
	assert_int_equal(verdict.depth, 5);
	cert_list_free(&chain);
	pki_free(&p);
}

static void
a_root_that_is_sent_is_a_hint_and_no_more(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct cert_list chain;
	struct fault f = { 0 };
	char path[PATH_MAX];
	struct pki p;

	(void)state;
	plain(&p, &chain);
	chain.cert[chain.count++] = pki_read(p.cert[ROOT]);
	assert_int_equal(judge(&p, &chain, &verdict, &f), 0);
	pki_path(&p, p.cert[ROOT], "0", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(judge(&p, &chain, &verdict, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	cert_list_free(&chain);
	pki_free(&p);
}

static void
each_missing_link_is_named(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct cert_list chain;
	struct pki p;

	(void)state;
	plain(&p, &chain);
	for (size_t gone = 1; gone < chain.count; gone++) {
		struct cert_list less = chain;
		struct fault f = { 0 };

		less.cert[gone] = less.cert[--less.count];
		assert_int_equal(judge(&p, &less, &verdict, &f), -1);
		assert_non_null(strstr(f.text, "neither known nor sent"));
	}
	cert_list_free(&chain);
	pki_free(&p);
}

/* A certificate like ${who}'s with another key and the same name. */
static struct cert *
namesake(const struct pki *p, enum pki_who who)
{
	OWN(EVP_PKEY) key = pki_key("EC");
	enum pki_who above = who == ROOT ? ROOT : (enum pki_who)(who - 1);
	OWN(X509) x =
	    pki_cert(&p->spec[who], key, who == ROOT ? NULL : p->cert[above],
		who == ROOT ? key : p->key[above]);
	struct cert *cert = pki_read(x);

	assert_non_null(cert);
	return cert;
}

static void
of_two_cas_of_one_name_the_one_that_signed_is_found(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct cert_list chain;
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	for (int with_key_ids = 0; with_key_ids < 2; with_key_ids++) {
		pki_init(&p);
		if (with_key_ids == 0)
			pki_set(&p, EEC, "authorityKeyIdentifier", NULL);
		pki_make(&p);
		pki_dir(&p);
		assert_true(pki_chain(&p, DEEPER, &chain));
		/* The wrong ones stand first. */
		chain.cert[chain.count] = chain.cert[1];
		chain.cert[1] = namesake(&p, SUB);
		chain.count++;
		chain.cert[chain.count] = chain.cert[2];
		chain.cert[2] = namesake(&p, EEC);
		chain.count++;
		assert_int_equal(judge(&p, &chain, &verdict, &f), 0);
		assert_int_equal(verdict.depth, 5);
		cert_list_free(&chain);
		pki_free(&p);
	}
}

static void
two_roots_of_one_name_are_both_tried(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct cert_list chain;
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_set(&p, SUB, "authorityKeyIdentifier", NULL);
	pki_make(&p);
	pki_dir(&p);
	assert_true(pki_chain(&p, EEC, &chain));
	/* The right one is the second file of that hash. */
	pki_anchor(&p, p.cert[ROOT], "1");
	{
		OWN(EVP_PKEY) key = pki_key("EC");
		OWN(X509) other = pki_cert(&p.spec[ROOT], key, NULL, key);

		pki_anchor(&p, other, "0");
	}
	assert_int_equal(judge(&p, &chain, &verdict, &f), 0);
	cert_list_free(&chain);
	pki_free(&p);
}

static void
an_expired_namesake_does_not_stand_in_the_way(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct cert_list chain;
	struct fault f = { 0 };
	struct pki_spec old;
	struct cert *expired;
	struct pki p;

	(void)state;
	plain(&p, &chain);
	old = p.spec[SUB];
	old.ends = -60;
	{
		OWN(X509) x =
		    pki_cert(&old, p.key[SUB], p.cert[ROOT], p.key[ROOT]);

		expired = pki_read(x);
	}
	assert_non_null(expired);
	chain.cert[chain.count] = chain.cert[1];
	chain.cert[1] = expired;
	chain.count++;
	assert_int_equal(judge(&p, &chain, &verdict, &f), 0);
	cert_list_free(&chain);
	pki_free(&p);
}

static void
a_chain_full_of_namesakes_is_given_up_in_time(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct cert_list chain = { 0 };
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	pki_init(&p);
	/* CAs that name one another as issuers, each with a key of its own. */
	p.spec[SUB].issuer = p.spec[SUB].subject;
	p.spec[EEC].forged = true;
	pki_make(&p);
	pki_dir(&p);
	chain.cert[chain.count++] = pki_read(p.cert[EEC]);
	while (chain.count < CERT_LIST_MAX)
		chain.cert[chain.count++] = namesake(&p, SUB);
	assert_int_equal(judge(&p, &chain, &verdict, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	cert_list_free(&chain);
	pki_free(&p);
}

static void
circles_end(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct cert_list chain = { 0 };
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	pki_init(&p);
	/* The CA signs the one that signed it; neither is in the directory. */
	pki_make(&p);
	pki_dir(&p);
	{
		struct pki_spec back = p.spec[ROOT];
		OWN(X509) x =
		    pki_cert(&back, p.key[ROOT], p.cert[SUB], p.key[SUB]);

		assert_true(pki_chain(&p, EEC, &chain));
		chain.cert[chain.count++] = pki_read(x);
	}
	pki_remove(p.dir);
	assert_int_equal(mkdir(p.dir, 0700), 0);
	assert_int_equal(judge(&p, &chain, &verdict, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	cert_list_free(&chain);
	pki_free(&p);
}

static void
no_certificate_is_no_identity(void **state)
{
	struct trust_verdict verdict = { 0 };
	struct cert_list chain = { 0 };
	struct cert_list empty = { 0 };
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	plain(&p, &chain);
	assert_int_equal(judge(&p, &empty, &verdict, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	cert_list_free(&chain);
	pki_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_the_leaf_comes_in_any_order),
		cmocka_unit_test(a_root_that_is_sent_is_a_hint_and_no_more),
		cmocka_unit_test(each_missing_link_is_named),
		cmocka_unit_test(
		    of_two_cas_of_one_name_the_one_that_signed_is_found),
		cmocka_unit_test(two_roots_of_one_name_are_both_tried),
		cmocka_unit_test(an_expired_namesake_does_not_stand_in_the_way),
		cmocka_unit_test(a_chain_full_of_namesakes_is_given_up_in_time),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(no_certificate_is_no_identity),
	};

	return cmocka_run_group_tests_name("trust/path", tests, NULL, NULL);
}
