#include "trust/rfc3820.h"

#include "trust/mutation_probe.h"

#define DRAFT "1.3.6.1.4.1.3536.1.222"
#define DRAFT_INHERIT "critical,DER:300c300a06082b06010505071501"

static const struct mutation mutations[] = {
	{ "limited", true, .set = { { DEEPER, PCI, PKI_LIMITED } } },
	{ "full below limited", true, .set = { { PROXY, PCI, PKI_LIMITED } } },
	{ "independent", true, .set = { { DEEPER, PCI, PKI_INDEPENDENT } } },
	{ "a policy that nobody knows", false,
	    "nobody here can judge it (RFC 3820 3.8.2)",
	    .set = { { DEEPER, PCI,
		"critical,language:1.2.3.4,policy:text:abc" } } },
	{ "path length 1 with one below", true,
	    .set = { { PROXY, PCI, PKI_INHERIT ",pathlen:1" } } },
	{ "path length 0 with one below", false,
	    .set = { { PROXY, PCI, PKI_INHERIT ",pathlen:0" } } },
	{ "path length 0 at the end", true,
	    .set = { { DEEPER, PCI, PKI_INHERIT ",pathlen:0" } } },
	{ "a proxy with other names", false,
	    .set = { { DEEPER, SAN, "DNS:a.example.org" } } },
	{ "a proxy whose issuer has other names", false,
	    .set = { { DEEPER, "issuerAltName", "DNS:a.example.org" } } },
	{ "a proxy that says it is a CA", false,
	    .set = { { DEEPER, BC, "critical,CA:TRUE" } } },
	{ "a proxy that says it is none", true,
	    .set = { { DEEPER, BC, "critical,CA:FALSE" } } },
	{ "a proxy with a CA's usage", false, "RFC 3820 3.6 forbids it",
	    .set = { { DEEPER, KU,
		"critical,digitalSignature,keyCertSign" } } },
	{ "an end entity whose key may not sign", false,
	    .set = { { EEC, KU, "critical,keyEncipherment" } } },
	{ "a proxy whose key may not sign", false,
	    .set = { { PROXY, KU, "critical,keyEncipherment" } } },
	{ "a proxy of another name", false, .who = DEEPER,
	    .spec.subject = PKI_BASE "/OU=People/CN=Mallory/CN=1" },
	{ "a proxy with its issuer's name", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890" },
	{ "a proxy with two names more", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890/CN=1/CN=2" },
	{ "a proxy with an OU more", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890/OU=1" },
	{ "a proxy of a CA", false, .leaf = EEC, .who = EEC,
	    .spec.subject = PKI_BASE "/CN=Sub/CN=1",
	    .set = { { EEC, PCI, PKI_INHERIT } } },
	{ "a proxy's rights not critical", false, "RFC 3820 3.8",
	    .set = { { DEEPER, PCI, "language:1.3.6.1.5.5.7.21.1" } } },
	{ "legacy", true, "OpenSSL never heard of it", .leaf = PROXY,
	    .who = PROXY, .spec.subject = PKI_PERSON "/CN=proxy",
	    .set = { { PROXY, PCI, NULL }, { EEC, KU, NULL } } },
	{ "legacy, by a key that may not sign certificates", false,
	    .leaf = PROXY, .who = PROXY, .spec.subject = PKI_PERSON "/CN=proxy",
	    .set = { { PROXY, PCI, NULL } } },
	{ "legacy and limited", true, "OpenSSL never heard of it",
	    .leaf = PROXY, .who = PROXY,
	    .spec.subject = PKI_PERSON "/CN=limited proxy",
	    .set = { { PROXY, PCI, NULL }, { EEC, KU, NULL } } },
	{ "RFC 3820 below legacy", false, .who = PROXY,
	    .spec.subject = PKI_PERSON "/CN=proxy",
	    .set = { { PROXY, PCI, NULL } } },
	{ "draft", true, "OpenSSL never heard of it",
	    .set = { { PROXY, PCI, NULL }, { DEEPER, PCI, NULL },
		{ PROXY, DRAFT, DRAFT_INHERIT },
		{ DEEPER, DRAFT, DRAFT_INHERIT } } },
	{ "draft, not critical", false, .leaf = PROXY,
	    .set = { { PROXY, PCI, NULL },
		{ PROXY, DRAFT, "DER:300c300a06082b06010505071501" } } },
	{ "draft with a policy that nobody knows", false, .leaf = PROXY,
	    .set = { { PROXY, PCI, NULL },
		{ PROXY, DRAFT,
		    "critical,DER:300730050603"
		    "2a0304" } } },
	{ "draft below RFC 3820", false,
	    .set = { { DEEPER, PCI, NULL },
		{ DEEPER, DRAFT, DRAFT_INHERIT } } },
	{ "RFC 3820 below draft", false,
	    .set = { { PROXY, PCI, NULL }, { PROXY, DRAFT, DRAFT_INHERIT } } },
	{ "legacy below draft", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890/CN=proxy",
	    .set = { { PROXY, PCI, NULL }, { PROXY, DRAFT, DRAFT_INHERIT },
		{ DEEPER, PCI, NULL }, { PROXY, KU, NULL } } },
	{ "legacy below RFC 3820", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890/CN=proxy",
	    .set = { { DEEPER, PCI, NULL } } },
};

#define OLD_WORDS "make one of RFC 3820"

/* A plain chain whose proxies are of an older kind. */
static const struct mutation legacy_proxy = { .leaf = PROXY,
	.who = PROXY,
	.spec.subject = PKI_PERSON "/CN=proxy",
	.set = { { PROXY, PCI, NULL }, { EEC, KU, NULL } } };
static const struct mutation legacy_limited = { .leaf = PROXY,
	.who = PROXY,
	.spec.subject = PKI_PERSON "/CN=limited proxy",
	.set = { { PROXY, PCI, NULL }, { EEC, KU, NULL } } };
static const struct mutation draft_proxy = { .leaf = DEEPER,
	.set = { { PROXY, PCI, NULL }, { DEEPER, PCI, NULL },
	    { PROXY, DRAFT, DRAFT_INHERIT },
	    { DEEPER, DRAFT, DRAFT_INHERIT } } };
static const struct mutation rfc_proxy = { .leaf = DEEPER };

static void
a_site_that_wants_no_old_proxies_gets_none(void **state)
{
	static const struct {
		const struct mutation *m;
		unsigned no; /* the setting that keeps it out, if any does */
	} kinds[] = {
		{ &legacy_proxy, TRUST_NO_LEGACY },
		{ &legacy_limited, TRUST_NO_LEGACY },
		{ &draft_proxy, TRUST_NO_DRAFT },
		{ &rfc_proxy, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct pki p;

		pki_init(&p);
		mutate(&p, kinds[i].m);
		pki_make(&p);
		pki_dir(&p);
		for (int set = 0; set < 4; set++) {
			bool legacy = (set & 1) == 0, draft = (set & 2) == 0;
			unsigned flags = trust_flags(true, legacy, draft);
			struct trust_verdict verdict = { 0 };
			struct fault f = { 0 };

			assert_int_equal(accepts(&p, kinds[i].m->leaf, flags,
					     &verdict, &f),
			    (flags & kinds[i].no) == 0);
			if ((flags & kinds[i].no) == 0)
				continue;
			assert_int_equal(f.code, FAULT_UNTRUSTED);
			assert_non_null(strstr(f.text, OLD_WORDS));
		}
		pki_free(&p);
	}
}

static void
each_odd_proxy_is_judged_as_it_should_beside_openssl(void **state)
{
	(void)state;
	compare_all(mutations, sizeof(mutations) / sizeof(mutations[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    each_odd_proxy_is_judged_as_it_should_beside_openssl),
		cmocka_unit_test(a_site_that_wants_no_old_proxies_gets_none),
	};

	return cmocka_run_group_tests_name("trust/rfc3820", tests, NULL, NULL);
}
