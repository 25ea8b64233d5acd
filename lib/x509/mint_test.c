#include "x509/mint.h"

#include "base/clock.h"
#include "x509/mint_probe.h"
#include "x509/own_ssl.h"

#include <stdio.h>

static X509 *
parse(const struct made *m)
{
	const uint8_t *at = m->der.data;
	X509 *x = d2i_X509(NULL, &at, (long)m->der.len);

	assert_non_null(x);
	assert_ptr_equal(at, m->der.data + m->der.len);
	return x;
}

/* One line an extension: its short name, and '!' if it is critical. */
static void
assert_extensions(const X509 *x, const char *want)
{
	char have[256] = "";
	size_t len = 0;

	for (int i = 0; i < X509_get_ext_count(x); i++) {
		X509_EXTENSION *e = X509_get_ext(x, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(e));

		len += (size_t)snprintf(have + len, sizeof(have) - len, "%s%s ",
		    OBJ_nid2sn(nid), X509_EXTENSION_get_critical(e) ? "!" : "");
	}
	assert_string_equal(have, want);
}

/* What `openssl x509 -text` prints of extension ${nid}. */
static void
assert_extension_text(const X509 *x, int nid, const char *want)
{
	OWN(BIO) out = BIO_new(BIO_s_mem());
	int at = X509_get_ext_by_NID(x, nid, -1);
	char *text = NULL;
	long len;

	assert_true(at >= 0);
	assert_int_equal(X509V3_EXT_print(out, X509_get_ext(x, at), 0, 0), 1);
	len = BIO_get_mem_data(out, &text);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(text, want, strlen(want));
}

static void
assert_signed_by(X509 *x, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	assert_non_null(key);
	assert_int_equal(X509_verify(x, key), 1);
	assert_int_equal(X509_check_issued(issuer, x), X509_V_OK);
}

/* The one table of what each kind contains, for one pair of CA keys. */
static void
check_family(const char *root_key, const char *sub_key, const char *user_key)
{
	static const char *const dns[] = { "h.example.org", "www.example.org",
		NULL };
	static const char *const emails[] = { "ops@example.org", NULL };
	struct made root =
	    probe_make("root", root_key, PROBE_ROOT, NULL, NULL, NULL, NULL);
	struct authority *top = probe_authority(&root, PROBE_ROOT_CONF);
	struct made sub =
	    probe_make("sub-ca", sub_key, PROBE_SUB, top, root.key, NULL, NULL);
	struct authority *ca = probe_authority(&sub, PROBE_SUB_CONF);
	struct made user = probe_make("slcs-user", user_key,
	    "/DC=org/O=Ex/OU=People/CN=a.b@EX.ORG", ca, sub.key, NULL, NULL);
	struct made host = probe_make("host", user_key,
	    "/DC=org/O=Ex/OU=Services/CN=h.example.org", ca, sub.key, dns,
	    NULL);
	struct made robot = probe_make("robot", user_key,
	    "/DC=org/O=Ex/OU=Services/CN=Robot: copy - ops", ca, sub.key, NULL,
	    emails);
	X509 *xroot = parse(&root), *xsub = parse(&sub), *xuser = parse(&user);
	X509 *xhost = parse(&host), *xrobot = parse(&robot);

	assert_signed_by(xroot, xroot);
	assert_signed_by(xsub, xroot);
	assert_signed_by(xuser, xsub);
	assert_signed_by(xhost, xsub);
	assert_signed_by(xrobot, xsub);
	assert_extensions(xroot,
	    "basicConstraints! keyUsage! subjectKeyIdentifier "
	    "authorityKeyIdentifier ");
	assert_extension_text(xroot, NID_basic_constraints, "CA:TRUE");
	assert_extension_text(xroot, NID_key_usage,
	    "Certificate Sign, CRL Sign");
	assert_extensions(xsub,
	    "basicConstraints! keyUsage! subjectKeyIdentifier "
	    "authorityKeyIdentifier crlDistributionPoints authorityInfoAccess "
	    "certificatePolicies ");
	assert_extension_text(xsub, NID_basic_constraints,
	    "CA:TRUE, pathlen:0");
	assert_extensions(xuser,
	    "basicConstraints! keyUsage! extendedKeyUsage "
	    "subjectKeyIdentifier authorityKeyIdentifier "
	    "crlDistributionPoints certificatePolicies ");
	assert_extension_text(xuser, NID_basic_constraints, "CA:FALSE");
	assert_extension_text(xuser, NID_ext_key_usage,
	    "TLS Web Client Authentication");
	assert_extension_text(xuser, NID_key_usage,
	    user_key[0] == 'r' ? "Digital Signature, Key Encipherment"
			       : "Digital Signature");
	assert_extension_text(xhost, NID_ext_key_usage,
	    "TLS Web Server Authentication, TLS Web Client Authentication");
	assert_extension_text(xhost, NID_subject_alt_name,
	    "DNS:h.example.org, DNS:www.example.org");
	assert_extension_text(xrobot, NID_subject_alt_name,
	    "email:ops@example.org");
	X509_free(xroot);
	X509_free(xsub);
	X509_free(xuser);
	X509_free(xhost);
	X509_free(xrobot);
	authority_clear(top);
	authority_clear(ca);
	free(top);
	free(ca);
	made_free(&root);
	made_free(&sub);
	made_free(&user);
	made_free(&host);
	made_free(&robot);
}

