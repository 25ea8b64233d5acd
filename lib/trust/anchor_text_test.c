/* The files beside a trust anchor. */
#include "trust/anchor_text.h"

#include "base/text.h"
#include "trust/pki_probe.h"

static struct cert *
cert_of(X509 *x)
{
	uint8_t *der = NULL;
	int len = i2d_X509(x, &der);
	struct fault f = { 0 };
	struct cert *cert;

	assert_true(len > 0);
	cert = cert_read((struct wire_bytes){ der, (size_t)len }, &f);
	OPENSSL_free(der);
	assert_non_null(cert);
	return cert;
}

struct made {
	struct pki pki;
	struct cert *root;
	struct cert *sub;
	struct dn under[2];
	conf_list urls;
	struct anchor anchor;
};

static int
set_up(void **state)
{
	struct made *m = calloc(1, sizeof(*m));
	struct fault f = { 0 };

	if (m == NULL)
		return -1;
	pki_init(&m->pki);
	pki_make(&m->pki);
	m->root = cert_of(m->pki.cert[ROOT]);
	m->sub = cert_of(m->pki.cert[SUB]);
	m->urls.count = 2;
	assert_int_equal(text_copy(m->urls.item[0], CONF_STRING_SIZE,
			     "http://a.example/s.crl"),
	    0);
	assert_int_equal(text_copy(m->urls.item[1], CONF_STRING_SIZE,
			     "http://b.example/s.crl"),
	    0);
	assert_int_equal(dn_read_slash(&m->under[0], "/DC=org/O=A. B. (C)", &f),
	    0);
	assert_int_equal(dn_read_slash(&m->under[1], "/DC=org/UID=x", &f), 0);
	m->anchor = (struct anchor){ .cert = m->sub,
		.alias = "Sub",
		.title = "The Sub",
		.parent = "Root",
		.version = "1.0",
		.status = "unaccredited",
		.page = "http://a.example/",
		.email = "ca@a.example",
		.policy_url = "http://a.example/cps",
		.cert_url = "http://a.example/Sub.pem",
		.sigpolicy_url = "http://a.example/Sub.signing_policy",
		.crl_urls = &m->urls,
		.under = m->under,
		.under_count = 2 };
	*state = m;
	return 0;
}

static int
tear_down(void **state)
{
	struct made *m = *state;

	cert_free(m->root);
	cert_free(m->sub);
	pki_free(&m->pki);
	free(m);
	return 0;
}

static void
an_alias_begins_a_file_name(void **state)
{
	(void)state;
	assert_true(anchor_alias_good("LIGO-Root_1.2"));
	assert_false(anchor_alias_good(""));
	assert_false(anchor_alias_good("../x"));
	assert_false(anchor_alias_good(".hidden"));
	assert_false(anchor_alias_good("-option"));
	assert_false(anchor_alias_good("1ab"));
	assert_false(anchor_alias_good("a b"));
	assert_false(anchor_alias_good("a/b"));
	assert_false(anchor_alias_good("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				       "aaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void
namespaces_are_expressions(void **state)
{
	struct made *m = *state;
	OWN_BUF(out, 65536);
	struct fault f = { 0 };

	assert_int_equal(anchor_namespaces(&m->anchor, &out, &f), 0);
	assert_string_equal(buf_cstr(&out),
	    "#NAMESPACES-VERSION: 1.0\n# The Sub\n"
	    "TO Issuer \"/DC=org/DC=example/CN=Sub\" \\\n"
	    "  PERMIT Subject \"/DC=org/O=A[.] B[.] [(]C[)]/.*\"\n"
	    "TO Issuer \"/DC=org/DC=example/CN=Sub\" \\\n"
	    "  PERMIT Subject \"/DC=org/UID=x/.*\"\n");
}

static void
names_without_an_escape_are_refused(void **state)
{
	static const char *const names[] = { "/O=a[b", "/O=a\"b", "/O=a^b",
		"/O=a\\\\b" };
	struct made *m = *state;

	for (size_t i = 0; i < 4; i++) {
		OWN_BUF(out, 65536);
		struct fault f = { 0 };

		assert_int_equal(dn_read_slash(&m->under[1], names[i], &f), 0);
		assert_int_equal(anchor_namespaces(&m->anchor, &out, &f), -1);
		assert_int_equal(f.code, FAULT_CONFIG);
	}
}

static void
info_names_all_addresses(void **state)
{
	struct made *m = *state;
	OWN_BUF(out, 65536);
	OWN_BUF(urls, 65536);
	struct fault f = { 0 };

	assert_int_equal(anchor_info(&m->anchor, &out, &f), 0);
	assert_non_null(strstr(buf_cstr(&out),
	    "\ncrl_url = http://a.example/s.crl;http://b.example/s.crl\n"));
	assert_non_null(strstr(buf_cstr(&out), "\nrequires = Root\n"));
	assert_non_null(strstr(buf_cstr(&out),
	    "\nsubjectdn = \"/DC=org/DC=example/CN=Sub\"\n"));
	assert_int_equal(anchor_crl_url(&m->anchor, &urls, &f), 0);
	assert_string_equal(buf_cstr(&urls),
	    "http://a.example/s.crl\nhttp://b.example/s.crl\n");
}

static void
a_root_is_signed_by_nobody(void **state)
{
	struct made *m = *state;
	OWN_BUF(root, 65536);
	OWN_BUF(sub, 65536);
	struct fault f = { 0 };

	assert_int_equal(anchor_cadesc(&m->anchor, &sub, &f), 0);
	assert_non_null(strstr(buf_cstr(&sub),
	    "\nSIGNED_BY /DC=org/DC=example/CN=Root\n"));
	m->anchor.cert = m->root;
	m->anchor.parent = NULL;
	assert_int_equal(anchor_cadesc(&m->anchor, &root, &f), 0);
	assert_null(strstr(buf_cstr(&root), "SIGNED_BY"));
	assert_non_null(strstr(buf_cstr(&root),
	    "\nMAY_SIGN /DC=org/UID=x/*\n"));
}

static void
sha256_is_a_comment_to_gx_map(void **state)
{
	struct made *m = *state;
	OWN_BUF(plain, 65536);
	OWN_BUF(key, 65536);
	struct fault f = { 0 };

	assert_int_equal(anchor_cadesc(&m->anchor, &plain, &f), 0);
	assert_non_null(strstr(buf_cstr(&plain), "\n# CERTIFICATE_SHA256 "));
	m->anchor.sha256_key = true;
	assert_int_equal(anchor_cadesc(&m->anchor, &key, &f), 0);
	assert_non_null(strstr(buf_cstr(&key), "\nCERTIFICATE_SHA256 "));
}

static void
what_does_not_fit_is_a_fault(void **state)
{
	struct made *m = *state;
	OWN_BUF(out, 100);
	struct fault f = { 0 };

	assert_int_equal(anchor_cadesc(&m->anchor, &out, &f), -1);
	assert_int_equal(f.code, FAULT_MEMORY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alias_begins_a_file_name),
		cmocka_unit_test_setup_teardown(namespaces_are_expressions,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    names_without_an_escape_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(info_names_all_addresses,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_root_is_signed_by_nobody,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(sha256_is_a_comment_to_gx_map,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_a_fault,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
