#include "proxy_file.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"
#include "x509/proxy.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/proxy_file_test.XXXXXX";
static char path[64];
static char other[64];

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/proxy", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	unlink(path);
	rmdir(path);
	unlink(other);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

static const struct wire_bytes text = { (const uint8_t *)"new", 3 };

static void
a_directory_that_is_not_there_is_told_before_a_password(void **state)
{
	char nowhere[128];
	struct fault f = { 0 };

	(void)state;
	snprintf(nowhere, sizeof(nowhere), "%s/none/proxy", dir);
	assert_int_equal(proxy_file_check(nowhere, &f), -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
	assert_non_null(strstr(f.text, "/none/: No such file"));
	assert_int_equal(proxy_file_check("a-proxy-in-this-directory", &f), 0);
	assert_int_equal(proxy_file_check("/signet-proxy-test", &f),
	    access("/", W_OK) == 0 ? 0 : -1);
}

static void
a_proxy_is_written_for_its_owner_alone_in_place_of_the_old_one(void **state)
{
	struct stat st;
	struct fault f;

	(void)state;
	assert_int_equal(proxy_file_check(path, &f), 0);
	assert_int_equal(file_write(path, 0644, "old one", 7, &f), 0);
	assert_int_equal(proxy_file_write_text(path, text, &f), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 3);
}

static void
a_link_is_refused_and_what_it_points_at_kept(void **state)
{
	struct stat st;
	struct fault f;

	(void)state;
	assert_int_equal(file_write(other, 0600, "precious", 8, &f), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(proxy_file_write_text(path, text, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_size, 8);
}

static void
what_is_no_file_is_refused(void **state)
{
	struct fault f;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(proxy_file_check(path, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
}

static void
a_strangers_file_is_refused(void **state)
{
	struct fault f;

	(void)state;
	if (geteuid() != 0) {
		/* Only root can give files away; /etc is a stranger's. */
		assert_int_equal(proxy_file_check("/etc/passwd", &f), -1);
		assert_int_equal(f.code, FAULT_DENIED);
		return;
	}
	assert_int_equal(file_write(path, 0600, "theirs", 6, &f), 0);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_int_equal(proxy_file_check(path, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
}

static void
reading_tells_absent_from_open_to_others_from_broken(void **state)
{
	struct credential c;
	struct fault f;

	(void)state;
	assert_int_equal(proxy_file_read(path, &c, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(file_write(path, 0644, "x", 1, &f), 0);
	assert_int_equal(proxy_file_read(path, &c, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_non_null(strstr(f.text, "chmod"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(proxy_file_read(path, &c, &f), -1);
	assert_non_null(strstr(f.text, path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_directory_that_is_not_there_is_told_before_a_password,
		    clean),
		cmocka_unit_test_teardown(
		    a_proxy_is_written_for_its_owner_alone_in_place_of_the_old_one,
		    clean),
		cmocka_unit_test_teardown(
		    a_link_is_refused_and_what_it_points_at_kept, clean),
		cmocka_unit_test_teardown(what_is_no_file_is_refused, clean),
		cmocka_unit_test_teardown(a_strangers_file_is_refused, clean),
		cmocka_unit_test_teardown(
		    reading_tells_absent_from_open_to_others_from_broken,
		    clean),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
