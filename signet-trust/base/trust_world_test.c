#include "trust_world.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static void
add(struct trust_world *w, const char *alias, const char *status,
    const char *requires_one)
{
	struct fault f = { 0 };
	struct anchor_want *want = want_new(WANT_IGTF, "/d/x.info", &f);

	assert_non_null(want);
	assert_int_equal(want_set(&want->alias, alias, &f), 0);
	assert_int_equal(want_set(&want->status, status, &f), 0);
	if (requires_one != NULL)
		assert_int_equal(want_list_add(&want->requires, requires_one,
				     &f),
		    0);
	assert_int_equal(anchor_set_add(&w->set, want, &f), 0);
}

static void
setup(struct trust_world *w)
{
	memset(w, 0, sizeof(*w));
	add(w, "root", "accredited:classic", NULL);
	add(w, "sub", "accredited:mics", "root = 1");
	add(w, "other", "experimental", NULL);
}

static bool
chosen(const struct trust_world *w, const char *name)
{
	return anchor_set_find(&w->set, name)->chosen;
}

static void
without_a_word_all_are_chosen(void **state)
{
	struct trust_args args = { 0 };
	struct trust_world w;
	struct fault f = { 0 };

	(void)state;
	setup(&w);
	assert_int_equal(trust_world_choose(&w, &args, &f), 0);
	assert_true(chosen(&w, "root") && chosen(&w, "sub") &&
	    chosen(&w, "other"));
	trust_world_close(&w);
}

static void
what_is_chosen_brings_what_it_requires(void **state)
{
	struct trust_args args = { .ca = { .count = 1, .item = { "sub" } } };
	struct trust_world w;
	struct fault f = { 0 };

	(void)state;
	setup(&w);
	assert_int_equal(trust_world_choose(&w, &args, &f), 0);
	assert_true(chosen(&w, "root") && chosen(&w, "sub"));
	assert_false(chosen(&w, "other"));
	trust_world_close(&w);
}

static void
profiles_choose(void **state)
{
	struct trust_args args = { .profile = {
				       .count = 1, .item = { "classic" } } };
	struct trust_world w;
	struct fault f = { 0 };

	(void)state;
	setup(&w);
	assert_int_equal(trust_world_choose(&w, &args, &f), 0);
	assert_true(chosen(&w, "root"));
	assert_false(chosen(&w, "sub") || chosen(&w, "other"));
	trust_world_close(&w);
}

static void
who_is_not_there_is_said(void **state)
{
	struct trust_args args = { .ca = {
				       .count = 1, .item = { "a, root b" } } };
	struct trust_world w;
	struct fault f = { 0 };

	(void)state;
	setup(&w);
	assert_int_equal(trust_world_choose(&w, &args, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
	assert_string_equal(f.text, "No CA matching any of a, b");
	trust_world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_word_all_are_chosen),
		cmocka_unit_test(what_is_chosen_brings_what_it_requires),
		cmocka_unit_test(profiles_choose),
		cmocka_unit_test(who_is_not_there_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
