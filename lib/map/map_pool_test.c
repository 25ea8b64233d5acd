#include "map/map_pool.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USER "/O=G/CN=Pool User"
#define USER_KEY "%2fo%3dg%2fcn%3dpool%20user"

struct place {
	char dir[64];
};

static void
touch(const struct place *p, const char *name)
{
	char path[PATH_MAX];
	int fd;

	assert_int_equal(text_fmt(path, sizeof(path), "%s/%s", p->dir, name),
	    0);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
}

static void
link_name(const struct place *p, const char *from, const char *to)
{
	char one[PATH_MAX], two[PATH_MAX];

	assert_int_equal(text_fmt(one, sizeof(one), "%s/%s", p->dir, from), 0);
	assert_int_equal(text_fmt(two, sizeof(two), "%s/%s", p->dir, to), 0);
	assert_int_equal(link(one, two), 0);
}

static bool
is_there(const struct place *p, const char *name)
{
	char path[PATH_MAX];

	assert_int_equal(text_fmt(path, sizeof(path), "%s/%s", p->dir, name),
	    0);
	return access(path, F_OK) == 0;
}

static void
drop(const struct place *p, const char *name)
{
	char path[PATH_MAX];

	assert_int_equal(text_fmt(path, sizeof(path), "%s/%s", p->dir, name),
	    0);
	assert_int_equal(unlink(path), 0);
}

/* A directory with ${count} accounts pool001... and one of another pool. */
static void
place_make(struct place *p, int count)
{
	char name[32];

	assert_int_equal(text_copy(p->dir, sizeof(p->dir),
			     "/tmp/map_pool-XXXXXX"),
	    0);
	assert_non_null(mkdtemp(p->dir));
	for (int i = 1; i <= count; i++) {
		assert_int_equal(text_fmt(name, sizeof(name), "pool%03d", i),
		    0);
		touch(p, name);
	}
	touch(p, "other1");
}

static int
drop_entry(void *arg, const struct map_pool_entry *entry)
{
	struct fault f = { 0 };
	const struct place *p = arg;

	if (entry->dn[0] != '\0')
		(void)!map_pool_release(p->dir, entry->dn, &f);
	drop(p, entry->account);
	return 0;
}

static void
place_end(struct place *p)
{
	struct fault f = { 0 };

	assert_int_equal(map_pool_each(p->dir, drop_entry, p, &f), 0);
	assert_int_equal(rmdir(p->dir), 0);
}

static void
expect_lease(const struct place *p, const char *dn, const char *account)
{
	char got[MAP_POOL_ACCOUNT_SIZE] = "";
	struct fault f = { 0 };

	if (map_pool_lease(p->dir, "pool", dn, got, &f) < 0)
		assert_null(account);
	else
		assert_string_equal(got, account);
}

