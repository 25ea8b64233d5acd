#include "office/staff.h"

#include "base/unit.h"
#include "office/office_probe.h"

/* Accounts of this test: "ann" is 1001, "bob" and "bobby" 1002. */
static int
uid_of(void *arg, const char *account, uid_t *uid)
{
	(void)arg;
	*uid = strcmp(account, "ann") == 0 ? 1001 : 1002;
	return strcmp(account, "ann") == 0 || text_starts(account, "bob") ? 0
									  : -1;
}

static struct staff *
try(const char *text, struct fault *f)
{
	size_t len = strlen(text);
	char *copy = malloc(len > 0 ? len : 1);
	struct staff *s;

	assert_non_null(copy);
	memcpy(copy, text, len);
	s = staff_read(copy, len, uid_of, NULL, f);
	free(copy);
	return s;
}

static const char sample[] =
    "# The office.\n"
    "administrator ann account ann principal ann@LIGO.ORG\n"
    "administrator bob account bob account gone\n"
    "administrator \"eve\" principal eve@LIGO.ORG\n"
    "role ann approver revoker\n"
    "role ann auditor\n"
    "role bob requester\n"
    "\n"
    "may-ask bob host .ligo.org gw.phys.uwm.edu\n"
    "may-ask bob robot \"Robot: transfer - bob\"\n"
    "may-ask bob mailer @ligo.org\n"
    "may-ask ann * *";

static void
people_are_known_by_account_and_principal(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(staff) s = try(sample, &f);

	(void)state;
	if (s == NULL)
		fail_msg("%s", f.text);
	assert_string_equal(staff_by_uid(s, 1001), "ann");
	assert_string_equal(staff_by_uid(s, 1002), "bob");
	assert_null(staff_by_uid(s, 0));
	assert_string_equal(staff_by_principal(s, "eve@LIGO.ORG"), "eve");
	assert_null(staff_by_principal(s, "EVE@LIGO.ORG"));
	assert_null(staff_by_principal(s, "eve"));
	assert_int_equal(staff_roles(s, "ann"),
	    STAFF_APPROVER | STAFF_REVOKER | STAFF_AUDITOR);
	assert_int_equal(staff_roles(s, "bob"), STAFF_REQUESTER);
	assert_int_equal(staff_roles(s, "eve"), 0);
	assert_int_equal(staff_roles(s, "mallory"), 0);
}

static void
each_may_ask_for_what_the_file_says(void **state)
{
	static const struct {
		const char *who;
		const char *profile;
		const char *host;
		bool may;
	} table[] = {
		{ "bob", "host", "a.ligo.org", true },
		{ "bob", "host", "a.b.LIGO.org", true },
		{ "bob", "host", "ligo.org", false },
		{ "bob", "host", ".ligo.org", true },
		{ "bob", "host", "evilligo.org", false },
		{ "bob", "host", "gw.phys.uwm.edu", true },
		{ "bob", "host", "a.gw.phys.uwm.edu", false },
		{ "bob", "robot", "a.ligo.org", false },
		{ "bob", "robot", "Robot: transfer - bob", true },
		{ "bob", "robot", "Robot: transfer - bobby", false },
		{ "bob", "host", "root@gw.ligo.org", false },
		{ "bob", "host", "Robot: x - a.ligo.org", false },
		{ "bob", "mailer", "eve@LIGO.org", true },
		{ "bob", "mailer", "eve@a.ligo.org", false },
		{ "bob", "mailer", "Robot: x - eve@ligo.org", false },
		{ "bob", "mailer", "@ligo.org", true },
		{ "bob", "mailer", "a.ligo.org", false },
		{ "ann", "anything", "x", true },
		{ "eve", "host", "a.ligo.org", false },
		{ "mallory", "host", "a.ligo.org", false },
	};
	struct fault f = { 0 };
	OWN_STRUCT(staff) s = try(sample, &f);

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(staff_may_ask(s, table[i].who,
				     table[i].profile, table[i].host),
		    table[i].may);
}

static void
mistakes_are_named_with_their_line(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} table[] = {
		{ "foo bar baz\n", "line 1: administrator, role or may-ask" },
		{ "\nadministrator ann\n",
		    "line 2: \"administrator\" is not "
		    "complete" },
		{ "administrator ann account\n", "NAME account" },
		{ "administrator ann mail a@b\n", "not \"mail\"" },
		{ "administrator ann principal ann\n", "no realm" },
		{ "administrator a account ann\nadministrator a account bob\n",
		    "line 2: a is there twice" },
		{ "administrator a account ann\nadministrator b account ann\n",
		    "ann is a already" },
		{ "administrator a account bob\nadministrator b account "
		  "bobby\n",
		    "bobby is a already" },
		{ "administrator a principal x@Y\nadministrator b principal "
		  "x@Y\n",
		    "x@Y is a already" },
		{ "administrator a account ann\nadministrator b principal "
		  "ann@Y\n",
		    "line 2: account and principal of one person? ann is a" },
		{ "administrator b principal bob@Y\nadministrator a account "
		  "bob\n",
		    "line 2: account and principal of one person? bob@Y is b" },
		{ "administrator ann account ann\nadministrator Ann account "
		  "bob\n",
		    "line 2: Ann is there twice" },
		{ "administrator a principal x@Y\nadministrator b principal "
		  "X@y\n",
		    "X@y is a already" },
		{ "", "no administrator" },
		{ "# a comment\n", "no administrator" },
		{ "role ann approver\n", "no line \"administrator ann\"" },
		{ "administrator ann account ann\nrole ann boss\n",
		    "no role \"boss\"" },
		{ "administrator ann account ann\nmay-ask ann host\n",
		    "may-ask NAME" },
		{ "administrator ann account ann\nmay-ask ann host *.b\n",
		    "written .ligo.org" },
		{ "administrator \"ann account ann\n", "a quote" },
		{ "administrator an\"n account ann\n", "a quote" },
		{ "administrator \"ann\"x account ann\n", "no blank after" },
		{ "administrator \"a b\" account ann\n", "no blank" },
		{ "administrator a\x01 account ann\n", "a control character" },
		{ "administrator \"\" account ann\n", "empty" },
		{ "administrator \xd0\xb0nn account ann\n", "U+0430" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fault f = { 0 };

		assert_null(try(table[i].text, &f));
		assert_int_equal(f.code, FAULT_CONFIG);
		if (strstr(f.text, table[i].says) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", f.text,
			    table[i].says);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_are_known_by_account_and_principal),
		cmocka_unit_test(each_may_ask_for_what_the_file_says),
		cmocka_unit_test(mistakes_are_named_with_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
