#include "trust/sigpolicy.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

#define CA "/DC=org/DC=example/O=Test/OU=CAs/CN=Alpha Root CA 1"
#define ALICE "/DC=org/DC=example/O=Test/OU=People/CN=Alice Example"
#define HEAD "access_id_CA X509 '" CA "'\npos_rights globus CA:sign\n"

/* Read from memory of exactly the right size. */
static int
read_exact(struct sigpolicy *p, const char *text, struct fault *f)
{
	size_t len = strlen(text);
	char *exact = malloc(len > 0 ? len : 1);
	int answer;

	assert_non_null(exact);
	memcpy(exact, text, len);
	answer = sigpolicy_read(p, exact, len, f);
	free(exact);
	return answer;
}

static bool
allows(const char *text, const char *ca, const char *subject)
{
	struct sigpolicy p = { NULL };
	struct fault f = { 0 };
	bool answer;

	if (read_exact(&p, text, &f) < 0)
		fail_msg("%s: %s", text, f.text);
	answer = sigpolicy_allows(&p, ca, subject);
	sigpolicy_clear(&p);
	return answer;
}

static bool
refused(const char *text, const char *why)
{
	struct sigpolicy p = { NULL };
	struct fault f = { 0 };

	if (read_exact(&p, text, &f) == 0) {
		sigpolicy_clear(&p);
		return false;
	}
	assert_int_equal(f.code, FAULT_INPUT);
	assert_null(p.rules);
	if (strstr(f.text, why) == NULL)
		fail_msg("%s lacks %s", f.text, why);
	return true;
}

/* What the Toolkit's own library was recorded to accept and to refuse. */
struct golden {
	const char *name;
	const char *text;
	bool accept;
};

static const struct golden golden[] = {
	{ "list of one",
	    HEAD "cond_subjects globus '\"/DC=org/DC=example/O=Test/*\"'\n",
	    true },
	{ "second of two",
	    HEAD "cond_subjects globus '\"/O=X/*\" \"/DC=org/DC=example/*\"'\n",
	    true },
	{ "none of two", HEAD "cond_subjects globus '\"/O=X/*\" \"/O=Y/*\"'\n",
	    false },
	{ "double quotes only", HEAD "cond_subjects globus \"/DC=org/*\"\n",
	    true },
	{ "no quotes", HEAD "cond_subjects globus /DC=org/*\n", true },
	{ "star alone", HEAD "cond_subjects globus '\"*\"'\n", true },
	{ "slash star", HEAD "cond_subjects globus '\"/*\"'\n", true },
	{ "star in the middle",
	    HEAD "cond_subjects globus '\"/DC=org/*/CN=Alice Example\"'\n",
	    true },
	{ "star matches at least one",
	    HEAD "cond_subjects globus '\"" ALICE "*\"'\n", false },
	{ "case of the pattern",
	    HEAD "cond_subjects globus '\"/dc=ORG/dc=EXAMPLE/o=test/*\"'\n",
	    true },
	{ "case of the CA",
	    "access_id_CA X509 '/DC=ORG/dc=example/O=TEST/OU=CAS/CN=alpha root "
	    "CA 1'\npos_rights globus CA:sign\ncond_subjects globus "
	    "'\"/DC=org/*\"'\n",
	    true },
	{ "another CA's",
	    "access_id_CA X509 '/O=Other/CN=CA'\npos_rights globus CA:sign\n"
	    "cond_subjects globus '\"*\"'\n",
	    false },
	{ "second entry",
	    "access_id_CA X509 '/O=Other/CN=CA'\npos_rights globus CA:sign\n"
	    "cond_subjects globus '\"/O=Other/*\"'\n" HEAD
	    "cond_subjects globus '\"/DC=org/*\"'\n",
	    true },
	{ "two entries, the first permits",
	    HEAD "cond_subjects globus '\"/DC=org/*\"'\n" HEAD
		 "cond_subjects globus '\"/O=X/*\"'\n",
	    true },
	{ "principals share a right",
	    "access_id_CA X509 '/O=Q/CN=A'\n" HEAD
	    "cond_subjects globus '\"/DC=org/*\"'\n",
	    true },
	{ "neg_rights",
	    "access_id_CA X509 '" CA "'\nneg_rights globus CA:sign\n"
	    "cond_subjects globus '\"/DC=org/*\"'\n",
	    false },
	{ "another right",
	    "access_id_CA X509 '" CA "'\npos_rights globus CA:other\n"
	    "cond_subjects globus '\"/DC=org/*\"'\n",
	    false },
	{ "case of the authority",
	    "access_id_CA x509 '" CA "'\npos_rights globus CA:sign\n"
	    "cond_subjects globus '\"/DC=org/*\"'\n",
	    false },
	{ "anybody",
	    "access_id_ANYBODY\npos_rights globus CA:sign\n"
	    "cond_subjects globus '\"/DC=org/*\"'\n",
	    true },
	{ "comments",
	    "# c\n\n  access_id_CA  X509  '" CA "'  # t\npos_rights globus "
	    "CA:sign # t\ncond_subjects globus '\"/DC=org/*\"' # t\n# end\n",
	    true },
	{ "CRLF",
	    "access_id_CA X509 '" CA "'\r\npos_rights globus CA:sign\r\n"
	    "cond_subjects globus '\"/DC=org/*\"'\r\n",
	    true },
	{ "one line",
	    "access_id_CA X509 '" CA "' pos_rights globus CA:sign "
	    "cond_subjects globus '\"/DC=org/*\"'\n",
	    true },
	{ "no condition", HEAD, true },
	{ "both conditions of a right must hold",
	    HEAD "cond_subjects globus '\"/DC=org/*\"'\n"
		 "cond_subjects globus '\"/O=X/*\"'\n",
	    false },
	{ "both do hold",
	    HEAD "cond_subjects globus '\"/DC=org/*\"'\n"
		 "cond_subjects globus '\"*Alice Example\"'\n",
	    true },
	/* Where we differ from the Toolkit, on purpose. */
	{ "two stars are two wildcards",
	    HEAD "cond_subjects globus '\"/DC=org/*/OU=People/*\"'\n", true },
	{ "a question mark is one character",
	    HEAD "cond_subjects globus '\"/DC=org/*/CN=Alice?Example\"'\n",
	    true },
	{ "no final newline", HEAD "cond_subjects globus '\"/DC=org/*\"'",
	    true },
	{ "what is taken away stays away",
	    HEAD "cond_subjects globus '\"/DC=org/*\"'\nneg_rights globus "
		 "CA:sign\ncond_subjects globus '\"*Alice*\"'\n",
	    false },
	{ "a condition that is not known does not hold",
	    HEAD "cond_time globus '8:00-9:00'\n", false },
};

