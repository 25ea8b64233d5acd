#include "x509/cert_part.h"
#include "x509/cert_probe.h"

#define USER "/DC=org/CN=a"
#define RFC "1.3.6.1.5.5.7.1.14"
#define DRAFT "1.3.6.1.4.1.3536.1.222"
/* SEQUENCE { [pathlen,] SEQUENCE { language [, policy] } [, [1] pathlen] } */
#define INHERIT "300a06082b06010505071501"
#define INDEPENDENT "300a06082b06010505071502"
#define LIMITED "300d060b2b060104019b5001010109"
#define ANY "300a06082b06010505071500"
#define POLICY                       \
	"300d06082b0601050507150004" \
	"0178"

static const struct {
	struct cert_probe p;
	enum cert_kind kind;
	int path;
	bool limited;
	const char *text;
} proxies[] = {
	{ { .ext = { { RFC, "critical,DER:300c" INHERIT } } },
	    CERT_PROXY_IMPERSONATION, -1, false,
	    "RFC 3820 compliant impersonation proxy" },
	{ { .ext = { { RFC, "critical,DER:300f020105" INHERIT } } },
	    CERT_PROXY_IMPERSONATION, 5, false,
	    "RFC 3820 compliant impersonation proxy" },
	{ { .ext = { { RFC, "critical,DER:300c" INDEPENDENT } } },
	    CERT_PROXY_INDEPENDENT, -1, false,
	    "RFC 3820 compliant independent proxy" },
	{ { .ext = { { RFC, "critical,DER:3012020100" LIMITED } } },
	    CERT_PROXY_LIMITED, 0, true, "RFC 3820 compliant limited proxy" },
	{ { .ext = { { RFC, "critical,DER:300c" ANY } } },
	    CERT_PROXY_RESTRICTED, -1, false,
	    "RFC 3820 compliant restricted proxy" },
	{ { .ext = { { RFC, "critical,DER:300f" POLICY } } },
	    CERT_PROXY_RESTRICTED, -1, false,
	    "RFC 3820 compliant restricted proxy" },
	{ { .ext = { { RFC, "critical,DER:301202040fffffff" INHERIT } } },
	    CERT_PROXY_IMPERSONATION, INT16_MAX, false,
	    "RFC 3820 compliant impersonation proxy" },
	/* It must be critical, and is a proxy all the same. */
	{ { .ext = { { RFC, "DER:300c" INHERIT } } }, CERT_PROXY_IMPERSONATION,
	    -1, false, "RFC 3820 compliant impersonation proxy" },
	{ { .ext = { { DRAFT, "critical,DER:300c" INHERIT } } },
	    CERT_PROXY_DRAFT, -1, false,
	    "Proxy draft (pre-RFC) compliant impersonation proxy" },
	{ { .ext = { { DRAFT, "critical,DER:3011" INHERIT "a103020103" } } },
	    CERT_PROXY_DRAFT, 3, false,
	    "Proxy draft (pre-RFC) compliant impersonation proxy" },
	{ { .ext = { { DRAFT, "critical,DER:300c" INDEPENDENT } } },
	    CERT_PROXY_DRAFT_INDEPENDENT, -1, false,
	    "Proxy draft (pre-RFC) compliant independent proxy" },
	{ { .ext = { { DRAFT, "critical,DER:300f" LIMITED } } },
	    CERT_PROXY_DRAFT_LIMITED, -1, true,
	    "Proxy draft (pre-RFC) compliant limited proxy" },
	{ { .ext = { { DRAFT, "critical,DER:300f" POLICY } } },
	    CERT_PROXY_DRAFT_RESTRICTED, -1, false,
	    "Proxy draft (pre-RFC) compliant restricted proxy" },
	{ { .subject = USER "/CN=proxy", .issuer = USER }, CERT_PROXY_LEGACY,
	    -1, false, "full legacy globus proxy" },
	{ { .subject = USER "/CN=limited proxy", .issuer = USER },
	    CERT_PROXY_LEGACY_LIMITED, -1, true,
	    "limited legacy globus proxy" },
	{ { .v1 = true, .subject = USER "/CN=proxy", .issuer = USER },
	    CERT_PROXY_LEGACY, -1, false, "full legacy globus proxy" },
};

static void
proxies_of_three_generations_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++) {
		OWN_STRUCT(cert) cert = cert_probe_cert(&proxies[i].p);

		if (cert->kind != proxies[i].kind)
			fail_msg("case %zu: %s", i, cert_kind_text(cert->kind));
		assert_string_equal(cert_kind_text(cert->kind),
		    proxies[i].text);
		assert_int_equal(cert->path_length, proxies[i].path);
		assert_int_equal(cert_is_limited(cert), proxies[i].limited);
		assert_true(cert_is_proxy(cert));
		assert_false(cert->ca);
	}
}

static void
proxies_that_openssl_makes_are_read(void **state)
{
	struct cert_probe p = {
		.ext = { { "proxyCertInfo",
		    "critical,language:id-ppl-inheritAll,pathlen:2" } }
	};
	OWN(X509) x = cert_probe_make(&p);
	OWN_STRUCT(cert) cert = cert_probe_cert(&p);

	(void)state;
	assert_true((X509_get_extension_flags(x) & EXFLAG_PROXY) != 0);
	assert_int_equal(cert->kind, CERT_PROXY_IMPERSONATION);
	assert_int_equal(cert->path_length, X509_get_proxy_pathlen(x));
}

