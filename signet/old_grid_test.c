#include "old_grid.h"

#include "base/fault.h"
#include "base/unit.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct old_grid_value values[] = {
	{ "-valid -v", "H:M missing", "not H:M" },
	{ "-hours", "integer missing", NULL },
};
static const struct old_grid tool = { "tool [-help]", "Syntax: ", "",
	"unrecognized option", values, 2 };

#define TAIL "\n\nSyntax: tool [-help]\n\nUse -help to display full usage.\n"

static char said[4096];
static int kept = -1;
static int caught = -1;

/* What goes to stderr between these two is in ${said}. */
static void
catch_words(void)
{
	caught = memfd_create("said", MFD_CLOEXEC);
	assert_true(caught >= 0);
	(void)fflush(stderr);
	kept = dup(STDERR_FILENO);
	assert_true(dup2(caught, STDERR_FILENO) >= 0);
}

static void
caught_words(void)
{
	ssize_t len;

	(void)fflush(stderr);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	(void)close(kept);
	len = pread(caught, said, sizeof(said) - 1, 0);
	assert_true(len >= 0);
	said[len] = '\0';
	(void)close(caught);
}

static void
usage_is(const char *text, const char *wanted)
{
	struct fault f;
	char all[1024];

	(void)fault_set(&f, FAULT_USAGE, "%s", text);
	catch_words();
	old_grid_usage(&tool, &f);
	caught_words();
	(void)snprintf(all, sizeof(all), "\nERROR: %s%s", wanted, TAIL);
	assert_string_equal(said, all);
}

static void
mistakes_are_put_as_globus_args_does(void **state)
{
	(void)state;
	usage_is("-nosuch is no option here",
	    "option -nosuch : unrecognized option");
	usage_is("-subjct is no option here; did you mean -subject?",
	    "option -subjct : unrecognized option");
	usage_is("\"extra\" is one word too many",
	    "option extra : unrecognized option");
	usage_is("-valid needs a value", "option -valid : H:M missing");
	usage_is("-v needs a value", "option -v : H:M missing");
	usage_is("-valid: \"-1:00\" is not a time such as 12:00",
	    "option -valid : H:M missing");
	usage_is("-valid: \"x\" is not a time such as 12:00",
	    "option -valid : not H:M");
	usage_is("-valid: specified minutes must be in the range 0-60",
	    "option -valid : specified minutes must be in the range 0-60");
	usage_is("-hours: \"x\" is not a number",
	    "option -hours : \"x\" is not a number");
	usage_is("-other needs a value", "option -other : needs a value");
	usage_is("no answer was given", "no answer was given");
}

static void
an_option_can_be_blamed_in_other_words(void **state)
{
	(void)state;
	catch_words();
	old_grid_option(&tool, "-cert", "is a cake");
	caught_words();
	assert_string_equal(said, "\nERROR: option -cert : is a cake" TAIL);
}

static void
a_missing_proxy_is_told_apart_from_a_missing_file(void **state)
{
	static const char all[] =
	    "\nERROR: What\n       globus_sysconfig: Could not find a valid "
	    "proxy certificate file location\nglobus_sysconfig: Error with "
	    "key filename\nglobus_sysconfig: why\n\nUse -debug for further "
	    "information.\n";
	static const char named[] =
	    "\nERROR: What\n       globus_sysconfig: why\n\nUse -debug for "
	    "further information.\n";

	(void)state;
	catch_words();
	old_grid_no_file("What", "why", false);
	caught_words();
	assert_string_equal(said, all);
	catch_words();
	old_grid_no_file("What", "why", true);
	caught_words();
	assert_string_equal(said, named);
}

static void
files_are_judged_by_owner_mode_and_length(void **state)
{
	char path[] = "/tmp/old_grid_test.XXXXXX";
	char why[OLD_GRID_WHY_SIZE];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_true(old_grid_file(path, true, why));
	assert_non_null(strstr(why, "File has zero length: File: /tmp/"));
	assert_int_equal(write(fd, "x", 1), 1);
	assert_false(old_grid_file(path, true, why));
	assert_string_equal(why, "");
	for (mode_t bit = 1; bit < 0100; bit <<= 1) {
		assert_int_equal(fchmod(fd, 0600 | bit), 0);
		assert_true(old_grid_file(path, true, why));
		assert_non_null(strstr(why, "are too permissive. Maximum"));
		assert_false(old_grid_file(path, false, why));
	}
	assert_int_equal(fchmod(fd, 0700), 0);
	assert_true(old_grid_file(path, true, why));
	assert_int_equal(fchmod(fd, 0400), 0);
	assert_false(old_grid_file(path, true, why));
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	assert_true(old_grid_file(path, false, why));
	assert_non_null(strstr(why, "is not a valid file"));
	if (geteuid() == 0) {
		fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
		assert_true(fd >= 0);
		assert_int_equal(fchown(fd, 12345, (gid_t)-1), 0);
		assert_int_equal(close(fd), 0);
		assert_true(old_grid_file(path, true, why));
		assert_non_null(strstr(why, "not owned by current user"));
		assert_int_equal(unlink(path), 0);
	}
}

static void
a_path_of_any_length_is_not_run_past(void **state)
{
	char *path = malloc(5000);
	char *why = malloc(OLD_GRID_WHY_SIZE);

	(void)state;
	assert_non_null(path);
	assert_non_null(why);
	memset(path, 'x', 4999);
	path[4999] = '\0';
	assert_true(old_grid_file(path, true, why));
	assert_true(strlen(why) < OLD_GRID_WHY_SIZE);
	free(path);
	free(why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_put_as_globus_args_does),
		cmocka_unit_test(an_option_can_be_blamed_in_other_words),
		cmocka_unit_test(
		    a_missing_proxy_is_told_apart_from_a_missing_file),
		cmocka_unit_test(files_are_judged_by_owner_mode_and_length),
		cmocka_unit_test(a_path_of_any_length_is_not_run_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
