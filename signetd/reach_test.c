#include "signetd/reach.h"

#include "base/unit.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A place with "home/certificates" in it. */
struct place {
	char top[64];
	char home[80];
	char dir[96];
	char above[PATH_MAX];
};

static void
path_of(const struct place *p, const char *name, char path[160])
{
	(void)snprintf(path, 160, "%s/%s", p->home, name);
}

static void
make_dir(const struct place *p, const char *name)
{
	char path[160];

	path_of(p, name, path);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
make_file(const struct place *p, const char *name)
{
	char path[160];
	int fd;

	path_of(p, name, path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static void
begin(struct place *p)
{
	(void)snprintf(p->top, sizeof(p->top), "/tmp/signet-reach.XXXXXX");
	assert_non_null(mkdtemp(p->top));
	(void)snprintf(p->home, sizeof(p->home), "%s/home", p->top);
	(void)snprintf(p->dir, sizeof(p->dir), "%s/certificates", p->home);
	assert_int_equal(mkdir(p->home, 0700), 0);
	make_dir(p, "certificates");
}

static void
remove_one(const struct place *p, const char *name)
{
	char path[160];

	path_of(p, name, path);
	assert_int_equal(remove(path), 0);
}

static void
end(const struct place *p)
{
	assert_int_equal(rmdir(p->dir), 0);
	assert_int_equal(rmdir(p->home), 0);
	assert_int_equal(rmdir(p->top), 0);
}

static void
a_directory_of_its_own_is_read(void **state)
{
	struct place p;

	(void)state;
	begin(&p);
	make_dir(&p, ".certificates.gen");
	make_file(&p, ".certificates.lock");
	assert_int_equal(reach_successor(p.dir, false, p.above), REACH_ABOVE);
	assert_string_equal(p.above, p.home);
	remove_one(&p, ".certificates.lock");
	remove_one(&p, ".certificates.gen");
	end(&p);
}

static void
one_that_has_more_in_it_only_by_a_user_of_his_own(void **state)
{
	static const char *const more[] = { "ca.key", ".ca.key.gen",
		".certificates", ".certificates.gen2", ".certificates.key",
		"certificates.gen" };
	struct place p;

	(void)state;
	begin(&p);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		make_file(&p, more[i]);
		assert_int_equal(reach_successor(p.dir, false, p.above),
		    REACH_SHARED);
		assert_int_equal(reach_successor(p.dir, true, p.above),
		    REACH_ABOVE);
		assert_string_equal(p.above, p.home);
		remove_one(&p, more[i]);
	}
	end(&p);
}

/* What the link leads to is among generations, whatever is beside it. */
static void
generations_are_read_through_a_link(void **state)
{
	char path[160];
	struct place p;

	(void)state;
	begin(&p);
	make_file(&p, "ca.key");
	make_dir(&p, ".trust.gen");
	make_dir(&p, ".trust.gen/7");
	make_dir(&p, ".trust.gen/8");
	path_of(&p, "trust", path);
	assert_int_equal(symlink(".trust.gen/8", path), 0);
	assert_int_equal(reach_successor(path, false, p.above), REACH_ABOVE);
	path_of(&p, ".trust.gen", path);
	assert_string_equal(p.above, path);
	remove_one(&p, "trust");
	remove_one(&p, ".trust.gen/8");
	remove_one(&p, ".trust.gen/7");
	remove_one(&p, ".trust.gen");
	remove_one(&p, "ca.key");
	end(&p);
}

static void
what_is_not_there_needs_nothing(void **state)
{
	char above[PATH_MAX];

	(void)state;
	assert_int_equal(reach_successor("/no/such/place", true, above),
	    REACH_NONE);
	/* The root is never read. */
	assert_int_equal(reach_successor("/tmp", true, above), REACH_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_of_its_own_is_read),
		cmocka_unit_test(
		    one_that_has_more_in_it_only_by_a_user_of_his_own),
		cmocka_unit_test(generations_are_read_through_a_link),
		cmocka_unit_test(what_is_not_there_needs_nothing),
	};

	return cmocka_run_group_tests_name("signetd/reach", tests, NULL, NULL);
}
