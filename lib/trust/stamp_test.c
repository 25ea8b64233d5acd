#include "trust/stamp.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

struct place {
	char dir[32];
};

static void
set_up(struct place *p)
{
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/signet_stamp.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
}

static void
put(const struct place *p, const char *name, const char *text)
{
	struct fault f = { 0 };
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	if (text == NULL)
		assert_int_equal(unlink(path), 0);
	else
		assert_int_equal(file_write(path, 0600, text, strlen(text), &f),
		    0);
}

static bool
wanted(const char *name)
{
	return name[0] == 'a';
}

static void
wanted_names_come_in_order(void **state)
{
	struct fault f = { 0 };
	struct stamps *s;
	struct place p;

	(void)state;
	set_up(&p);
	put(&p, "a2", "x");
	put(&p, "a1", "x");
	put(&p, "b", "x");
	assert_non_null(s = stamps_new(p.dir, wanted, &f));
	assert_string_equal(stamps_name(s, 0), "a1");
	assert_string_equal(stamps_name(s, 1), "a2");
	assert_null(stamps_name(s, 2));
	assert_false(stamps_changed(s));
	stamps_free(s);
	put(&p, "a1", NULL);
	put(&p, "a2", NULL);
	put(&p, "b", NULL);
	assert_int_equal(rmdir(p.dir), 0);
}

static void
a_file_replaced_by_one_of_the_same_size_is_a_change(void **state)
{
	struct fault f = { 0 };
	struct stamps *s;
	struct place p;

	(void)state;
	set_up(&p);
	put(&p, "a", "one");
	assert_non_null(s = stamps_new(p.dir, wanted, &f));
	put(&p, "a", "two");
	assert_true(stamps_changed(s));
	stamps_free(s);
	put(&p, "a", NULL);
	assert_int_equal(rmdir(p.dir), 0);
}

static void
what_a_link_leads_to_counts(void **state)
{
	struct fault f = { 0 };
	struct place p, q;
	struct stamps *s;
	char from[PATH_MAX], to[PATH_MAX];

	(void)state;
	set_up(&p);
	set_up(&q);
	put(&q, "target", "one");
	(void)snprintf(from, sizeof(from), "%s/a", p.dir);
	(void)snprintf(to, sizeof(to), "%s/target", q.dir);
	assert_int_equal(symlink(to, from), 0);
	assert_non_null(s = stamps_new(p.dir, wanted, &f));
	assert_false(stamps_changed(s));
	put(&q, "target", "another");
	assert_true(stamps_changed(s));
	stamps_free(s);
	put(&p, "a", NULL);
	put(&q, "target", NULL);
	assert_int_equal(rmdir(p.dir) | rmdir(q.dir), 0);
}

static void
a_directory_that_comes_into_being_is_a_change(void **state)
{
	struct fault f = { 0 };
	struct stamps *s;
	struct place p;

	(void)state;
	set_up(&p);
	assert_int_equal(rmdir(p.dir), 0);
	assert_non_null(s = stamps_new(p.dir, wanted, &f));
	assert_null(stamps_name(s, 0));
	assert_false(stamps_changed(s));
	assert_int_equal(file_mkdir(p.dir, 0700, &f), 0);
	assert_true(stamps_changed(s));
	stamps_free(s);
	assert_int_equal(rmdir(p.dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wanted_names_come_in_order),
		cmocka_unit_test(
		    a_file_replaced_by_one_of_the_same_size_is_a_change),
		cmocka_unit_test(what_a_link_leads_to_counts),
		cmocka_unit_test(a_directory_that_comes_into_being_is_a_change),
	};

	return cmocka_run_group_tests_name("trust/stamp", tests, NULL, NULL);
}
