#include "office/office_rules.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdio.h>
#include <string.h>

/* What needs no CA; requests and name spaces are told by the stories of the
 * office. */

static struct profile
profile_of(int64_t approvals, bool second_person)
{
	struct profile p = { .name = "host" };

	p.conf.approvals = approvals;
	p.conf.second_person = second_person;
	return p;
}

#define YES(name)                    \
	{                            \
		OFFICE_APPROVE, name \
	}
#define NO(name)                    \
	{                           \
		OFFICE_REJECT, name \
	}

static void
different_people_are_counted(void **state)
{
	const struct profile p = profile_of(2, false);
	const struct office_vote votes[] = { YES("ann"), YES("ann"),
		YES("eve") };
	unsigned missing = 9;

	(void)state;
	assert_false(office_rules_enough(&p, "eve", votes, 0, &missing));
	assert_int_equal(missing, 2);
	assert_false(office_rules_enough(&p, "eve", votes, 2, &missing));
	assert_int_equal(missing, 1);
	assert_true(office_rules_enough(&p, "eve", votes, 3, &missing));
	assert_int_equal(missing, 0);
}

static void
who_asked_is_no_second_person(void **state)
{
	const struct profile p = profile_of(1, true);
	const struct office_vote votes[] = { YES("eve"), YES("ann") };

	(void)state;
	assert_false(office_rules_enough(&p, "eve", votes, 1, NULL));
	assert_true(office_rules_enough(&p, "eve", votes, 2, NULL));
	assert_true(office_rules_enough(&p, "bob", votes, 1, NULL));
}

static void
a_refusal_outweighs_all(void **state)
{
	const struct profile p = profile_of(1, false),
			     free = profile_of(0, false);
	const struct office_vote votes[] = { YES("ann"), YES("bob"),
		NO("ann") };
	const struct office_vote back[] = { { OFFICE_WITHDRAW, "eve" } };

	(void)state;
	assert_false(office_rules_enough(&p, "eve", votes, 3, NULL));
	assert_false(office_rules_enough(&free, "eve", back, 1, NULL));
	assert_true(office_rules_enough(&free, "eve", back, 0, NULL));
}

static int
add(const char *text, struct fault *f)
{
	OWN_STRUCT(office_rules) rules = office_rules_new(f);
	int result = office_rules_add_profile(rules,
	    (struct wire_bytes){ (const uint8_t *)text, strlen(text) }, f);

	if (result == 0)
		assert_non_null(office_rules_find_profile(rules, "x"));
	assert_null(office_rules_find_profile(rules, "y"));
	return result;
}

static void
profiles_of_persons_and_cas_are_refused(void **state)
{
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(add("# x\nusage digitalSignature\n", &f), 0);
	assert_int_equal(add("# x\nusage digitalSignature\n"
			     "subject /O=x/CN={user}\n",
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, "people"));
	assert_int_equal(add("# x\nca yes\nusage keyCertSign\n", &f), -1);
	assert_non_null(strstr(f.text, "CAs"));
	assert_int_equal(add("usage digitalSignature\n", &f), -1);
	assert_int_equal(add("", &f), -1);
}

static void
rules_live_as_long_as_somebody_holds_them(void **state)
{
	struct fault f = { 0 };
	struct office_rules *rules = office_rules_new(&f);

	(void)state;
	assert_non_null(rules);
	assert_ptr_equal(office_rules_hold(rules), rules);
	office_rules_free(rules);
	assert_int_equal(office_rules_cas(rules), 0);
	assert_null(office_rules_find_ca(rules, "x"));
	assert_int_equal(office_rules_chain(rules, "x").len, 0);
	office_rules_free(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(different_people_are_counted),
		cmocka_unit_test(who_asked_is_no_second_person),
		cmocka_unit_test(a_refusal_outweighs_all),
		cmocka_unit_test(profiles_of_persons_and_cas_are_refused),
		cmocka_unit_test(rules_live_as_long_as_somebody_holds_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
