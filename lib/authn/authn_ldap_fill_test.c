#include "authn/authn.h"
#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

/* Searches and binds, good and bad, are told by tests/stories/test_ldap.py. */

static void
fills(const char *template, const char *name, const char *want)
{
	struct fault f = { 0 };
	char out[256] = "";

	assert_int_equal(authn_ldap_fill(template, name, out, sizeof(out), &f),
	    0);
	assert_string_equal(out, want);
}

static void
words_stand_for_the_parts_of_the_name(void **state)
{
	(void)state;
	fills("(uid={user})", "ann", "(uid=ann)");
	fills("uid={user},dc=x", "ann@LIGO.ORG", "uid=ann,dc=x");
	fills("{principal}|{user}|{realm}|{other}{", "a.b@R",
	    "a.b@R|a.b|R|{other}{");
	fills("[{realm}]", "ann", "[]");
	fills("fixed", "ann", "fixed");
}

static void
what_means_something_in_a_filter_or_a_dn_is_escaped(void **state)
{
	(void)state;
	fills("(uid={user})", "*", "(uid=\\2a)");
	fills("(uid={user})", "x)(uid=*", "(uid=x\\29\\28uid\\3d\\2a)");
	fills("{user}", "a\\b", "a\\5cb");
	fills("{user}", ",+\"<>;#= ", "\\2c\\2b\\22\\3c\\3e\\3b\\23\\3d\\20");
	fills("{user}", "j\303\266rg", "j\\c3\\b6rg");
	/* A value that looks like a word is not filled again. */
	fills("{user}", "{realm}", "\\7brealm\\7d");
}

static void
names_no_directory_has_are_refused(void **state)
{
	static const char *const bad[] = { "", "@R", "a\nb", "a\377" };
	char out[64], name[600];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(authn_ldap_fill("{user}", bad[i], out,
				     sizeof(out), &f),
		    -1);
		assert_int_equal(f.code, FAULT_LOGIN);
	}
	for (size_t from = 0; from < 600; from += 37) {
		struct fault f = { 0 };
		int result = authn_ldap_fill("{user}", name + from, out,
		    sizeof(out), &f);

		assert_int_equal(result,
		    strlen(name + from) < sizeof(out) ? 0 : -1);
	}
}

static void
an_empty_password_is_refused_unasked(void **state)
{
	struct authn_ldap l = { .uris = "ldap://127.0.0.1:1/",
		.bind_dn = "uid={user}",
		.timeout_s = 1 };
	struct fault f = { 0 };
	OWN_STRUCT(secret) empty = secret_copy("", 0, &f);
	char name[64];

	(void)state;
	assert_non_null(empty);
	assert_int_equal(authn_ldap_bind(&l, "ann", empty, name, sizeof(name),
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_string_equal(f.text, "empty password");
}

static void
without_tls_nothing_is_sent_where_it_is_required(void **state)
{
	struct authn_ldap l = { .uris = "ldap://127.0.0.1:1/",
		.bind_dn = "uid={user}",
		.require_tls = true,
		.timeout_s = 1 };
	struct fault f = { 0 };
	OWN_STRUCT(secret) phrase = secret_copy("x", 1, &f);
	char name[64];

	(void)state;
	assert_non_null(phrase);
	assert_int_equal(authn_ldap_bind(&l, "ann", phrase, name, sizeof(name),
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	l.require_tls = false;
	assert_int_equal(authn_ldap_bind(&l, "ann", phrase, name, sizeof(name),
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
	l.uris = " ";
	assert_int_equal(authn_ldap_bind(&l, "ann", phrase, name, sizeof(name),
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_stand_for_the_parts_of_the_name),
		cmocka_unit_test(
		    what_means_something_in_a_filter_or_a_dn_is_escaped),
		cmocka_unit_test(names_no_directory_has_are_refused),
		cmocka_unit_test(an_empty_password_is_refused_unasked),
		cmocka_unit_test(
		    without_tls_nothing_is_sent_where_it_is_required),
	};

	return cmocka_run_group_tests_name("authn/authn_ldap_fill", tests, NULL,
	    NULL);
}
