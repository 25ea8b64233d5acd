#include "trust/host.h"

#include "base/fault.h"
#include "trust/pki_probe.h"
#include "trust/verify.h"

struct host_case {
	const char *cn; /* NULL: the plain one's */
	const char *alt;
	const char *host;
	bool good;
};

static const struct host_case cases[] = {
	{ NULL, "DNS:a.example.org", "a.example.org", true },
	{ NULL, "DNS:a.example.org", "A.Example.ORG", true },
	{ NULL, "DNS:a.example.org", "a.example.org.", true },
	{ NULL, "DNS:b.example.org,DNS:a.example.org", "a.example.org", true },
	{ NULL, "DNS:a.example.org", "b.example.org", false },
	{ NULL, "DNS:a.example.org", "x.a.example.org", false },
	{ NULL, "DNS:a.example.org", "a.example.orgx", false },
	{ NULL, "DNS:a.example.org", "", false },
	{ NULL, "DNS:*.example.org", "a.example.org", true },
	{ NULL, "DNS:*.example.org", "b.a.example.org", false },
	{ NULL, "DNS:*.example.org", "example.org", false },
	{ NULL, "DNS:*.example.org", "*.example.org", false },
	{ NULL, "DNS:*.org", "example.org", false },
	{ NULL, "DNS:*", "localhost", false },
	{ NULL, "DNS:a*.example.org", "ab.example.org", false },
	{ NULL, "DNS:*.*.org", "a.example.org", false },
	{ NULL, "IP:192.0.2.7", "192.0.2.7", true },
	{ NULL, "IP:192.0.2.7", "192.0.2.8", false },
	{ NULL, "DNS:192.0.2.7", "192.0.2.7", false },
	{ NULL, "IP:2001:db8::1", "2001:db8:0:0::1", true },
	{ NULL, "IP:2001:db8::1", "2001:db8::2", false },
	{ NULL, "DNS:*.0.2.7", "192.0.2.7", false },
	/* The CN counts only without any dNSName. */
	{ "/O=T/CN=a.example.org", NULL, "a.example.org", true },
	{ "/O=T/CN=a.example.org", "DNS:b.example.org", "a.example.org",
	    false },
	{ "/O=T/CN=a.example.org", "email:x@a.example.org", "a.example.org",
	    true },
	{ "/O=T/CN=a.example.org", NULL, "b.example.org", false },
	{ "/O=T/CN=192.0.2.7", NULL, "192.0.2.7", false },
	{ "/O=T/CN=*.example.org", NULL, "a.example.org", true },
	{ "/O=T/CN=a.example.org/CN=b.example.org", NULL, "a.example.org",
	    false },
	{ "/O=T/CN=a.example.org/CN=b.example.org", NULL, "b.example.org",
	    true },
	{ "/O=T/CN=Alice Example", NULL, "Alice Example", false },
	{ "/O=T", NULL, "a.example.org", false },
};

static struct cert *
host_cert(const char *cn, const char *alt)
{
	struct pki_spec spec = pki_plain[EEC];
	OWN(EVP_PKEY) key = pki_key("EC");
	OWN(X509) x = NULL;
	struct cert *cert;

	spec.ends = PKI_DAY;
	spec.version = 2;
	spec.serial = 1;
	memset(spec.ext, 0, sizeof(spec.ext));
	spec.ext[0] = (struct pki_extension){ "subjectAltName", alt };
	if (cn != NULL)
		spec.subject = cn;
	x = pki_cert(&spec, key, NULL, key);
	assert_non_null(cert = pki_read(x));
	return cert;
}

static void
hosts_are_named_as_rfc_2818_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct host_case *c = &cases[i];
		struct cert *cert = host_cert(c->cn, c->alt);
		struct fault f = { 0 };

		if ((trust_check_host(cert, c->host, &f) == 0) != c->good)
			fail_msg("%zu: %s for %s: %s", i,
			    c->alt != NULL ? c->alt : c->cn, c->host, f.text);
		if (!c->good)
			assert_int_equal(f.code, FAULT_UNTRUSTED);
		cert_free(cert);
	}
}

static struct cert *
service_cert(const char *cn)
{
	OWN(EVP_PKEY) key = pki_key("EC");
	OWN(X509) x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	struct cert *cert;

	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)cn, -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(x, name), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), PKI_NOW));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), PKI_NOW + 9));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_non_null(cert = pki_read(x));
	return cert;
}

static void
service_names_are_cut_off_the_cn(void **state)
{
	static const char *const good[] = { "host/a.example.org",
		"myproxy/a.example.org", "a.example.org" };
	static const char *const bad[] = { "ftp/a.example.org",
		"host/host/a.example.org", "a.example.org/host", "host/" };
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct cert *cert = service_cert(good[i]);

		assert_int_equal(trust_check_host(cert, "a.example.org", &f),
		    0);
		cert_free(cert);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cert *cert = service_cert(bad[i]);

		assert_int_equal(trust_check_host(cert, "a.example.org", &f),
		    -1);
		cert_free(cert);
	}
}

static void
a_refusal_says_which_names_there_are(void **state)
{
	struct cert *cert =
	    host_cert(NULL, "DNS:a.example.org,DNS:b.example.org");
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(trust_check_host(cert, "c.example.org", &f), -1);
	assert_non_null(strstr(f.text,
	    "it is not for c.example.org; its names: a.example.org "
	    "b.example.org"));
	cert_free(cert);
}

static void
a_nul_in_a_name_covers_nothing(void **state)
{
	/* The value "a.example.org\0.evil" as a GeneralName of tag 2. */
	const char *alt = "DER:30158213612e6578616d706c652e6f7267002e6576696c";
	struct cert *cert = host_cert("/O=T/CN=a.example.org", alt);
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(trust_check_host(cert, "a.example.org", &f), -1);
	cert_free(cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_named_as_rfc_2818_says),
		cmocka_unit_test(service_names_are_cut_off_the_cn),
		cmocka_unit_test(a_refusal_says_which_names_there_are),
		cmocka_unit_test(a_nul_in_a_name_covers_nothing),
	};

	return cmocka_run_group_tests_name("trust/host", tests, NULL, NULL);
}
