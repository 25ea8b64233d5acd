/* What somebody who was killed left, at each of the steps of a switch. */
#include "anchor/house_site.h"

#include "anchor/house_probe.h"

static void
move(const struct place *p, const char *from, const char *to, unsigned how)
{
	char one[PATH_MAX], two[PATH_MAX];

	(void)snprintf(one, sizeof(one), "%s/%s", p->top, from);
	(void)snprintf(two, sizeof(two), "%s/%s", p->top, to);
	assert_int_equal(renameat2(AT_FDCWD, one, AT_FDCWD, two, how), 0);
}

static void
make(const struct place *p, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", p->top, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static bool
exists(const struct place *p, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", p->top, name);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
mend(struct place *p)
{
	house_close(enter(p));
	assert_false(exists(p, ".certs.gen/new"));
	assert_false(exists(p, ".certs.gen/next"));
	assert_false(exists(p, ".certs.gen/drop"));
}

static void
half_a_generation_is_cleared_away(void **state)
{
	struct place p;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one");
	(void)settle(&p, "a.0=two");
	make(&p, ".certs.gen/new");
	make(&p, ".certs.gen/new/sub");
	make(&p, ".certs.gen/drop");
	mend(&p);
	reads(&p, "a.0", "two");
	assert_false(settle(&p, "a.0=two"));
	place_drop(&p);
}

/* Back to before the exchange: a generation that never was DIR. */
static void
before_the_exchange_nothing_happened(void **state)
{
	struct place p;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one");
	(void)settle(&p, "a.0=two");
	move(&p, "certs", ".certs.gen/next", 0);
	move(&p, ".certs.gen/1", "certs", 0);
	mend(&p);
	reads(&p, "a.0", "one");
	assert_true(settle(&p, "a.0=two"));
	assert_true(go_back(&p, -1));
	reads(&p, "a.0", "one");
	place_drop(&p);
}

static void
after_the_exchange_it_happened(void **state)
{
	struct place p;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one");
	(void)settle(&p, "a.0=two");
	move(&p, ".certs.gen/1", ".certs.gen/next", 0);
	mend(&p);
	assert_true(exists(&p, ".certs.gen/1"));
	reads(&p, "a.0", "two");
	place_drop(&p);
}

/* The first time what DIR was is not ours, and has no list. */
static void
what_was_there_before_us_is_not_lost(void **state)
{
	struct place p;

	(void)state;
	place_init(&p);
	assert_int_equal(mkdir(p.dir, 0755), 0);
	scribble(&p, "theirs", "x");
	scribble(&p, "a.0", "before");
	(void)settle(&p, "a.0=one");
	move(&p, ".certs.gen/0", ".certs.gen/next", 0);
	mend(&p);
	assert_true(exists(&p, ".certs.gen/0/theirs"));
	assert_true(go_back(&p, 0));
	reads(&p, "a.0", "before");
	place_drop(&p);
	/* And not exchanged yet. */
	place_init(&p);
	assert_int_equal(mkdir(p.dir, 0755), 0);
	scribble(&p, "theirs", "x");
	(void)settle(&p, "a.0=one");
	move(&p, "certs", ".certs.gen/next", 0);
	move(&p, ".certs.gen/0", "certs", 0);
	mend(&p);
	assert_true(is_there(&p, "theirs"));
	assert_false(is_there(&p, "a.0"));
	place_drop(&p);
}

static void
a_generation_that_no_link_led_to_goes(void **state)
{
	struct place p;
	char path[PATH_MAX];

	(void)state;
	place_init(&p);
	p.options.as_link = true;
	(void)settle(&p, "a.0=one");
	(void)settle(&p, "a.0=two");
	assert_int_equal(unlink(p.dir), 0);
	assert_int_equal(symlink(".certs.gen/1", p.dir), 0);
	(void)snprintf(path, sizeof(path), "%s/.certs.gen/link", p.top);
	assert_int_equal(symlink(".certs.gen/2", path), 0);
	mend(&p);
	assert_false(exists(&p, ".certs.gen/2"));
	assert_false(exists(&p, ".certs.gen/link"));
	reads(&p, "a.0", "one");
	assert_true(settle(&p, "a.0=two"));
	place_drop(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_a_generation_is_cleared_away),
		cmocka_unit_test(before_the_exchange_nothing_happened),
		cmocka_unit_test(after_the_exchange_it_happened),
		cmocka_unit_test(what_was_there_before_us_is_not_lost),
		cmocka_unit_test(a_generation_that_no_link_led_to_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