static void
what_only_looks_like_a_legacy_proxy_is_an_end_entity(void **state)
{
	static const struct cert_probe probes[] = {
		{ .subject = USER "/CN=proxy", .issuer = "/DC=org/CN=b" },
		{ .subject = USER "/CN=proxy", .issuer = "/DC=org" },
		{ .subject = USER "/OU=proxy", .issuer = USER },
		{ .subject = USER "/CN=Proxy", .issuer = USER },
		{ .subject = USER "/CN=proxy ", .issuer = USER },
		{ .subject = USER "/CN=2005028519", .issuer = USER },
		{ .subject = "/CN=proxy", .issuer = USER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		OWN_STRUCT(cert) cert = cert_probe_cert(&probes[i]);

		assert_int_equal(cert->kind, CERT_EEC);
		assert_false(cert_is_proxy(cert) || cert_is_limited(cert));
		assert_string_equal(cert_kind_text(cert->kind),
		    "end entity credential");
	}
}

static void
a_ca_is_no_proxy_whatever_it_is_called(void **state)
{
	struct cert_probe p = { .subject = USER "/CN=proxy",
		.issuer = USER,
		.ext = { { "basicConstraints", "critical,CA:TRUE" } } };
	struct cert_probe both = {
		.ext = { { "basicConstraints", "critical,CA:TRUE" },
		    { RFC, "critical,DER:300c" INHERIT } }
	};
	struct cert_probe twice = {
		.ext = { { DRAFT, "critical,DER:300c" INHERIT },
		    { RFC, "critical,DER:300c" INHERIT } }
	};
	OWN_STRUCT(cert) cert = cert_probe_cert(&p);
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(cert->kind, CERT_CA);
	assert_string_equal(cert_kind_text(cert->kind), "CA certificate");
	assert_null(cert_probe_try(&both, &f));
	assert_int_equal(f.code, FAULT_INPUT);
	f.code = FAULT_NONE;
	assert_null(cert_probe_try(&twice, &f));
	assert_int_equal(f.code, FAULT_INPUT);
}

static void
an_old_root_without_extensions_is_a_ca(void **state)
{
	struct cert_probe root = {
		.v1 = true, .subject = "/O=a", .issuer = "/O=a"
	};
	struct cert_probe leaf = {
		.v1 = true, .subject = "/O=a/CN=b", .issuer = "/O=a"
	};
	struct cert_probe modern = { .subject = "/O=a", .issuer = "/O=a" };
	OWN_STRUCT(cert) a = cert_probe_cert(&root);
	OWN_STRUCT(cert) b = cert_probe_cert(&leaf);
	OWN_STRUCT(cert) c = cert_probe_cert(&modern);

	(void)state;
	assert_int_equal(a->version, 1);
	assert_int_equal(a->kind, CERT_CA);
	assert_true(a->ca && cert_is_self_issued(a));
	assert_int_equal(b->kind, CERT_EEC);
	assert_false(cert_is_self_issued(b));
	assert_int_equal(c->kind, CERT_EEC);
}

static void
the_identity_is_below_all_proxies(void **state)
{
	struct cert_probe ext = { .ext = {
				      { RFC, "critical,DER:300c" INHERIT } } };
	struct cert_probe eec = { .subject = USER };
	struct cert_probe one = ext, two = ext, own = { .subject = NULL };
	struct cert_list chain = { .count = 0 };
	struct fault f = { 0 };
	struct dn identity;

	(void)state;
	one.subject = USER "/CN=1";
	one.issuer = USER;
	two.subject = USER "/CN=1/CN=2";
	two.issuer = USER "/CN=1";
	own = two;
	own.ext[0].value = "critical,DER:300c" INDEPENDENT;
	{
		OWN_STRUCT(cert) e = cert_probe_cert(&eec);
		OWN_STRUCT(cert) p1 = cert_probe_cert(&one);
		OWN_STRUCT(cert) p2 = cert_probe_cert(&two);
		OWN_STRUCT(cert) p3 = cert_probe_cert(&own);

		chain.cert[0] = e;
		chain.cert[1] = p1;
		chain.count = 2;
		assert_int_equal(cert_identity(p2, &chain, &identity, &f), 0);
		assert_true(dn_equal(&identity, &e->subject));
		assert_int_equal(cert_identity(e, &chain, &identity, &f), 0);
		assert_true(dn_equal(&identity, &e->subject));
		assert_int_equal(cert_identity(p3, &chain, &identity, &f), 0);
		assert_true(dn_equal(&identity, &p3->subject));
		chain.count = 1;
		assert_int_equal(cert_identity(p2, &chain, &identity, &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
		chain.count = 0;
		assert_int_equal(cert_identity(p1, &chain, &identity, &f), -1);
	}
}

static void
a_ring_of_proxies_has_no_identity(void **state)
{
	struct cert_probe p = { .subject = "/O=a",
		.issuer = "/O=b",
		.ext = { { RFC, "critical,DER:300c" INHERIT } } };
	struct cert_probe q = p;
	struct cert_list chain = { .count = 2 };
	struct fault f = { 0 };
	struct dn identity;

	(void)state;
	q.subject = "/O=b";
	q.issuer = "/O=a";
	chain.cert[0] = cert_probe_cert(&p);
	chain.cert[1] = cert_probe_cert(&q);
	assert_int_equal(cert_identity(chain.cert[0], &chain, &identity, &f),
	    -1);
	cert_list_free(&chain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proxies_of_three_generations_are_told_apart),
		cmocka_unit_test(proxies_that_openssl_makes_are_read),
		cmocka_unit_test(
		    what_only_looks_like_a_legacy_proxy_is_an_end_entity),
		cmocka_unit_test(a_ca_is_no_proxy_whatever_it_is_called),
		cmocka_unit_test(an_old_root_without_extensions_is_a_ca),
		cmocka_unit_test(the_identity_is_below_all_proxies),
		cmocka_unit_test(a_ring_of_proxies_has_no_identity),
	};

	return cmocka_run_group_tests_name("x509/cert_kind", tests, NULL, NULL);
}
