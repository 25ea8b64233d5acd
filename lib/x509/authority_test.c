#include "x509/authority.h"

#include "x509/mint_probe.h"

#define BASE                                         \
	"name a\nmay-sign-under /DC=org/O=Ex/OU=P\n" \
	"usage digitalSignature\n"

struct fixture {
	struct made root;
	struct buf pem;
};

static void
set_up(struct fixture *x)
{
	x->root =
	    probe_make("root", "ec:P-256", PROBE_ROOT, NULL, NULL, NULL, NULL);
	x->pem = BUF(65536);
	pem_put(&x->pem, "CERTIFICATE",
	    (struct wire_bytes){ x->root.der.data, x->root.der.len });
}

static void
tear_down(struct fixture *x)
{
	made_free(&x->root);
	buf_free(&x->pem);
}

static int
read_conf(const struct fixture *x, const char *conf, struct authority *a,
    struct fault *f)
{
	return authority_read(a, conf, strlen(conf), x->pem.data, x->pem.len,
	    f);
}

static void
a_directory_describes_its_ca(void **state)
{
	struct authority *a = malloc(sizeof(*a));
	struct fixture x;
	struct fault f = { 0 };

	(void)state;
	assert_non_null(a);
	set_up(&x);
	assert_int_equal(read_conf(&x,
			     BASE "serial range 100 50\npurpose clientAuth\n",
			     a, &f),
	    0);
	assert_false(a->signs_ca);
	assert_false(a->serial_random);
	assert_int_equal(a->serial_start, 100);
	assert_int_equal(a->serial_span, 50);
	assert_int_equal(a->usage, CERT_KU_DIGITAL_SIGNATURE);
	assert_int_equal(a->purpose, CERT_EKU_CLIENT_AUTH);
	assert_int_equal(a->under_count, 1);
	assert_memory_equal(a->key_id, a->cert->key_id.data, KEY_ID_SIZE);
	authority_clear(a);
	assert_null(a->cert);
	free(a);
	tear_down(&x);
}

static void
what_makes_no_ca_is_refused(void **state)
{
	static const struct {
		const char *conf;
		const char *says;
	} cases[] = {
		{ "may-sign-under /O=a\nusage digitalSignature\n", "no name" },
		{ "name a\nusage digitalSignature\n", "no may-sign-under" },
		{ "name a\nmay-sign-under /O=a\n", "no usage" },
		{ "name a\nusage digitalSignature\nmay-sign-under O=a\n",
		    "may-sign-under" },
		{ "name a\nusage digitalSignature\nmay-sign-under /O=a*\n",
		    "signing_policy" },
		{ "name a\nusage digitalSignature\nmay-sign-under /O=a'b\n",
		    "signing_policy" },
		{ BASE "kind both\n", "kind is ca or end-entity" },
		{ BASE "kind ca\n", "kind ca needs usage keyCertSign" },
		{ BASE "usage keyCertSign\n", "are for kind ca" },
		{ "name a\nkind ca\nusage keyCertSign\npurpose clientAuth\n"
		  "may-sign-under /O=a\n",
		    "no purpose" },
		{ BASE "serial 5\n", "serial is random or" },
		{ BASE "serial range 0 5\n", "serial is random or" },
		{ BASE "serial range 5\n", "serial is random or" },
		{ BASE "serial range 5 0\n", "serial is random or" },
		{ BASE "serial range 9223372036854775807 2\n",
		    "serial is random or" },
		{ BASE "crl-url https://a/b\n", "crl-url" },
		{ BASE "issuer-url ldap://a/b\n", "issuer-url" },
		{ BASE "policy-oid 1.x\n", "policy-oid is no" },
		{ BASE "policy-oid 1.2.840.113612.5.2.2.1\n", "own, not" },
		{ BASE "policy-oid 1.3.6\npolicy-oid 1.3.6\n", "twice" },
	};
	struct authority *a = malloc(sizeof(*a));
	struct fixture x;

	(void)state;
	assert_non_null(a);
	set_up(&x);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = { 0 };

		if (read_conf(&x, cases[i].conf, a, &f) == 0)
			fail_msg("passed: %s", cases[i].conf);
		if (strstr(f.text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].conf, f.text);
	}
	free(a);
	tear_down(&x);
}

