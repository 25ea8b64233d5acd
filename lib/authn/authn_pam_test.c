#include "authn/authn.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Service files of our own, in a folder of our own. */
static char dir[PATH_MAX];

/* ann's password is "x"; made with crypt(3). */
#define USERS                                              \
	"ann:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$6foLM1JhGupouW" \
	"KMU70wxK61Kw9ZnecbACjJwRadqM2\n"

static void
put(const char *name, const char *text)
{
	struct fault f = { 0 };
	char path[PATH_MAX + 64];

	assert_int_equal(text_fmt(path, sizeof(path), "%s/%s", dir, name), 0);
	assert_int_equal(file_write(path, 0600, text, strlen(text), &f), 0);
}

static void
put_service(const char *name, const char *fmt)
{
	char text[2 * PATH_MAX];

	/* ${fmt} has one %s: the folder. */
	OWN_BUF(b, sizeof(text));
	const char *at = strstr(fmt, "%s");

	assert_non_null(at);
	buf_put(&b, fmt, (size_t)(at - fmt));
	buf_text(&b, dir);
	buf_text(&b, at + 2);
	assert_non_null(buf_cstr(&b));
	put(name, (const char *)b.data);
}

static int
set_up(void **state)
{
	struct fault f = { 0 };
	char here[PATH_MAX];

	(void)state;
	if (getcwd(here, sizeof(here) - 32) == NULL ||
	    text_fmt(dir, sizeof(dir), "%s/authn_pam_test.d", here) < 0 ||
	    file_mkdir(dir, 0700, &f) < 0)
		return -1;
	put("users", USERS);
	put_service("file",
	    "auth required pam_pwdfile.so pwdfile=%s/users\n"
	    "account required pam_permit.so\n");
	put_service("closed",
	    "auth required pam_pwdfile.so pwdfile=%s/users\n"
	    "account required pam_deny.so\n");
	put_service("slow",
	    "auth optional pam_faildelay.so delay=9000000\n"
	    "auth required pam_pwdfile.so pwdfile=%s/users\n"
	    "account required pam_permit.so\n");
	put_service("twice",
	    "auth required pam_pwdfile.so pwdfile=%s/users\n"
	    "auth required pam_pwdfile.so pwdfile=/dev/null\n"
	    "account required pam_permit.so\n");
	put("broken", "auth required pam_no_such_module.so\n");
	put("open",
	    "auth required pam_permit.so\n"
	    "account required pam_permit.so\n");
	put("other",
	    "auth required pam_deny.so\n"
	    "account required pam_deny.so\n");
	return 0;
}

static int
try(const char *service, const char *user, const void *phrase, size_t len,
    char *name, size_t size, struct fault *f)
{
	OWN_STRUCT(secret) s = secret_copy(phrase, len, f);

	assert_non_null(s);
	f->code = FAULT_NONE;
	return authn_pam(dir, service, user, "192.0.2.1", s, name, size, f);
}

static void
the_right_password_passes_and_the_name_comes_back(void **state)
{
	struct fault f = { 0 };
	char name[256] = "";

	(void)state;
	assert_int_equal(try("file", "ann", "x", 1, name, sizeof(name), &f), 0);
	assert_string_equal(name, "ann");
}

static void
wrong_passwords_and_unknown_users_are_the_same_to_strangers(void **state)
{
	struct fault f = { 0 };
	char name[256] = "";

	(void)state;
	assert_int_equal(try("file", "ann", "y", 1, name, sizeof(name), &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(try("file", "eve", "x", 1, name, sizeof(name), &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(try("file", "", "x", 1, name, sizeof(name), &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(try("file", "ann", "x\0y", 3, name, sizeof(name), &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_string_equal(name, "");
}

static void
an_account_that_is_closed_is_refused(void **state)
{
	struct fault f = { 0 };
	char name[256] = "";

	(void)state;
	assert_int_equal(try("closed", "ann", "x", 1, name, sizeof(name), &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_non_null(strstr(f.text, "account"));
}

static void
a_broken_service_is_not_the_users_fault(void **state)
{
	struct fault f = { 0 };
	char name[256] = "";

	(void)state;
	assert_int_equal(try("broken", "ann", "x", 1, name, sizeof(name), &f),
	    -1);
	assert_int_equal(f.code, FAULT_FAILED);
}

static void
a_service_without_a_file_is_denied_by_other(void **state)
{
	struct fault f = { 0 };
	char name[256] = "";

	(void)state;
	assert_int_equal(try("nosuch", "ann", "x", 1, name, sizeof(name), &f),
	    -1);
	assert_int_not_equal(f.code, FAULT_NONE);
}

static void
failures_do_not_sleep(void **state)
{
	struct fault f = { 0 };
	char name[256] = "";
	time_t before = time(NULL);

	(void)state;
	assert_int_equal(try("slow", "ann", "y", 1, name, sizeof(name), &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_in_range(time(NULL) - before, 0, 5);
}

static void
a_second_question_is_not_answered(void **state)
{
	struct fault f = { 0 };
	char name[256] = "";

	(void)state;
	assert_int_equal(try("twice", "ann", "x", 1, name, sizeof(name), &f),
	    -1);
}

static void
a_name_that_does_not_fit_is_refused(void **state)
{
	struct fault f = { 0 };
	char name[3] = "";

	(void)state;
	assert_int_equal(try("open", "ann", "x", 1, name, sizeof(name), &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
}

/* Whether a file with ${name} in its path is mapped into this process. */
static bool
is_mapped(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[1024];
	bool found = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL)
		found = found || strstr(line, name) != NULL;
	(void)fclose(maps);
	return found;
}

static void
modules_can_be_kept_while_the_file_may_change(void **state)
{
	struct authn_pam_kept *kept;
	struct fault f = { 0 };
	char name[256] = "";

	(void)state;
	put("kept",
	    "auth required pam_permit.so\n"
	    "account required pam_permit.so\n");
	kept = authn_pam_keep(dir, "kept");
	assert_non_null(kept);
	assert_true(is_mapped("/pam_permit.so"));
	assert_int_equal(try("kept", "ann", "x", 1, name, sizeof(name), &f), 0);
	assert_true(is_mapped("/pam_permit.so"));
	put("kept",
	    "auth required pam_deny.so\n"
	    "account required pam_permit.so\n");
	assert_int_equal(try("kept", "ann", "x", 1, name, sizeof(name), &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	authn_pam_kept_free(kept);
	assert_false(is_mapped("/pam_permit.so"));
	assert_null(authn_pam_keep("/nonexistent", "kept"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_right_password_passes_and_the_name_comes_back),
		cmocka_unit_test(
		    wrong_passwords_and_unknown_users_are_the_same_to_strangers),
		cmocka_unit_test(an_account_that_is_closed_is_refused),
		cmocka_unit_test(a_broken_service_is_not_the_users_fault),
		cmocka_unit_test(a_service_without_a_file_is_denied_by_other),
		cmocka_unit_test(failures_do_not_sleep),
		cmocka_unit_test(a_second_question_is_not_answered),
		cmocka_unit_test(a_name_that_does_not_fit_is_refused),
		cmocka_unit_test(modules_can_be_kept_while_the_file_may_change),
	};

	return cmocka_run_group_tests_name("authn/authn_pam", tests, set_up,
	    NULL);
}
