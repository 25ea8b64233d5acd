#include "ca_space.h"

#include "x509/mint_probe.h"

static enum fault_code
try(const char *space, const char *subject, const struct authority *above,
    const char *says)
{
	struct fault f = { 0 };
	struct dn dn;
	int result;

	assert_int_equal(dn_read_slash(&dn, subject, &f), 0);
	result = ca_space_check(space, &dn, above, &f);
	assert_int_equal(result, f.code == FAULT_NONE ? 0 : -1);
	if (says != NULL && strstr(f.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", f.text, says);
	return f.code;
}

static void
a_space_has_neither_the_cas_name_nor_one_above_it_in_it(void **state)
{
	(void)state;
	assert_int_equal(try("/DC=org/O=Ex/OU=People", PROBE_SUB, NULL, NULL),
	    FAULT_NONE);
	assert_int_equal(try(PROBE_SUB, PROBE_SUB, NULL, "own subject"),
	    FAULT_DENIED);
	assert_int_equal(try("/DC=org/O=Ex/OU=CA", PROBE_SUB, NULL, PROBE_SUB),
	    FAULT_DENIED);
	assert_int_equal(try("/DC=org", PROBE_SUB, NULL, "own subject"),
	    FAULT_DENIED);
	/* Below its own name there is no CA's; and a component is a whole. */
	assert_int_equal(try(PROBE_SUB "/OU=x", PROBE_SUB, NULL, NULL),
	    FAULT_NONE);
	assert_int_equal(try("/DC=org/O=E", PROBE_SUB, NULL, NULL), FAULT_NONE);
	assert_int_equal(try("/DC=org/O=Ex/OU=CA/CN=Sub", PROBE_SUB, NULL,
			     NULL),
	    FAULT_NONE);
}

static void
a_space_has_no_name_of_the_root_or_of_other_cas_in_it(void **state)
{
	struct made root =
	    probe_make("root", "ec:P-256", PROBE_ROOT, NULL, NULL, NULL, NULL);
	struct authority *above = probe_authority(&root, PROBE_ROOT_CONF);

	(void)state;
	assert_int_equal(try("/DC=org/O=Ex/OU=People", "/DC=net/CN=Sub", above,
			     NULL),
	    FAULT_NONE);
	assert_int_equal(try(PROBE_ROOT, "/DC=net/CN=Sub", above,
			     "the root's subject"),
	    FAULT_DENIED);
	assert_int_equal(try("/DC=org/O=Ex", "/DC=net/CN=Sub", above,
			     "the root's subject"),
	    FAULT_DENIED);
	assert_int_equal(try("/DC=org/O=Ex/OU=CA", PROBE_SUB, above, NULL),
	    FAULT_DENIED);
	authority_clear(above);
	free(above);
	made_free(&root);
}

/* Its CAs' names need not be where its own is. */
static void
what_the_root_may_sign_is_names_of_cas(void **state)
{
	static const char conf[] =
	    "name root\nkind ca\nmay-sign-under /DC=net/OU=CA\n"
	    "max-lifetime 20y\nusage keyCertSign\nusage cRLSign\n";
	struct made root =
	    probe_make("root", "ec:P-256", PROBE_ROOT, NULL, NULL, NULL, NULL);
	struct authority *above = probe_authority(&root, conf);

	(void)state;
	assert_int_equal(try("/DC=net", PROBE_SUB, above,
			     "the root's name space /DC=net/OU=CA"),
	    FAULT_DENIED);
	assert_int_equal(try("/DC=net/OU=CA", PROBE_SUB, above,
			     "the root's name space"),
	    FAULT_DENIED);
	assert_int_equal(try("/DC=net/OU=People", PROBE_SUB, above, NULL),
	    FAULT_NONE);
	authority_clear(above);
	free(above);
	made_free(&root);
}

static void
what_is_no_name_is_a_slip_in_the_settings(void **state)
{
	static const char *const bad[] = { "", "People", "/",
		"/CN=", "DC=org,O=Ex" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(try(bad[i], PROBE_SUB, NULL, "may-sign-under"),
		    FAULT_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_space_has_neither_the_cas_name_nor_one_above_it_in_it),
		cmocka_unit_test(
		    a_space_has_no_name_of_the_root_or_of_other_cas_in_it),
		cmocka_unit_test(what_the_root_may_sign_is_names_of_cas),
		cmocka_unit_test(what_is_no_name_is_a_slip_in_the_settings),
	};

	return cmocka_run_group_tests_name("signet-ca/space", tests, NULL,
	    NULL);
}
