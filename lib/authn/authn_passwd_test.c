#include "authn/authn.h"
#include "authn/authn_passwd_line.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"

#include <sys/stat.h>

#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH "authn_passwd_test.passwd"

static int
set_up(void **state)
{
	(void)state;
	(void)unlink(PATH);
	return 0;
}

static void
write_users(const char *text, mode_t mode)
{
	struct fault f = { 0 };

	assert_int_equal(file_write(PATH, mode, text, strlen(text), &f), 0);
}

static int
try(const char *user, const void *phrase, size_t len, struct fault *f)
{
	OWN_STRUCT(secret) s = secret_copy(phrase, len, f);

	assert_non_null(s);
	f->code = FAULT_NONE;
	return authn_passwd(PATH, user, s, f);
}

static void
set(const char *user, const char *phrase)
{
	struct fault f = { 0 };
	OWN_STRUCT(secret) s = secret_copy(phrase, strlen(phrase), &f);

	assert_non_null(s);
	assert_int_equal(authn_passwd_set(PATH, user, s, &f), 0);
}

static void
the_right_password_passes_and_others_do_not(void **state)
{
	struct fault f = { 0 };

	(void)state;
	set("ann", "first phrase");
	set("bob", "second phrase");
	assert_int_equal(try("ann", "first phrase", 12, &f), 0);
	assert_int_equal(try("bob", "second phrase", 13, &f), 0);
	assert_int_equal(try("ann", "second phrase", 13, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(try("ann", "first phras", 11, &f), -1);
	assert_int_equal(try("ann", "", 0, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(try("eve", "first phrase", 12, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(try("", "first phrase", 12, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
}

static void
a_nul_does_not_end_a_password(void **state)
{
	struct fault f = { 0 };

	(void)state;
	set("ann", "abc");
	assert_int_equal(try("ann", "abc\0def", 7, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
}

static double
cpu_of(const char *user)
{
	struct fault f = { 0 };
	clock_t before = clock();

	assert_int_equal(try(user, "guess", 5, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	return (double)(clock() - before);
}

static void
an_unknown_or_locked_user_costs_a_hash_too(void **state)
{
	double known, unknown, locked;

	(void)state;
	set("ann", "first phrase");
	write_users("ann:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$6foLM1JhGupouWKMU70"
		    "wxK61Kw9ZnecbACjJwRadqM2\nlocked:!\nempty:\n"
		    "weak:$1$12345678$xek.CpjQUVgdf/P2N9KQf/\n",
	    0600);
	known = cpu_of("ann");
	unknown = cpu_of("eve");
	locked = cpu_of("locked");
	/* A hash is a hundred times what all else costs: work, not time. */
	assert_true(unknown > known / 4);
	assert_true(locked > known / 4);
	assert_true(cpu_of("empty") > known / 4);
	assert_true(cpu_of("weak") > known / 4);
	write_users("", 0600);
	assert_true(cpu_of("eve") > known / 4);
}

static void
a_file_open_to_everybody_is_refused(void **state)
{
	struct fault f = { 0 };

	(void)state;
	set("ann", "first phrase");
	assert_int_equal(chmod(PATH, 0644), 0);
	assert_int_equal(try("ann", "first phrase", 12, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_non_null(strstr(f.text, "chmod"));
	assert_int_equal(unlink(PATH), 0);
	assert_int_equal(try("ann", "first phrase", 12, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
}

static void
setting_keeps_the_other_lines_and_the_mode(void **state)
{
	struct fault f = { 0 };
	struct stat st;
	OWN_BUF(text, 4096);

	(void)state;
	write_users("# people\nann:*\nodd line\nbob:*\nann:again", 0640);
	set("ann", "first phrase");
	assert_int_equal(file_read(PATH, &text, &f), 0);
	assert_non_null(buf_cstr(&text));
	assert_ptr_equal(strstr((char *)text.data, "# people\nann:$y$"),
	    text.data);
	assert_non_null(strstr((char *)text.data, "\nodd line\nbob:*\n"));
	assert_null(strstr((char *)text.data, "again"));
	assert_int_equal(stat(PATH, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(try("ann", "first phrase", 12, &f), 0);
}

static void
a_new_file_is_private_and_odd_names_are_refused(void **state)
{
	static const char *const odd[] = { "", "a:b", "#a", " a", "a ",
		"a\nb" };
	struct fault f = { 0 };
	OWN_STRUCT(secret) s = secret_copy("x", 1, &f);
	OWN_STRUCT(secret) none = secret_copy("", 0, &f);
	struct stat st;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(authn_passwd_set(PATH, odd[i], s, &f), -1);
		assert_int_equal(f.code, FAULT_USAGE);
	}
	assert_int_equal(authn_passwd_set(PATH, "ann", none, &f), -1);
	assert_int_equal(stat(PATH, &st), -1);
	assert_int_equal(authn_passwd_set(PATH, "ann", s, &f), 0);
	assert_int_equal(stat(PATH, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(unlink(PATH), 0);
}

static void
a_user_who_is_deleted_is_gone_and_others_stay(void **state)
{
	struct fault f = { 0 };

	(void)state;
	set("ann", "first phrase");
	set("bob", "second phrase");
	assert_int_equal(authn_passwd_delete(PATH, "ann", &f), 0);
	assert_int_equal(try("ann", "first phrase", 12, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(try("bob", "second phrase", 13, &f), 0);
	assert_int_equal(authn_passwd_delete(PATH, "ann", &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    the_right_password_passes_and_others_do_not, set_up),
		cmocka_unit_test_setup(a_nul_does_not_end_a_password, set_up),
		cmocka_unit_test_setup(
		    a_user_who_is_deleted_is_gone_and_others_stay, set_up),
		cmocka_unit_test_setup(
		    an_unknown_or_locked_user_costs_a_hash_too, set_up),
		cmocka_unit_test_setup(a_file_open_to_everybody_is_refused,
		    set_up),
		cmocka_unit_test_setup(
		    setting_keeps_the_other_lines_and_the_mode, set_up),
		cmocka_unit_test_setup(
		    a_new_file_is_private_and_odd_names_are_refused, set_up),
	};

	return cmocka_run_group_tests_name("authn/authn_passwd", tests, NULL,
	    NULL);
}
