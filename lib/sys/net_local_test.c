#include "base/fault.h"
#include "base/unit.h"
#include "sys/net.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A directory of the test's own, and a path for a socket below it. */
struct place {
	char dir[64];
	char path[96];
};

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	memcpy(p->dir, "/tmp/net_local.XXXXXX", 22);
	if (mkdtemp(p->dir) == NULL)
		return -1;
	(void)snprintf(p->path, sizeof(p->path), "%s/run/o.sock", p->dir);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;
	char run[80];

	(void)unlink(p->path);
	(void)snprintf(run, sizeof(run), "%s/run", p->dir);
	(void)rmdir(run);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

static void
the_kernel_says_who_connected(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };
	int door = net_listen_local(p->path, &f);
	int here = net_connect_local(p->path, &f);
	int there = accept(door, NULL, NULL);
	uid_t uid = (uid_t)-1;

	assert_true(door >= 0 && here >= 0 && there >= 0);
	assert_int_equal(net_peer_uid(there, &uid, &f), 0);
	assert_int_equal(uid, getuid());
	(void)close(there);
	(void)close(here);
	(void)close(door);
}

static void
directory_and_socket_are_open_to_all(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };
	mode_t before = umask(077);
	int door = net_listen_local(p->path, &f);
	struct stat st;
	char run[80];

	(void)umask(before);
	assert_true(door >= 0);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	(void)snprintf(run, sizeof(run), "%s/run", p->dir);
	assert_int_equal(stat(run, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	(void)close(door);
}

static void
what_a_crash_left_is_replaced_and_what_lives_is_not(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };
	int first = net_listen_local(p->path, &f), second;

	assert_true(first >= 0);
	assert_int_equal(net_listen_local(p->path, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	(void)close(first);
	second = net_listen_local(p->path, &f);
	assert_true(second >= 0);
	(void)close(second);
}

static void
a_file_is_not_taken_away(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };
	int door = net_listen_local(p->path, &f);
	FILE *file;

	assert_true(door >= 0);
	(void)close(door);
	assert_int_equal(unlink(p->path), 0);
	file = fopen(p->path, "w");
	assert_non_null(file);
	(void)fclose(file);
	assert_int_equal(net_listen_local(p->path, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(net_connect_local(p->path, &f), -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
}

static void
where_others_may_write_no_socket_is_made(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };
	char run[80];

	(void)snprintf(run, sizeof(run), "%s/run", p->dir);
	assert_int_equal(mkdir(run, 0755), 0);
	assert_int_equal(chmod(run, 01777), 0);
	assert_int_equal(net_listen_local(p->path, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(access(p->path, F_OK), -1);
	assert_int_equal(chmod(run, 0755), 0);
}

static void
a_path_must_be_absolute_and_fit(void **state)
{
	struct fault f = { 0 };
	char path[256];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(net_listen_local(path, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(net_listen_local("run/o.sock", &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_kernel_says_who_connected,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    directory_and_socket_are_open_to_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_a_crash_left_is_replaced_and_what_lives_is_not, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(a_file_is_not_taken_away,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    where_others_may_write_no_socket_is_made, set_up,
		    tear_down),
		cmocka_unit_test(a_path_must_be_absolute_and_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
