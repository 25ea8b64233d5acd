#include "signetd/auth/principal.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static const struct signetd_conf conf = { .realm = "LIGO.ORG",
	.map_realm = { .count = 2,
	    .item = {
		"OLD.LIGO.ORG LIGO.ORG", "CAMBRIDGE.EDU\t PARTNER.ORG" } } };

static void
is(const char *who, const char *want)
{
	struct fault f = { 0 };
	char principal[PRINCIPAL_SIZE] = "";

	assert_int_equal(principal_of(&conf, who, principal, &f), 0);
	assert_string_equal(principal, want);
}

static void
is_nobody(const char *who)
{
	struct fault f = { 0 };
	char principal[PRINCIPAL_SIZE] = "untouched";

	assert_int_equal(principal_of(&conf, who, principal, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_string_equal(principal, "untouched");
}

static void
a_name_alone_is_of_the_default_realm(void **state)
{
	(void)state;
	is("scott.koranda", "scott.koranda@LIGO.ORG");
	is("scott.koranda@LIGO.ORG", "scott.koranda@LIGO.ORG");
	is("j\303\266rg", "j\303\266rg@LIGO.ORG");
}

static void
foreign_realms_are_refused_unless_mapped(void **state)
{
	(void)state;
	is("ann@OLD.LIGO.ORG", "ann@LIGO.ORG");
	is("ann@CAMBRIDGE.EDU", "ann@PARTNER.ORG");
	is_nobody("ann@PARTNER.ORG");
	is_nobody("ann@EVIL.ORG");
	is_nobody("ann@ligo.org");
	is_nobody("ann@LIGO.OR");
	is_nobody("ann@LIGO.ORG.EVIL");
	is_nobody("ann@OLD.LIGO.ORG LIGO.ORG");
	is_nobody("ann@");
	is_nobody("ann@LIGO.ORG@LIGO.ORG");
}

static void
what_no_person_is_called_is_refused(void **state)
{
	struct fault f = { 0 };
	char name[300], principal[PRINCIPAL_SIZE];

	(void)state;
	is_nobody("");
	is_nobody("@LIGO.ORG");
	is_nobody("host/a.org");
	is_nobody("ann/admin@LIGO.ORG");
	is_nobody("LIGO\\ann");
	is_nobody(" ann");
	is_nobody("ann ");
	is_nobody("-ann");
	is_nobody("a\nb");
	is_nobody("a\177b");
	is_nobody("a\377b");
	memset(name, 'x', sizeof(name));
	name[PRINCIPAL_SIZE - strlen("@LIGO.ORG")] = '\0';
	is_nobody(name);
	name[PRINCIPAL_SIZE - strlen("@LIGO.ORG") - 1] = '\0';
	assert_int_equal(principal_of(&conf, name, principal, &f), 0);
}

static void
passwords_prove_users_of_the_default_realm_only(void **state)
{
	struct fault f = { 0 };
	char principal[PRINCIPAL_SIZE], name[PRINCIPAL_SIZE];

	(void)state;
	assert_int_equal(principal_local(&conf, "ann", principal, name, &f), 0);
	assert_string_equal(principal, "ann@LIGO.ORG");
	assert_string_equal(name, "ann");
	assert_int_equal(principal_local(&conf, "ann@OLD.LIGO.ORG", principal,
			     name, &f),
	    0);
	assert_string_equal(name, "ann");
	assert_int_equal(principal_local(&conf, "ann@CAMBRIDGE.EDU", principal,
			     name, &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
}

static void
a_map_that_is_not_from_to_is_a_fault_of_the_configuration(void **state)
{
	static const char *const bad[] = { "A", " A B", "A ", "A B C",
		"A b@C" };
	struct signetd_conf c = conf;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(principal_check_conf(&c, &f), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(c.map_realm.item[1], bad[i], strlen(bad[i]) + 1);
		assert_int_equal(principal_check_conf(&c, &f), -1);
		assert_int_equal(f.code, FAULT_CONFIG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_alone_is_of_the_default_realm),
		cmocka_unit_test(foreign_realms_are_refused_unless_mapped),
		cmocka_unit_test(what_no_person_is_called_is_refused),
		cmocka_unit_test(
		    passwords_prove_users_of_the_default_realm_only),
		cmocka_unit_test(
		    a_map_that_is_not_from_to_is_a_fault_of_the_configuration),
	};

	return cmocka_run_group_tests_name("auth/principal", tests, NULL, NULL);
}