static void
every_profile_passes_the_gate_and_openssl_agrees(void **state)
{
	(void)state;
	check_family("ec:P-384", "ec:P-256", "ec:P-256");
	check_family("ec:P-256", "rsa:2048", "rsa:2048");
}

static void
the_thirty_year_root_ends_in_generalized_time(void **state)
{
	struct made root =
	    probe_make("root", "ec:P-256", PROBE_ROOT, NULL, NULL, NULL, NULL);
	X509 *x = parse(&root);

	(void)state;
	assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(x)),
	    V_ASN1_UTCTIME);
	assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(x)),
	    V_ASN1_GENERALIZEDTIME);
	X509_free(x);
	made_free(&root);
}

static void
a_lifetime_is_cut_by_each_of_its_ceilings(void **state)
{
	const int64_t day = 86400;
	struct profile *p = probe_profile("slcs-user");
	struct authority *a = calloc(1, sizeof(*a));
	struct cert cert = { .not_before = MINT_NOW - day,
		.not_after = MINT_NOW + 100 * day };
	struct fault f = { 0 };
	time_t from, until;

	(void)state;
	assert_non_null(a);
	a->cert = &cert;
	a->conf.max_lifetime = 1000000;
	assert_int_equal(mint_times(p, a, MINT_NOW, 0, &from, &until, &f), 0);
	assert_int_equal(from, MINT_NOW - 300);
	assert_int_equal(until, MINT_NOW + 43200);
	/* What is asked counts from now. */
	assert_int_equal(mint_times(p, a, MINT_NOW, 3600, &from, &until, &f),
	    0);
	assert_int_equal(until, MINT_NOW + 3600);
	/* The profile's maximum counts from notBefore. */
	assert_int_equal(mint_times(p, a, MINT_NOW, INT64_MAX, &from, &until,
			     &f),
	    0);
	assert_int_equal(until - from, 1000000);
	a->conf.max_lifetime = day;
	assert_int_equal(mint_times(p, a, MINT_NOW, 2 * day, &from, &until, &f),
	    0);
	assert_int_equal(until - from, day);
	/* The smallest ceiling leaves no room for backdating. */
	a->conf.max_lifetime = 60;
	assert_int_equal(mint_times(p, a, MINT_NOW, 0, &from, &until, &f), 0);
	assert_int_equal(from, MINT_NOW);
	assert_int_equal(until, MINT_NOW + 60);
	/* Never past the issuer, nor before it. */
	a->conf.max_lifetime = 1000000;
	cert.not_before = MINT_NOW - 10;
	cert.not_after = MINT_NOW + 100;
	assert_int_equal(mint_times(p, a, MINT_NOW, 0, &from, &until, &f), 0);
	assert_int_equal(from, MINT_NOW - 10);
	assert_int_equal(until, MINT_NOW + 100);
	free(a);
	free(p);
}

static void
an_issuer_that_is_over_or_not_yet_signs_nothing(void **state)
{
	struct profile *p = probe_profile("slcs-user");
	struct authority *a = calloc(1, sizeof(*a));
	struct cert cert = { .not_before = 0, .not_after = MINT_NOW + 59 };
	struct fault f = { 0 };
	time_t from, until;

	(void)state;
	assert_non_null(a);
	a->cert = &cert;
	a->conf.max_lifetime = 1000000;
	assert_int_equal(mint_times(p, a, MINT_NOW, 0, &from, &until, &f), -1);
	assert_int_equal(f.code, FAULT_EXPIRED);
	cert.not_after = MINT_NOW + 60;
	assert_int_equal(mint_times(p, a, MINT_NOW, 0, &from, &until, &f), 0);
	cert.not_before = MINT_NOW + 1;
	assert_int_equal(mint_times(p, a, MINT_NOW, 0, &from, &until, &f), -1);
	assert_int_equal(f.code, FAULT_EXPIRED);
	free(a);
	free(p);
}

