#include "credential_show.h"

#include "trust/pki_probe.h"
#include "x509/proxy.h"

static struct pki pki;

static int
set_up(void **state)
{
	(void)state;
	pki_init(&pki);
	pki_make(&pki);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < PKI_COUNT; i++) {
		EVP_PKEY_free(pki.key[i]);
		X509_free(pki.cert[i]);
	}
	return 0;
}

static void
names_are_those_of_the_leaf_and_of_who_is_behind_it(void **state)
{
	struct credential c = { .key = NULL };
	struct credential_names names;
	struct fault f;

	(void)state;
	assert_true(pki_chain(&pki, DEEPER, &c.chain));
	assert_int_equal(credential_names(&c, false, &names, &f), 0);
	assert_string_equal(names.subject,
	    PKI_PERSON "/CN=1234567890/CN=9876543210");
	assert_string_equal(names.issuer, PKI_PERSON "/CN=1234567890");
	assert_string_equal(names.identity, PKI_PERSON);
	assert_int_equal(credential_names(&c, true, &names, &f), 0);
	assert_string_equal(names.identity,
	    "CN=Alice Example,OU=People,DC=example,DC=org");
	credential_clear(&c);
}

static void
a_proxy_without_its_issuers_stands_for_no_one_known(void **state)
{
	struct credential c = { .key = NULL };
	struct credential_names names;
	struct fault f = { .code = FAULT_NONE };

	(void)state;
	assert_true(pki_chain(&pki, DEEPER, &c.chain));
	while (c.chain.count > 1)
		cert_free(c.chain.cert[--c.chain.count]);
	assert_int_equal(credential_names(&c, false, &names, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	credential_clear(&c);
}

static void
time_left_is_written_as_grid_tools_do(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 43200, "12:00:00" },
		{ 43199, "11:59:59" },
		{ 61, "0:01:01" },
		{ 0, "0:00:00" },
		{ -5, "0:00:00" },
		{ INT64_MIN, "0:00:00" },
		{ 86400, "24:00:00" },
		{ 86401, "24:00:01  (1.0 days)" },
		{ 721800, "200:30:00  (8.4 days)" },
		{ INT64_MAX,
		    "2562047788015215:30:07  (106751991167300.6 days)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Exactly that long, so that a step too far is seen. */
		char *text = malloc(CREDENTIAL_LEFT_SIZE);

		assert_non_null(text);
		credential_left(cases[i].seconds, text);
		if (strncmp(text, cases[i].text, CREDENTIAL_LEFT_SIZE - 1) != 0)
			fail_msg("%lld: %s", (long long)cases[i].seconds, text);
		free(text);
	}
}

static void
moments_are_local_and_without_zone(void **state)
{
	char text[CREDENTIAL_WHEN_SIZE];

	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	credential_when(PKI_NOW, text);
	assert_string_equal(text, "Fri Jan 15 08:00:00 2027");
	assert_int_equal(setenv("TZ", "CST6", 1), 0);
	tzset();
	credential_when(PKI_NOW, text);
	assert_string_equal(text, "Fri Jan 15 02:00:00 2027");
	/* A year that is no int. */
	credential_when(INT64_MAX, text);
	assert_string_equal(text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    names_are_those_of_the_leaf_and_of_who_is_behind_it),
		cmocka_unit_test(
		    a_proxy_without_its_issuers_stands_for_no_one_known),
		cmocka_unit_test(time_left_is_written_as_grid_tools_do),
		cmocka_unit_test(moments_are_local_and_without_zone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
