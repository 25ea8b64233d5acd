#include "trust/rule.h"

#include "trust/pki_probe.h"

static struct cert *
plain(struct pki *p, enum pki_who who)
{
	struct cert *cert;

	pki_init(p);
	pki_make(p);
	assert_non_null(cert = pki_read(p->cert[who]));
	return cert;
}

static void
a_fault_ends_with_the_rule_however_long_the_name(void **state)
{
	struct fault f = { 0 };
	struct cert cert = { 0 };
	struct dn dn = { 0 };
	char name[400] = "/CN=";

	(void)state;
	memset(name + 4, 'x', 300);
	assert_int_equal(dn_read_slash(&dn, name, &f), 0);
	cert.subject = dn;
	assert_int_equal(rule_broken(&f, FAULT_UNTRUSTED, &cert, "rule %d", 7),
	    -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	assert_int_equal(strncmp(f.text, "...xxx", 6), 0);
	assert_non_null(strstr(f.text, "x: rule 7"));
}

static void
extensions_are_walked_in_order_and_found(void **state)
{
	struct rule_extension ext;
	struct cert *cert;
	struct pki p;
	size_t at = 0;

	(void)state;
	cert = plain(&p, SUB);
	assert_int_equal(rule_next_extension(cert, &at, &ext), 1);
	assert_string_equal(ext.oid, RULE_BASIC_CONSTRAINTS);
	assert_true(ext.critical);
	assert_int_equal(rule_next_extension(cert, &at, &ext), 1);
	assert_int_equal(rule_next_extension(cert, &at, &ext), 1);
	assert_string_equal(ext.oid, "2.5.29.14");
	assert_false(ext.critical);
	assert_int_equal(ext.value.len, 22);
	assert_int_equal(rule_next_extension(cert, &at, &ext), 1);
	assert_int_equal(rule_next_extension(cert, &at, &ext), 0);
	assert_true(rule_find_extension(cert, "2.5.29.35", &ext));
	assert_false(rule_find_extension(cert, RULE_NAME_CONSTRAINTS, &ext));
	cert_free(cert);
	pki_free(&p);
}

static void
extensions_that_do_not_end_are_malformed(void **state)
{
	struct rule_extension ext;
	struct cert *cert;
	struct pki p;

	(void)state;
	cert = plain(&p, SUB);
	for (size_t cut = 1; cut < cert->extensions.len; cut++) {
		struct cert less = *cert;
		size_t at = 0;
		int more;

		less.extensions.len = cut;
		while ((more = rule_next_extension(&less, &at, &ext)) == 1)
			continue;
		/* Good only where an extension ends. */
		assert_true(more < 0 || at == cut);
	}
	cert_free(cert);
	pki_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_fault_ends_with_the_rule_however_long_the_name),
		cmocka_unit_test(extensions_are_walked_in_order_and_found),
		cmocka_unit_test(extensions_that_do_not_end_are_malformed),
	};

	return cmocka_run_group_tests_name("trust/rule", tests, NULL, NULL);
}
