#include "names.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdio.h>

#define MANY 20000

static void
names_are_one_as_maps_compare_them(void **state)
{
	(void)state;
	assert_true(names_hash("/O=G/CN=a") == names_hash("/o=g/cn=A"));
	assert_true(names_hash("/O=G/CN=host/a") ==
	    names_hash("/O=G/CN=host\\/a"));
	assert_true(names_hash("/O=G/CN=a") != names_hash("/O=G/CN=b"));
	assert_true(names_hash_accounts("a,b") != names_hash_accounts("b,a"));
}

static void
a_shadow_knows_what_was_put_last(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(shadow) s = shadow_new(&f);

	(void)state;
	assert_non_null(s);
	for (uint64_t i = 1; i <= MANY; i++)
		assert_int_equal(shadow_put(s, i, i + 7, &f), 0);
	assert_int_equal(shadow_count(s), MANY);
	for (uint64_t i = 1; i <= MANY; i += 2)
		assert_int_equal(shadow_put(s, i, 0, &f), 0);
	assert_int_equal(shadow_count(s), MANY / 2);
	for (uint64_t i = 1; i <= MANY; i++)
		assert_true(shadow_get(s, i) == (i % 2 == 0 ? i + 7 : 0));
	/* Taken out twice, and put again. */
	assert_int_equal(shadow_put(s, 1, 0, &f), 0);
	assert_int_equal(shadow_put(s, MANY + 1, 0, &f), 0);
	assert_int_equal(shadow_put(s, 1, 3, &f), 0);
	assert_int_equal(shadow_count(s), MANY / 2 + 1);
	assert_true(shadow_get(s, 1) == 3);
}

static void
names_that_come_and_go_need_no_more_room(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(shadow) s = shadow_new(&f);

	(void)state;
	for (uint64_t i = 1; i < 50 * MANY; i++) {
		assert_int_equal(shadow_put(s, i, 1, &f), 0);
		assert_int_equal(shadow_put(s, i, 0, &f), 0);
	}
	assert_int_equal(shadow_count(s), 0);
}

static void
of_several_changes_of_a_name_the_last_counts(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(changes) c = changes_new(&f);
	const struct change *found;

	(void)state;
	assert_int_equal(changes_put(c, "/CN=a", "one", &f), 0);
	assert_int_equal(changes_put(c, "/CN=b", NULL, &f), 0);
	assert_int_equal(changes_put(c, "/cn=A", "two", &f), 0);
	assert_int_equal(changes_count(c), 2);
	found = changes_find(c, names_hash("/CN=a"));
	assert_non_null(found);
	assert_string_equal(found->accounts, "two");
	found = changes_find(c, names_hash("/CN=b"));
	assert_non_null(found);
	assert_null(found->accounts);
	assert_null(changes_find(c, names_hash("/CN=c")));
	changes_clear(c);
	assert_int_equal(changes_count(c), 0);
	assert_null(changes_find(c, names_hash("/CN=a")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_one_as_maps_compare_them),
		cmocka_unit_test(a_shadow_knows_what_was_put_last),
		cmocka_unit_test(names_that_come_and_go_need_no_more_room),
		cmocka_unit_test(of_several_changes_of_a_name_the_last_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