static void
decisions_are_those_that_the_toolkit_was_recorded_to_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++)
		if (allows(golden[i].text, CA, ALICE) != golden[i].accept)
			fail_msg("%s", golden[i].name);
}

static void
old_spellings_of_attributes_are_the_same_name(void **state)
{
	const char *policy =
	    "access_id_CA X509 '/C=US/USERID=ca/CN=Uid CA/Email=ca@a.org'\n"
	    "pos_rights globus CA:sign\n"
	    "cond_subjects globus '\"/C=US/O=Test/USERID=*\"'\n";
	const char *ca = "/C=US/UID=ca/CN=Uid CA/emailAddress=ca@a.org";

	(void)state;
	assert_true(allows(policy, ca, "/C=US/O=Test/UID=alice/CN=Alice"));
	assert_true(allows(policy, ca, "/C=US/O=Test/userid=alice/CN=Alice"));
	assert_true(allows(policy, ca,
	    "/C=US/O=Test/0.9.2342.19200300.100.1.1=alice/CN=Alice"));
	assert_false(allows(policy, ca, "/C=US/O=Test/CN=Alice"));
	assert_false(allows(policy, "/C=US/UID=ca/CN=Uid CA", "/C=US/O=Test"));
}

static void
a_slash_in_a_value_matches_in_every_spelling(void **state)
{
	static const char *const spelt[] = { "host/*", "host\\\\/*",
		"host\\\\\\\\/*", "host*" };
	char policy[300];

	(void)state;
	for (size_t i = 0; i < sizeof(spelt) / sizeof(spelt[0]); i++) {
		(void)snprintf(policy, sizeof(policy),
		    HEAD "cond_subjects globus '\"/O=T/CN=%s\"'\n", spelt[i]);
		assert_true(allows(policy, CA, "/O=T/CN=host/a.org"));
		assert_true(allows(policy, CA, "/O=T/CN=host\\/a.org"));
		assert_false(allows(policy, CA, "/O=T/CN=ghost/a.org"));
	}
}

static void
a_ca_signs_itself_whatever_the_policy_says(void **state)
{
	struct sigpolicy none = { NULL };

	(void)state;
	assert_true(allows(HEAD "cond_subjects globus '\"/O=X/*\"'\n", CA, CA));
	assert_true(sigpolicy_allows(&none, CA, CA));
	assert_false(sigpolicy_allows(&none, CA, ALICE));
}