static void
a_lease_is_a_link_named_as_the_toolkit_names_it(void **state)
{
	struct place p;
	struct fault f = { 0 };
	OWN_BUF(dn, 1024);
	char account[MAP_POOL_ACCOUNT_SIZE];

	(void)state;
	place_make(&p, 1);
	expect_lease(&p, USER, "pool001");
	assert_true(is_there(&p, USER_KEY));
	expect_lease(&p, USER, "pool001");
	expect_lease(&p, "/O=G/CN=Pool Two", NULL);
	assert_int_equal(map_pool_find(p.dir, "pool", USER, account, &f), 0);
	assert_string_equal(account, "pool001");
	assert_int_equal(map_pool_find(p.dir, NULL, USER, account, &f), 0);
	assert_int_equal(map_pool_find(p.dir, "pool", "/CN=x", account, &f),
	    -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(map_pool_holder(p.dir, "pool001", &dn, &f), 0);
	assert_string_equal((char *)dn.data, "/o=g/cn=pool user");
	assert_int_equal(map_pool_holder(p.dir, "other1", &dn, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	place_end(&p);
}

static void
leases_that_others_made_are_kept_to(void **state)
{
	struct place p;

	(void)state;
	place_make(&p, 2);
	link_name(&p, "pool002", USER_KEY);
	expect_lease(&p, USER, "pool002");
	expect_lease(&p, "/O=G/CN=Pool Two", "pool001");
	expect_lease(&p, "/O=G/CN=Three", NULL);
	place_end(&p);
}

static void
what_is_released_is_free_again(void **state)
{
	struct place p;
	struct fault f = { 0 };

	(void)state;
	place_make(&p, 1);
	expect_lease(&p, USER, "pool001");
	assert_int_equal(map_pool_release(p.dir, USER, &f), 0);
	assert_int_equal(map_pool_release(p.dir, USER, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	expect_lease(&p, "/O=G/CN=Pool Two", "pool001");
	place_end(&p);
}

static void
a_pool_is_its_name_and_digits(void **state)
{
	struct place p;
	struct fault f = { 0 };
	char account[MAP_POOL_ACCOUNT_SIZE];

	(void)state;
	place_make(&p, 0);
	touch(&p, "poolb001");
	touch(&p, "pool");
	touch(&p, "pool1~");
	expect_lease(&p, USER, NULL);
	assert_int_equal(map_pool_lease(p.dir, "", USER, account, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	/* Who has an account of one pool has none of another. */
	assert_int_equal(map_pool_lease(p.dir, "other", USER, account, &f), 0);
	touch(&p, "pool001");
	assert_int_equal(map_pool_lease(p.dir, "pool", USER, account, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	place_end(&p);
}

static void
an_account_with_two_holders_is_nobodys(void **state)
{
	struct place p;
	struct fault f = { 0 };
	char account[MAP_POOL_ACCOUNT_SIZE];

	(void)state;
	place_make(&p, 2);
	link_name(&p, "pool001", USER_KEY);
	link_name(&p, "pool001", "%2fcn%3dx");
	assert_int_equal(map_pool_lease(p.dir, "pool", USER, account, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(map_pool_lease(p.dir, "pool", "/CN=x", account, &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	expect_lease(&p, "/CN=third", "pool002");
	drop(&p, "%2fcn%3dx");
	expect_lease(&p, USER, "pool001");
	place_end(&p);
}

static void
a_lease_of_an_account_that_is_no_more_is_none(void **state)
{
	struct place p;

	(void)state;
	place_make(&p, 2);
	link_name(&p, "pool001", USER_KEY);
	drop(&p, "pool001");
	expect_lease(&p, USER, "pool002");
	place_end(&p);
}

static void
names_that_cannot_be_files_are_refused(void **state)
{
	struct place p;
	struct fault f = { 0 };
	char account[MAP_POOL_ACCOUNT_SIZE], dn[300];

	(void)state;
	place_make(&p, 1);
	memset(dn, 'a', sizeof(dn));
	dn[0] = '/';
	dn[sizeof(dn) - 1] = '\0';
	assert_int_equal(map_pool_lease(p.dir, "pool", dn, account, &f), -1);
	assert_int_equal(f.code, FAULT_NAME);
	assert_int_equal(map_pool_lease(p.dir, "pool", "pool001", account, &f),
	    -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(map_pool_lease("/nonexistent", "pool", USER, account,
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
	place_end(&p);
}

/* ${count} names from ${first} on ask, from a process of their own. */
static pid_t
many_ask(const struct place *p, int first, int count)
{
	pid_t pid = fork();
	char dn[64], account[MAP_POOL_ACCOUNT_SIZE];
	int failed = 0;

	if (pid != 0)
		return pid;
	for (int i = first; i < first + count; i++) {
		struct fault f = { 0 };

		if (text_fmt(dn, sizeof(dn), "/CN=user %d", i) < 0 ||
		    map_pool_lease(p->dir, "pool", dn, account, &f) < 0)
			failed++;
	}
	_exit(failed != 0);
}

struct seen {
	int leased;
	int free;
};

static int
count_entry(void *arg, const struct map_pool_entry *entry)
{
	struct seen *seen = arg;

	seen->leased += entry->dn[0] != '\0';
	seen->free += entry->dn[0] == '\0';
	return 0;
}

#define PROCESSES 4
#define EACH 40

static void
many_at_once_have_an_account_each(void **state)
{
	struct place p;
	struct fault f = { 0 };
	struct seen seen = { 0, 0 };
	pid_t pids[PROCESSES];
	int status;

	(void)state;
	/* As many as there are names: two ask for each, so two at once meet. */
	place_make(&p, PROCESSES / 2 * EACH);
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = many_ask(&p, i / 2 * EACH, EACH);
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(map_pool_each(p.dir, count_entry, &seen, &f), 0);
	assert_int_equal(seen.leased, PROCESSES / 2 * EACH);
	assert_int_equal(seen.free, 1); /* of the other pool */
	place_end(&p);
}

static void
who_is_killed_leaves_leases_that_stand(void **state)
{
	struct place p;
	struct fault f = { 0 };
	struct seen seen = { 0, 0 };
	char dn[64], account[MAP_POOL_ACCOUNT_SIZE];
	int status;

	(void)state;
	place_make(&p, 100);
	for (int i = 0; i < 20; i++) {
		pid_t pid = many_ask(&p, 0, 100);

		(void)usleep((useconds_t)(i * 150));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	for (int i = 0; i < 100; i++) {
		assert_int_equal(text_fmt(dn, sizeof(dn), "/CN=user %d", i), 0);
		assert_int_equal(map_pool_lease(p.dir, "pool", dn, account, &f),
		    0);
	}
	assert_int_equal(map_pool_each(p.dir, count_entry, &seen, &f), 0);
	assert_int_equal(seen.leased, 100);
	place_end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_lease_is_a_link_named_as_the_toolkit_names_it),
		cmocka_unit_test(leases_that_others_made_are_kept_to),
		cmocka_unit_test(what_is_released_is_free_again),
		cmocka_unit_test(a_pool_is_its_name_and_digits),
		cmocka_unit_test(an_account_with_two_holders_is_nobodys),
		cmocka_unit_test(a_lease_of_an_account_that_is_no_more_is_none),
		cmocka_unit_test(names_that_cannot_be_files_are_refused),
		cmocka_unit_test(many_at_once_have_an_account_each),
		cmocka_unit_test(who_is_killed_leaves_leases_that_stand),
	};

	return cmocka_run_group_tests_name("map/pool", tests, NULL, NULL);
}
