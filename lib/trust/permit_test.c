#include "trust/permit.h"

#include "trust/verify_probe.h"

#define SUB_NAME PKI_BASE "/CN=Sub"
#define PEOPLE PKI_BASE "/OU=People/.*"

static const struct {
	enum pki_who of; /* whose file */
	const char *text;
	const char *why; /* NULL: accepted */
} cases[] = {
	{ SUB, "TO Issuer SELF PERMIT Subject \"" PEOPLE "\"\n", NULL },
	{ SUB, "TO Issuer SELF PERMIT Subject \"/O=Other/.*\"\n",
	    "namespaces does not permit" },
	{ SUB,
	    "TO Issuer SELF PERMIT Subject \"" PEOPLE "\"\n"
	    "TO Issuer SELF DENY Subject \".*/CN=Alice.*\"\n",
	    "namespaces does not permit" },
	{ SUB, "# nothing is said\n", NULL },
	{ SUB, "garbage\n", "cannot be read" },
	{ SUB, "TO Issuer \"/O=Other\" PERMIT Subject \"/O=Other/.*\"\n",
	    NULL },
	/* What stands above may speak of what is below it. */
	{ ROOT, "TO Issuer \"" SUB_NAME "\" DENY Subject \".*\"\n",
	    "namespaces does not permit" },
	{ ROOT, "TO Issuer SELF PERMIT Subject \"" SUB_NAME "\"\n", NULL },
	{ ROOT, "TO Issuer SELF PERMIT Subject \"/O=Other/.*\"\n",
	    "namespaces does not permit" },
};

static void
namespaces_are_asked_beside_the_policy(void **state)
{
	char path[PATH_MAX];
	struct pki p;

	(void)state;
	pki_init(&p);
	pki_make(&p);
	pki_dir(&p);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		X509 *ca = p.cert[cases[i].of];

		pki_text(&p, ca, "namespaces", cases[i].text);
		if (still(&p, 0, cases[i].why) != (cases[i].why == NULL))
			fail_msg("%s", cases[i].text);
		assert_true(still(&p, TRUST_NO_SIGNING_POLICY, NULL));
		pki_path(&p, ca, "namespaces", path);
		assert_int_equal(unlink(path), 0);
	}
	/* It does not stand for a policy. */
	pki_text(&p, p.cert[SUB], "namespaces", cases[0].text);
	pki_path(&p, p.cert[SUB], "signing_policy", path);
	assert_int_equal(unlink(path), 0);
	assert_false(still(&p, 0, "has no signing policy"));
	/* Nor is one that cannot be read none. */
	pki_text(&p, p.cert[SUB], "signing_policy", "access_id_CA X509\n");
	assert_false(still(&p, 0, ".signing_policy cannot be read"));
	pki_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(namespaces_are_asked_beside_the_policy),
	};

	return cmocka_run_group_tests_name("trust/permit", tests, NULL, NULL);
}