static void
a_certificate_that_is_no_cas_is_refused(void **state)
{
	struct made leaf = probe_make("slcs-user", "ec:P-256", "/O=Ex/CN=a",
	    NULL, NULL, NULL, NULL);
	struct authority *a = malloc(sizeof(*a));
	struct fault f = { 0 };
	OWN_BUF(pem, 65536);

	(void)state;
	assert_non_null(a);
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ leaf.der.data, leaf.der.len });
	assert_int_equal(authority_read(a, BASE, strlen(BASE), pem.data,
			     pem.len, &f),
	    -1);
	assert_null(a->cert);
	assert_int_equal(authority_read(a, BASE, strlen(BASE), "", 0, &f), -1);
	free(a);
	made_free(&leaf);
}

static void
a_ca_of_path_length_zero_signs_no_ca(void **state)
{
	struct made sub =
	    probe_make("sub-ca", "ec:P-256", PROBE_SUB, NULL, NULL, NULL, NULL);
	struct authority *a = malloc(sizeof(*a));
	struct fault f = { 0 };
	OWN_BUF(pem, 65536);

	(void)state;
	assert_non_null(a);
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ sub.der.data, sub.der.len });
	assert_int_equal(authority_read(a, PROBE_ROOT_CONF,
			     strlen(PROBE_ROOT_CONF), pem.data, pem.len, &f),
	    -1);
	assert_non_null(strstr(f.text, "path length"));
	free(a);
	made_free(&sub);
}

static void
the_signing_policy_is_written_from_the_name_space(void **state)
{
	static const char conf[] = BASE "may-sign-under /O=Ex/UID=u\n";
	static const char want[] =
	    "# Signing policy of a\n"
	    "access_id_CA   X509    '/DC=org/O=Ex/OU=CA/CN=Root 1'\n"
	    "pos_rights     globus  CA:sign\n"
	    "cond_subjects  globus  '\"/DC=org/O=Ex/OU=P/*\" "
	    "\"/O=Ex/UID=u/*\" \"/O=Ex/USERID=u/*\"'\n";
	struct authority *a = malloc(sizeof(*a));
	struct fixture x;
	struct fault f = { 0 };
	OWN_BUF(text, 65536);

	(void)state;
	assert_non_null(a);
	set_up(&x);
	assert_int_equal(read_conf(&x, conf, a, &f), 0);
	assert_int_equal(authority_signing_policy(a, &text, &f), 0);
	assert_string_equal(buf_cstr(&text), want);
	authority_clear(a);
	free(a);
	tear_down(&x);
}

static void
a_file_name_is_looked_for_in_the_directory(void **state)
{
	struct fault f = { 0 };
	char path[16];

	(void)state;
	assert_int_equal(authority_path("/d", "ca.pem", path, sizeof(path), &f),
	    0);
	assert_string_equal(path, "/d/ca.pem");
	assert_int_equal(authority_path("/d", "/e/f", path, sizeof(path), &f),
	    0);
	assert_string_equal(path, "/e/f");
	assert_int_equal(authority_path("/d", "a-long-name.pem", path,
			     sizeof(path), &f),
	    -1);
}

static void
a_usb_device_is_vendor_and_product(void **state)
{
	static const char *const bad[] = { "", "0529", "0529:", "529:620",
		"0529:0620:1", "0529-0620", "0529:062g", "05290:620",
		" 0529:0620", "00529:0620" };
	struct fault f = { 0 };
	unsigned vendor, product;

	(void)state;
	assert_int_equal(authority_usb_read("0529:06aF", &vendor, &product, &f),
	    0);
	assert_int_equal(vendor, 0x529);
	assert_int_equal(product, 0x6af);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f = (struct fault){ 0 };
		assert_int_equal(authority_usb_read(bad[i], &vendor, &product,
				     &f),
		    -1);
		assert_int_equal(f.code, FAULT_CONFIG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_describes_its_ca),
		cmocka_unit_test(what_makes_no_ca_is_refused),
		cmocka_unit_test(a_certificate_that_is_no_cas_is_refused),
		cmocka_unit_test(a_ca_of_path_length_zero_signs_no_ca),
		cmocka_unit_test(
		    the_signing_policy_is_written_from_the_name_space),
		cmocka_unit_test(a_file_name_is_looked_for_in_the_directory),
		cmocka_unit_test(a_usb_device_is_vendor_and_product),
	};

	return cmocka_run_group_tests_name("x509/authority", tests, NULL, NULL);
}