static void
what_makes_no_certificate_is_refused(void **state)
{
	static const uint8_t one[] = { 1 };
	static const uint8_t zeroes[20] = { 0 };
	static const uint8_t high[20] = { 0x80 };
	static const char *const blank[] = { "a b", NULL };
	struct profile *p = probe_profile("slcs-user");
	struct key *key;
	struct fault f = { 0 };
	struct mint good = { 0 }, bad;
	OWN_BUF(tbs, CERT_MAX);

	(void)state;
	key = key_make("ec:P-256", &f);
	assert_non_null(key);
	assert_int_equal(dn_read_slash(&good.subject, "/CN=a", &f), 0);
	good.profile = p;
	good.serial = one;
	good.serial_len = 1;
	good.not_after = 1;
	good.spki = *key_spki(key);
	good.signer_kind = KEY_P256;
	assert_int_equal(mint_tbs(&good, &tbs, &f), 0);
	bad = good;
	bad.serial = zeroes;
	bad.serial_len = sizeof(zeroes);
	assert_int_equal(mint_tbs(&bad, &tbs, &f), -1);
	bad.serial = high;
	assert_int_equal(mint_tbs(&bad, &tbs, &f), -1);
	bad = good;
	bad.not_after = bad.not_before;
	assert_int_equal(mint_tbs(&bad, &tbs, &f), -1);
	bad = good;
	bad.subject.len = 0;
	assert_int_equal(mint_tbs(&bad, &tbs, &f), -1);
	bad = good;
	bad.dns_names = blank;
	assert_int_equal(mint_tbs(&bad, &tbs, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	/* A profile whose one usage no EC key can have. */
	p->usage = CERT_KU_KEY_ENCIPHERMENT;
	assert_int_equal(mint_tbs(&good, &tbs, &f), -1);
	assert_int_equal(f.code, FAULT_KEY);
	key_free(key);
	free(p);
}

static void
random_serials_are_positive_and_of_twenty_octets(void **state)
{
	uint8_t a[MINT_SERIAL_SIZE], b[MINT_SERIAL_SIZE];

	(void)state;
	mint_random_serial(a);
	for (int i = 0; i < 2000; i++) {
		mint_random_serial(b);
		assert_true(b[0] > 0 && b[0] < 0x80);
		assert_memory_not_equal(a, b, sizeof(a));
	}
}

static void
minting_costs_microseconds(void **state)
{
	enum {
		ROUNDS = 20000
	};
	struct made root =
	    probe_make("root", "ec:P-256", PROBE_ROOT, NULL, NULL, NULL, NULL);
	struct authority *top = probe_authority(&root, PROBE_ROOT_CONF);
	struct made sub = probe_make("sub-ca", "ec:P-256", PROBE_SUB, top,
	    root.key, NULL, NULL);
	struct authority *ca = probe_authority(&sub, PROBE_SUB_CONF);
	struct profile *p = probe_profile("slcs-user");
	static const uint8_t serial[] = { 1 };
	struct mint m = { .profile = p,
		.issuer = ca,
		.serial = serial,
		.serial_len = 1,
		.not_before = MINT_NOW,
		.not_after = MINT_NOW + 43200,
		.signer_kind = KEY_P256 };
	struct fault f = { 0 };
	OWN_BUF(tbs, CERT_MAX);
	int64_t start, minted, checked;

	(void)state;
	m.spki = *key_spki(root.key);
	assert_int_equal(dn_read_slash(&m.subject,
			     "/DC=org/O=Ex/OU=People/CN=a@EX", &f),
	    0);
	start = clock_mono();
	for (int i = 0; i < ROUNDS; i++) {
		buf_clear(&tbs);
		assert_int_equal(mint_tbs(&m, &tbs, &f), 0);
	}
	minted = clock_mono();
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(tbs_check((struct wire_bytes){ tbs.data,
					       tbs.len },
				     ca, MINT_NOW, &f),
		    0);
	checked = clock_mono();
	printf("mint_tbs %.1f us, tbs_check %.1f us, %zu bytes\n",
	    (double)(minted - start) * 1000 / ROUNDS,
	    (double)(checked - minted) * 1000 / ROUNDS, tbs.len);
	/* Wide enough for sanitizers on a busy machine; by OpenSSL's objects
	 * it would still be more. */
	assert_true((minted - start) * 1000 / ROUNDS < 300);
	authority_clear(top);
	authority_clear(ca);
	free(top);
	free(ca);
	free(p);
	made_free(&root);
	made_free(&sub);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_profile_passes_the_gate_and_openssl_agrees),
		cmocka_unit_test(the_thirty_year_root_ends_in_generalized_time),
		cmocka_unit_test(a_lifetime_is_cut_by_each_of_its_ceilings),
		cmocka_unit_test(
		    an_issuer_that_is_over_or_not_yet_signs_nothing),
		cmocka_unit_test(what_makes_no_certificate_is_refused),
		cmocka_unit_test(
		    random_serials_are_positive_and_of_twenty_octets),
		cmocka_unit_test(minting_costs_microseconds),
	};

	return cmocka_run_group_tests_name("x509/mint", tests, NULL, NULL);
}
