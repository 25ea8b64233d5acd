#include "x509/catalog.h"

#include "x509/mint_probe.h"

#define PROFILE "# people\nusage digitalSignature\npurpose clientAuth\n"

static struct wire_bytes
text(const char *s)
{
	return (struct wire_bytes){ (const uint8_t *)s, strlen(s) };
}

static int
any(const struct catalog *c, const struct profile *p, struct fault *f)
{
	(void)c;
	(void)p;
	(void)f;
	return 0;
}

static int
none(const struct catalog *c, const struct profile *p, struct fault *f)
{
	(void)c;
	(void)p;
	return fault_set(f, FAULT_CONFIG, "not this one");
}

static struct catalog *
empty(void)
{
	struct catalog *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->holders = 1;
	return c;
}

static void
drop(struct catalog *c)
{
	assert_true(catalog_drop(c));
	free(c);
}

static void
a_ca_is_found_by_its_name_and_a_name_is_one_cas(void **state)
{
	struct made made =
	    probe_make("sub-ca", "ec:P-256", PROBE_SUB, NULL, NULL, NULL, NULL);
	struct catalog *c = empty();
	struct fault f = { 0 };
	struct catalog_ca *ca;
	OWN_BUF(pem, 65536);

	(void)state;
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ made.der.data, made.der.len });
	ca = catalog_add_ca(c, text(PROBE_SUB_CONF),
	    (struct wire_bytes){ pem.data, pem.len }, &f);
	assert_non_null(ca);
	assert_ptr_equal(catalog_find_ca(c, "sub"), ca);
	assert_int_equal(ca->chain.len, 0);
	assert_null(catalog_find_ca(c, "su"));
	assert_null(catalog_find_ca(c, ""));
	assert_null(catalog_add_ca(c, text(PROBE_SUB_CONF),
	    (struct wire_bytes){ pem.data, pem.len }, &f));
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_null(catalog_add_ca(c, text(PROBE_SUB_CONF), text("rubbish"),
	    &f));
	assert_int_equal(c->cas, 1);
	drop(c);
	made_free(&made);
}

static void
a_profile_that_is_objected_to_is_not_there(void **state)
{
	struct catalog *c = empty();
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(catalog_add_profile(c, text(PROFILE), none, &f), -1);
	assert_non_null(strstr(f.text, "people"));
	assert_non_null(strstr(f.text, "not this one"));
	assert_null(catalog_find_profile(c, "people"));
	assert_int_equal(catalog_add_profile(c, text(PROFILE), any, &f), 0);
	assert_ptr_equal(catalog_find_profile(c, "people"), &c->profile[0]);
	assert_null(catalog_find_profile(c, "robots"));
	drop(c);
}

static void
a_profile_says_its_name_first(void **state)
{
	static const char *const bad[] = { "", "# people", "# \nusage x\n",
		"people\n" PROFILE, "#people\nusage digitalSignature\n",
		"# 123456789012345678901234567890123456789012345678901234567890"
		"1234\nusage digitalSignature\n" };
	struct catalog *c = empty();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t len = strlen(bad[i]);
		uint8_t *exact = malloc(len > 0 ? len : 1);
		struct fault f = { 0 };

		assert_non_null(exact);
		memcpy(exact, bad[i], len);
		assert_int_equal(catalog_add_profile(c,
				     (struct wire_bytes){ exact, len }, any,
				     &f),
		    -1);
		assert_int_equal(f.code, FAULT_CONFIG);
		free(exact);
	}
	assert_int_equal(c->profiles, 0);
	drop(c);
}

static void
there_is_an_end_to_how_many_there_are(void **state)
{
	struct catalog *c = empty();
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < CATALOG_MAX; i++)
		assert_int_equal(catalog_add_profile(c, text(PROFILE), any, &f),
		    0);
	assert_int_equal(catalog_add_profile(c, text(PROFILE), any, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	drop(c);
}

static void
it_lives_as_long_as_somebody_holds_it(void **state)
{
	struct catalog *c = empty();

	(void)state;
	c->holders++;
	assert_false(catalog_drop(c));
	drop(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_ca_is_found_by_its_name_and_a_name_is_one_cas),
		cmocka_unit_test(a_profile_that_is_objected_to_is_not_there),
		cmocka_unit_test(a_profile_says_its_name_first),
		cmocka_unit_test(there_is_an_end_to_how_many_there_are),
		cmocka_unit_test(it_lives_as_long_as_somebody_holds_it),
	};

	return cmocka_run_group_tests_name("x509/catalog", tests, NULL, NULL);
}