static void
what_the_toolkit_cannot_parse_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_true(refused("", "line 1: a signing policy without any entry"));
	assert_true(refused("# only comment\n", "without any entry"));
	assert_true(refused("garbage", "line 1: not an access_id_ keyword"));
	assert_true(refused("\n\naccess_id_CA X509 'a'\n", "no pos_rights"));
	assert_true(refused("access_id_CA", "no authority"));
	assert_true(refused("access_id_CA X509", "no value"));
	assert_true(refused("access_id_CA X509 ''", "empty name"));
	assert_true(refused(HEAD "cond_subjects globus '\"/DC=org/*\"",
	    "line 3"));
	assert_true(refused(HEAD "cond_subjects globus '\"/DC=org/*'\n",
	    "no closing double quote"));
	assert_true(refused(HEAD "cond_subjects globus '\"\"'\n",
	    "empty name"));
	assert_true(refused("access_id_CA X509 \"/O=A/CN=B C\"\n"
			    "pos_rights globus CA:sign\n",
	    "no pos_rights"));
	assert_true(refused("ACCESS_ID_CA X509 'a'", "not an access_id_"));
	assert_true(refused(HEAD "cond_subjects globus '\"*\"'\nand more\n",
	    "not an access_id_ keyword"));
}

static void
a_nul_byte_is_refused(void **state)
{
	static const char text[] = HEAD "cond_subjects globus '\"/O=\0/*\"'\n";
	struct sigpolicy p = { NULL };
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(sigpolicy_read(&p, text, sizeof(text) - 1, &f), -1);
	assert_non_null(strstr(f.text, "NUL"));
}

static void
nothing_grows_without_a_bound(void **state)
{
	struct buf text = BUF(1 << 20);

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_text(&text, HEAD);
	assert_true(refused(buf_cstr(&text), "too many"));
	buf_clear(&text);
	buf_text(&text, HEAD);
	for (int i = 0; i < 300; i++)
		buf_text(&text, "cond_subjects globus '\"/O=A/*\"'\n");
	assert_true(refused(buf_cstr(&text), "too many patterns"));
	buf_clear(&text);
	buf_text(&text, HEAD "cond_subjects globus '\"/O=");
	for (int i = 0; i < 2000; i++)
		buf_text(&text, "a");
	buf_text(&text, "\"'\n");
	assert_true(refused(buf_cstr(&text), "too long"));
	buf_clear(&text);
	buf_text(&text, HEAD "cond_subjects globus '");
	for (int i = 0; i < 10000; i++)
		buf_text(&text, "\"a\"");
	buf_text(&text, "'\n");
	assert_true(refused(buf_cstr(&text), "too"));
	buf_clear(&text);
	for (int i = 0; i < SIGPOLICY_MAX; i++)
		buf_text(&text, "# ");
	assert_true(refused(buf_cstr(&text), "larger than"));
	buf_free(&text);
}

static void
every_prefix_of_a_policy_is_read_or_refused(void **state)
{
	const char *text =
	    HEAD "cond_subjects globus '\"/DC=org/*\"' # done\n" HEAD;
	size_t whole = strlen(text);

	(void)state;
	for (size_t len = 0; len < whole; len++) {
		char *exact = malloc(len > 0 ? len : 1);
		struct sigpolicy p = { NULL };
		struct fault f = { 0 };

		assert_non_null(exact);
		memcpy(exact, text, len);
		if (sigpolicy_read(&p, exact, len, &f) == 0)
			sigpolicy_clear(&p);
		else
			assert_int_equal(f.code, FAULT_INPUT);
		free(exact);
	}
}

static void
what_is_written_reads_back_to_the_same_text(void **state)
{
	struct buf first = BUF(1 << 16);
	struct buf second = BUF(1 << 16);

	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		struct sigpolicy p = { NULL };
		struct sigpolicy q = { NULL };
		struct fault f = { 0 };

		assert_int_equal(read_exact(&p, golden[i].text, &f), 0);
		sigpolicy_write(&p, &first);
		assert_int_equal(read_exact(&q, buf_cstr(&first), &f), 0);
		sigpolicy_write(&q, &second);
		assert_string_equal(buf_cstr(&first), buf_cstr(&second));
		assert_int_equal(sigpolicy_allows(&p, CA, ALICE),
		    sigpolicy_allows(&q, CA, ALICE));
		sigpolicy_clear(&p);
		sigpolicy_clear(&q);
		buf_clear(&first);
		buf_clear(&second);
	}
	buf_free(&first);
	buf_free(&second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    decisions_are_those_that_the_toolkit_was_recorded_to_make),
		cmocka_unit_test(old_spellings_of_attributes_are_the_same_name),
		cmocka_unit_test(a_slash_in_a_value_matches_in_every_spelling),
		cmocka_unit_test(a_ca_signs_itself_whatever_the_policy_says),
		cmocka_unit_test(
		    what_the_toolkit_cannot_parse_is_refused_with_its_line),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(nothing_grows_without_a_bound),
		cmocka_unit_test(every_prefix_of_a_policy_is_read_or_refused),
		cmocka_unit_test(what_is_written_reads_back_to_the_same_text),
	};

	return cmocka_run_group_tests_name("trust/sigpolicy", tests, NULL,
	    NULL);
}
