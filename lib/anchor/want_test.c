#include "anchor/want.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static struct anchor_want *
make(enum want_from from, const char *hash, const char *alias, const char *file)
{
	struct fault f = { 0 };
	struct anchor_want *want = want_new(from, file, &f);

	assert_non_null(want);
	memcpy(want->hash, hash, strlen(hash) + 1);
	assert_int_equal(want_set(&want->alias, alias, &f), 0);
	return want;
}

static void
a_later_one_of_the_same_hash_replaces_and_says_so(void **state)
{
	struct anchor_set set = { 0 };
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(anchor_set_add(&set,
			     make(WANT_CADESC, "11111111", "a", "one"), &f),
	    0);
	assert_int_equal(anchor_set_add(&set,
			     make(WANT_IGTF, "22222222", "b", "two"), &f),
	    0);
	assert_int_equal(anchor_set_add(&set,
			     make(WANT_CADESC, "11111111", "c", "three"), &f),
	    0);
	assert_int_equal(set.count, 2);
	/* The earlier name stops working. */
	assert_null(anchor_set_find(&set, "a"));
	assert_string_equal(anchor_set_find(&set, "c")->notes.item[0],
	    "overrides one");
	assert_ptr_equal(anchor_set_find(&set, "11111111"),
	    anchor_set_find(&set, "c"));
	anchor_set_clear(&set);
}

static void
a_set_is_sorted_by_hash(void **state)
{
	struct anchor_set set = { 0 };
	struct fault f = { 0 };
	char hash[9];

	(void)state;
	anchor_set_sort(&set);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(hash, sizeof(hash), "%08x",
		    (i * 2654435761u) & 0xffffffff);
		assert_int_equal(anchor_set_add(&set,
				     make(WANT_PLAIN, hash, hash, "f"), &f),
		    0);
	}
	anchor_set_sort(&set);
	for (size_t i = 1; i < set.count; i++)
		assert_true(strcmp(set.item[i - 1]->hash, set.item[i]->hash) <
		    0);
	anchor_set_clear(&set);
}

static void
profiles_are_what_the_status_says(void **state)
{
	struct anchor_want *want = make(WANT_IGTF, "", "a", "f");
	struct fault f = { 0 };

	(void)state;
	assert_false(want_has_profile(want, "classic"));
	assert_int_equal(want_set(&want->status, "accredited:classic", &f), 0);
	assert_true(want_has_profile(want, "classic"));
	assert_false(want_has_profile(want, "accredited:classic"));
	assert_false(want_has_profile(want, "class"));
	assert_int_equal(want_set(&want->status, "unaccredited", &f), 0);
	assert_true(want_has_profile(want, "unaccredited"));
	want_free(want);
}

static void
subjects_are_found_however_spelt(void **state)
{
	struct anchor_set set = { 0 };
	struct fault f = { 0 };
	struct anchor_want *want = make(WANT_CADESC, "11111111", "a", "one");

	(void)state;
	assert_int_equal(want_set(&want->subject, "/O=A/UID=ca", &f), 0);
	assert_int_equal(anchor_set_add(&set, want, &f), 0);
	assert_ptr_equal(anchor_set_find_subject(&set, "/O=A/USERID=ca"), want);
	assert_null(anchor_set_find_subject(&set, "/O=A"));
	anchor_set_clear(&set);
}

static void
what_strangers_wrote_has_a_bound_and_what_we_make_has_none(void **state)
{
	struct anchor_want *want = make(WANT_CADESC, "11111111", "a", "one");
	struct want_list ours = { 0 };
	struct fault f = { 0 };

	(void)state;
	for (int i = 0; i < WANT_LIST_MAX + 5; i++) {
		assert_int_equal(want_say(&want->notes, &f, "%d", i), 0);
		assert_int_equal(want_add(want, &want->may_sign, "/C=*", &f),
		    0);
		assert_int_equal(want_list_add(&ours, "x", &f), 0);
	}
	assert_int_equal(want->notes.count, WANT_LIST_MAX);
	assert_int_equal(want->may_sign.count, WANT_LIST_MAX);
	assert_int_equal(want->wrong.count, 1);
	assert_string_equal(want->wrong.item[0], "more than 1024 of one kind");
	assert_int_equal(ours.count, WANT_LIST_MAX + 5);
	want_list_clear(&ours);
	want_free(want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_later_one_of_the_same_hash_replaces_and_says_so),
		cmocka_unit_test(a_set_is_sorted_by_hash),
		cmocka_unit_test(profiles_are_what_the_status_says),
		cmocka_unit_test(subjects_are_found_however_spelt),
		cmocka_unit_test(
		    what_strangers_wrote_has_a_bound_and_what_we_make_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
