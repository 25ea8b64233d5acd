#include "trust/namespaces.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

#define CA "/DC=org/DC=example/CN=Root"
#define OTHER "/DC=org/DC=example/CN=Other"

static void
read_text(struct namespaces *n, const char *text)
{
	struct fault f = { 0 };

	if (namespaces_read(n, text, strlen(text), &f) < 0)
		fail_msg("%s", f.text);
}

static enum namespaces_say
says(const char *text, const char *issuer, const char *subject)
{
	struct namespaces n = { NULL };
	enum namespaces_say say;

	read_text(&n, text);
	say = namespaces_says(&n, CA, issuer, subject);
	namespaces_clear(&n);
	return say;
}

static void
a_rule_permits_what_fits_whole(void **state)
{
	static const char text[] = "#NAMESPACES-VERSION: 1.0\n"
				   "# people\n"
				   "TO Issuer \"" CA "\" \\\n"
				   "  PERMIT Subject \"/O=A/.*\"\n";

	(void)state;
	assert_int_equal(says(text, CA, "/O=A/CN=x"), NAMESPACES_PERMIT);
	assert_int_equal(says(text, CA, "/C=US/O=A/CN=x"), NAMESPACES_REFUSE);
	assert_int_equal(says(text, CA, "/O=A"), NAMESPACES_REFUSE);
	assert_int_equal(says(text, OTHER, "/O=A/CN=x"), NAMESPACES_SILENT);
}

static void
alternatives_are_of_the_whole_expression(void **state)
{
	static const char text[] =
	    "TO Issuer SELF PERMIT Subject \"/O=A/.*|/O=B/.*\"\n";

	(void)state;
	assert_int_equal(says(text, CA, "/O=B/CN=x"), NAMESPACES_PERMIT);
	assert_int_equal(says(text, CA, "/C=x/O=B/CN=x"), NAMESPACES_REFUSE);
	assert_int_equal(says(text, CA, "/O=A/CN=x/O=C"), NAMESPACES_PERMIT);
}

static void
self_is_the_ca_whose_file_it_is(void **state)
{
	static const char text[] =
	    "to issuer self permit subject \"/O=A/.*\"\n";

	(void)state;
	assert_int_equal(says(text, CA, "/O=A/CN=x"), NAMESPACES_PERMIT);
	assert_int_equal(says(text, OTHER, "/O=A/CN=x"), NAMESPACES_SILENT);
}

static void
who_denies_prevails(void **state)
{
	static const char text[] =
	    "TO Issuer SELF PERMIT Subject \"/O=A/.*\"\n"
	    "TO Issuer SELF DENY Subject \"/O=A/OU=Bad/.*\"\n";

	(void)state;
	assert_int_equal(says(text, CA, "/O=A/CN=x"), NAMESPACES_PERMIT);
	assert_int_equal(says(text, CA, "/O=A/OU=Bad/CN=x"), NAMESPACES_REFUSE);
}

static void
spellings_are_one(void **state)
{
	static const char text[] =
	    "TO Issuer \"/O=A/Email=ca@a\" PERMIT "
	    "Subject \"/O=A/USERID=.*/E=[^/]*\"\n"
	    "TO Issuer SELF PERMIT Subject \"/O=A/CN=host/.*\"\n"
	    "TO Issuer SELF PERMIT Subject \"/O=A/CN=a\\+b\"\n";

	(void)state;
	assert_int_equal(says(text, "/O=A/emailAddress=ca@a",
			     "/o=a/UID=u/emailAddress=u@a"),
	    NAMESPACES_PERMIT);
	assert_int_equal(says(text, CA, "/O=A/CN=host\\/a.org"),
	    NAMESPACES_PERMIT);
	assert_int_equal(says(text, CA, "/O=A/CN=a\\+b"), NAMESPACES_PERMIT);
	assert_int_equal(says(text, CA, "/O=A/CN=aab"), NAMESPACES_REFUSE);
}

static void
what_is_malformed_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "TO\n", "line 2: no Issuer" },
		{ "# x\nPERMIT\n", "line 2: no TO" },
		{ "TO Issuer NOBODY PERMIT Subject \"x\"", "SELF, or a name" },
		{ "TO Issuer \"\" PERMIT Subject \"x\"", "empty text" },
		{ "TO Issuer \"a\nb\" PERMIT Subject \"x\"", "closing quote" },
		{ "TO Issuer SELF ALLOW Subject \"x\"", "neither PERMIT" },
		{ "TO Issuer SELF PERMIT Subject x", "in quotes" },
		{ "TO Issuer SELF PERMIT Subject \"(x\"", "expression" },
		{ "TO Issuer SELF PERMIT Subject \"x{9999}\"", "{" },
		{ "TO Issuer SELF PERMIT Subject \"x++++\"", "quantifier" },
		{ "TO Issuer SELF PERMIT Subject \"(x)\\1\"", "letter" },
		{ "TO Issuer SELF PERMIT Subject \"x", "closing quote" },
		{ "TO Issuer SELF PERMIT Subject \"\001\"", "control" },
		{ "TO \"Issuer\" SELF PERMIT Subject \"x\"", "no Issuer" },
	};
	struct namespaces n = { NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(namespaces_read(&n, cases[i].text,
				     strlen(cases[i].text), &f),
		    -1);
		if (strstr(f.text, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].text, f.text);
		assert_null(n.rules);
	}
}

static void
a_file_of_comments_says_nothing(void **state)
{
	struct namespaces n = { NULL };

	(void)state;
	read_text(&n, "#NAMESPACES-VERSION: 1.0\n# nothing yet");
	assert_int_equal(namespaces_count(&n), 0);
	assert_int_equal(namespaces_says(&n, CA, CA, "/O=A/CN=x"),
	    NAMESPACES_SILENT);
	namespaces_clear(&n);
}

static void
it_is_written_as_it_was_read(void **state)
{
	static const char text[] = "#NAMESPACES-VERSION: 1.0\n"
				   "TO Issuer \"" CA "\" \\\n"
				   "  PERMIT Subject \"/O=A/.*\"\n"
				   "TO Issuer SELF \\\n"
				   "  DENY Subject \"/O=A/CN=no\"\n";
	struct namespaces n = { NULL };
	OWN_BUF(out, 4096);

	(void)state;
	read_text(&n, text);
	namespaces_write(&n, &out);
	assert_string_equal(buf_cstr(&out), text);
	namespaces_clear(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_permits_what_fits_whole),
		cmocka_unit_test(alternatives_are_of_the_whole_expression),
		cmocka_unit_test(self_is_the_ca_whose_file_it_is),
		cmocka_unit_test(who_denies_prevails),
		cmocka_unit_test(spellings_are_one),
		cmocka_unit_test(what_is_malformed_is_refused_with_its_line),
		cmocka_unit_test(a_file_of_comments_says_nothing),
		cmocka_unit_test(it_is_written_as_it_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
