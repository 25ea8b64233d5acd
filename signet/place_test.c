#include "place.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/place_test.XXXXXX";

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	return setenv("XDG_CACHE_HOME", dir, 1);
}

static int
tear_down(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/signet/username", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/signet", dir);
	rmdir(path);
	return rmdir(dir);
}

static void
the_proxy_is_where_option_environment_or_custom_say(void **state)
{
	char path[PLACE_SIZE];
	char usual[64];
	char longest[PLACE_SIZE + 1];
	struct fault f;

	(void)state;
	snprintf(usual, sizeof(usual), "/tmp/x509up_u%u", (unsigned)geteuid());
	unsetenv("X509_USER_PROXY");
	assert_int_equal(place_proxy(NULL, path, &f), 0);
	assert_string_equal(path, usual);
	setenv("X509_USER_PROXY", "/a/b", 1);
	assert_int_equal(place_proxy(NULL, path, &f), 0);
	assert_string_equal(path, "/a/b");
	assert_int_equal(place_proxy("/c", path, &f), 0);
	assert_string_equal(path, "/c");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(place_proxy(longest, path, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
}

static void
a_name_is_kept_for_its_owner_alone(void **state)
{
	char name[PLACE_NAME_SIZE];
	char path[64];
	struct stat st;
	struct fault f;

	(void)state;
	assert_int_equal(place_name_read(name, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(place_name_write("scott.koranda@LIGO.ORG", &f), 0);
	assert_int_equal(place_name_read(name, &f), 0);
	assert_string_equal(name, "scott.koranda@LIGO.ORG");
	snprintf(path, sizeof(path), "%s/signet/username", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/signet", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void
a_name_that_others_could_have_put_there_is_not_believed(void **state)
{
	char name[PLACE_NAME_SIZE];
	char path[64];
	struct fault f;

	(void)state;
	assert_int_equal(place_name_write("alice", &f), 0);
	snprintf(path, sizeof(path), "%s/signet/username", dir);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(place_name_read(name, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
}

static void
what_is_no_name_is_refused(void **state)
{
	static const char *const bad[] = { "", "\n\n", "a\tb\n", "\xff\n" };
	char name[PLACE_NAME_SIZE];
	char path[64];
	struct fault f;

	(void)state;
	snprintf(path, sizeof(path), "%s/signet/username", dir);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(file_write(path, 0600, bad[i], strlen(bad[i]),
				     &f),
		    0);
		assert_int_equal(place_name_read(name, &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_proxy_is_where_option_environment_or_custom_say),
		cmocka_unit_test(a_name_is_kept_for_its_owner_alone),
		cmocka_unit_test(
		    a_name_that_others_could_have_put_there_is_not_believed),
		cmocka_unit_test(what_is_no_name_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
