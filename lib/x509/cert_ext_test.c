#include "x509/cert_part.h"
#include "x509/cert_probe.h"

/* Make and read a certificate with one extension. */
static struct cert *
with(const char *name, const char *value)
{
	struct cert_probe p = { .ext = { { name, value } } };

	return cert_probe_cert(&p);
}

static bool
refused(const char *name, const char *value)
{
	struct cert_probe p = { .ext = { { name, value } } };
	struct fault f = { 0 };
	OWN_STRUCT(cert) cert = cert_probe_try(&p, &f);

	if (cert == NULL)
		assert_int_equal(f.code, FAULT_INPUT);
	return cert == NULL;
}

static void
basic_constraints_make_a_ca(void **state)
{
	static const struct {
		const char *value;
		bool ca;
		int path;
	} cases[] = {
		{ "critical,CA:TRUE", true, -1 },
		{ "critical,CA:TRUE,pathlen:0", true, 0 },
		{ "CA:TRUE,pathlen:7", true, 7 },
		{ "critical,CA:FALSE", false, -1 },
		{ "critical,CA:FALSE,pathlen:3", false, -1 },
		{ "DER:3000", false, -1 },
		{ "DER:3003010100", false, -1 }, /* FALSE written out */
		{ "DER:30030101ff", true, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		OWN_STRUCT(cert) cert =
		    with("basicConstraints", cases[i].value);

		assert_int_equal(cert->ca, cases[i].ca);
		assert_int_equal(cert->kind, cases[i].ca ? CERT_CA : CERT_EEC);
		assert_int_equal(cert->path_length, cases[i].path);
	}
}

static void
key_usage_bits_are_those_of_the_table(void **state)
{
	static const struct {
		const char *value;
		unsigned bits;
	} cases[] = {
		{ "critical,digitalSignature", CERT_KU_DIGITAL_SIGNATURE },
		{ "nonRepudiation", CERT_KU_NON_REPUDIATION },
		{ "keyEncipherment", CERT_KU_KEY_ENCIPHERMENT },
		{ "dataEncipherment", CERT_KU_DATA_ENCIPHERMENT },
		{ "keyAgreement", CERT_KU_KEY_AGREEMENT },
		{ "keyCertSign", CERT_KU_KEY_CERT_SIGN },
		{ "cRLSign", CERT_KU_CRL_SIGN },
		{ "keyCertSign,cRLSign,digitalSignature",
		    CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN |
			CERT_KU_DIGITAL_SIGNATURE },
		{ "decipherOnly", 0x100 },
		{ "DER:030100", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		OWN_STRUCT(cert) cert = with("keyUsage", cases[i].value);

		assert_true(cert->has_key_usage);
		assert_int_equal(cert->key_usage, cases[i].bits);
	}
}

static void
purposes_are_those_of_the_table(void **state)
{
	static const struct {
		const char *value;
		unsigned bits;
	} cases[] = {
		{ "serverAuth", CERT_EKU_SERVER_AUTH },
		{ "critical,clientAuth", CERT_EKU_CLIENT_AUTH },
		{ "emailProtection", CERT_EKU_EMAIL },
		{ "serverAuth,clientAuth,1.2.3.4",
		    CERT_EKU_SERVER_AUTH | CERT_EKU_CLIENT_AUTH |
			CERT_EKU_OTHER },
		{ "anyExtendedKeyUsage", CERT_EKU_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		OWN_STRUCT(cert) cert =
		    with("extendedKeyUsage", cases[i].value);

		assert_true(cert->has_eku);
		assert_int_equal(cert->eku, cases[i].bits);
	}
}

static void
key_identifiers_are_found(void **state)
{
	struct cert_probe p = {
		.ext = { { "subjectKeyIdentifier", "hash" },
		    { "authorityKeyIdentifier", "keyid:always" } }
	};
	OWN_STRUCT(cert) cert = cert_probe_cert(&p);
	OWN_STRUCT(cert) named =
	    with("authorityKeyIdentifier", "DER:300ca1078105612e6f7267820101");
	uint8_t id[KEY_ID_SIZE];

	(void)state;
	spki_id(&cert->spki, id);
	assert_int_equal(cert->key_id.len, KEY_ID_SIZE);
	assert_memory_equal(cert->key_id.data, id, KEY_ID_SIZE);
	assert_int_equal(cert->authority_id.len, KEY_ID_SIZE);
	assert_memory_equal(cert->authority_id.data, id, KEY_ID_SIZE);
	assert_int_equal(named->authority_id.len, 0);
}

static void
malformed_extensions_are_refused(void **state)
{
	static const struct cert_probe_ext bad[] = {
		{ "basicConstraints", "DER:0500" },
		{ "basicConstraints", "DER:3003010101" },
		{ "basicConstraints", "DER:30060101ff0201ff" },
		{ "basicConstraints", "DER:30080101ff02030fffff" },
		{ "basicConstraints", "DER:30030101ff0500" },
		{ "basicConstraints", "DER:30050101ff0500" },
		{ "keyUsage", "DER:03020006" },
		{ "keyUsage", "DER:0400" },
		{ "keyUsage", "DER:0302010600" },
		{ "extendedKeyUsage", "DER:3000" },
		{ "extendedKeyUsage", "DER:3003040100" },
		{ "subjectKeyIdentifier", "DER:0400" },
		{ "subjectKeyIdentifier", "DER:030100" },
		{ "authorityKeyIdentifier", "DER:30020500" },
		{ "authorityKeyIdentifier", "DER:0400" },
		{ "subjectAltName", "DER:30020500" },
		{ "subjectAltName", "DER:3003890101" },
		{ "subjectAltName", "DER:30038202" },
		{ "1.3.6.1.5.5.7.1.14", "DER:3000" },
		{ "1.3.6.1.5.5.7.1.14", "DER:3003020100" },
		{ "1.3.6.1.5.5.7.1.14", "DER:30023000" },
		{ "1.3.6.1.5.5.7.1.14",
		    "DER:300c300a06082b06010505071501"
		    "0500" },
		{ "1.3.6.1.5.5.7.1.14",
		    "DER:300f0201ff300a06082b0601050507"
		    "1501" },
		{ "1.3.6.1.4.1.3536.1.222", "DER:3000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!refused(bad[i].name, bad[i].value))
			fail_msg("%s = %s", bad[i].name, bad[i].value);
}

static void
a_critical_extension_nobody_knows_is_recorded(void **state)
{
	struct cert_probe p = { .ext = { { "nsCertType", "client" },
				    { "1.2.3.4", "DER:0500" },
				    { "1.2.3.5", "critical,DER:0500" },
				    { "1.2.3.6", "critical,DER:0500" } } };
	OWN_STRUCT(cert) cert = cert_probe_cert(&p);
	OWN_STRUCT(cert) old = with("nsComment", "made long ago");
	OWN_STRUCT(cert) constrained =
	    with("nameConstraints", "critical,permitted;DNS:example.org");
	OWN_STRUCT(cert) policies =
	    with("certificatePolicies", "critical,1.2.3.4");
	OWN_STRUCT(cert) demanding =
	    with("policyConstraints", "critical,requireExplicitPolicy:0");
	OWN_STRUCT(cert) huge = with("2.25.340282366920938463463374607431768211"
				     "455",
	    "critical,DER:0500");

	(void)state;
	assert_true(cert->unknown_critical);
	assert_string_equal(cert->unknown_oid, "1.2.3.5");
	assert_false(old->unknown_critical);
	assert_string_equal(old->unknown_oid, "");
	assert_false(constrained->unknown_critical);
	assert_false(policies->unknown_critical);
	assert_true(demanding->unknown_critical);
	assert_string_equal(demanding->unknown_oid, "2.5.29.36");
	assert_true(huge->unknown_critical);
	assert_string_not_equal(huge->unknown_oid, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(basic_constraints_make_a_ca),
		cmocka_unit_test(key_usage_bits_are_those_of_the_table),
		cmocka_unit_test(purposes_are_those_of_the_table),
		cmocka_unit_test(key_identifiers_are_found),
		cmocka_unit_test(malformed_extensions_are_refused),
		cmocka_unit_test(a_critical_extension_nobody_knows_is_recorded),
	};

	return cmocka_run_group_tests_name("x509/cert_ext", tests, NULL, NULL);
}
