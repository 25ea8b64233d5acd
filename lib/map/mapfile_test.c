#include "map/mapfile.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

/* Read ${text} from memory of exactly its size. */
static int
read_exactly(struct mapfile_line *line, const char *text, struct fault *f)
{
	size_t len = strlen(text);
	char *exact = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(exact);
	memcpy(exact, text, len);
	result = mapfile_line_read(line, exact, len, f);
	free(exact);
	return result;
}

static void
lines_are_read_as_the_toolkit_reads_them(void **state)
{
	static const struct {
		const char *text, *dn, *accounts;
	} cases[] = {
		{ "\"/O=G/CN=Alice\" alice", "/O=G/CN=Alice", "alice" },
		{ "/O=G/CN=NoQuote bob", "/O=G/CN=NoQuote", "bob" },
		{ "\"/O=G/CN=Two Names\" carol,dave", "/O=G/CN=Two Names",
		    "carol,dave" },
		{ "\"/O=G/CN=Sp\" erin frank", "/O=G/CN=Sp", "erin,frank" },
		{ "  \"/O=G/CN=Indented\" jack   ", "/O=G/CN=Indented",
		    "jack" },
		{ "\"/O=G/CN=Tab\"\tkate", "/O=G/CN=Tab", "kate" },
		{ "\"/O=G/CN=Commas\" ,,lee,,mia,", "/O=G/CN=Commas",
		    ",lee,mia" },
		{ "\"/O=G/CN=Quote \\\"Q\\\" End\" quote",
		    "/O=G/CN=Quote \"Q\" End", "quote" },
		{ "\"/O=G/CN=Back\\\\slash\" back", "/O=G/CN=Back\\slash",
		    "back" },
		{ "\"/O=G/CN=Hex \\x41\\x62\" hex", "/O=G/CN=Hex Ab", "hex" },
		{ "\"/O=G/CN=M\\xc3\\xbcller\" m", "/O=G/CN=M\\xC3\\xBCller",
		    "m" },
		{ "\"/O=G/CN=J\303\266rg\" j", "/O=G/CN=J\\xC3\\xB6rg", "j" },
		{ "\"/O=G/CN=Any\\Zchar\" any", "/O=G/CN=AnyZchar", "any" },
		{ "/O=G/CN=Un\\ quoted unq", "/O=G/CN=Un quoted", "unq" },
		{ "\"/O=G/CN=hash#in\" hash", "/O=G/CN=hash#in", "hash" },
		{ "'/O=G/CN=single' single", "'/O=G/CN=single'", "single" },
		{ "\"/O=G/CN=n\\x00t\" nul", "/O=G/CN=n\\x00t", "nul" },
		{ "\"/CN=host\\\\/dbl\" dbl", "/CN=host\\/dbl", "dbl" },
		{ "\"/O=G/CN=Nobody\"", "/O=G/CN=Nobody", "" },
		{ "\"/O=G/CN=Dos\" dos\r", "/O=G/CN=Dos", "dos\r" },
	};
	OWN_MAPFILE_LINE(line);
	OWN_BUF(accounts, 1024);
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_exactly(&line, cases[i].text, &f), 1);
		assert_string_equal((char *)line.dn.data, cases[i].dn);
		accounts.len = 0;
		map_accounts_join(&line.accounts, &accounts);
		assert_string_equal(buf_cstr(&accounts), cases[i].accounts);
	}
}

static void
blank_lines_and_comments_are_nothing(void **state)
{
	OWN_MAPFILE_LINE(line);
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(read_exactly(&line, "", &f), 0);
	assert_int_equal(read_exactly(&line, " \t ", &f), 0);
	assert_int_equal(read_exactly(&line, "  # \"/CN=a\" b", &f), 0);
}

static void
lines_that_cannot_be_meant_are_refused(void **state)
{
	static const char *const bad[] = { "\"/CN=open", "\"", "/CN=alone",
		"\"\" nobody", "\"/CN=a\\", "\"/CN=a\\x4\" b",
		"\"/CN=a\\x4g\" b", "\"/CN=a\"b" };
	OWN_MAPFILE_LINE(line);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(read_exactly(&line, bad[i], &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

static const char map[] = "# a map\n"
			  "\"/O=G/CN=R1\" r1,shared\n"
			  "\"/O=G/CN=Broken shared\n"
			  "\"/O=G/CN=R2\" shared\n"
			  "\"/O=G/CN=Gina\" gina # harry ivan\n"
			  "\"/O=G/CN=Pool\" .pool\n"
			  "\"/O=G/CN=Empty\" ,lee\n"
			  "\"/O=G/CN=At\" r3@LIGO.ORG\n"
			  "\"/O=G/CN=Last\" last";

static void
the_first_line_with_the_account_gives_the_dn(void **state)
{
	static const struct {
		const char *account, *dn;
	} cases[] = { { "shared", "/O=G/CN=R1" }, { "gina", "/O=G/CN=Gina" },
		{ "lee", "/O=G/CN=Empty" }, { "r3@LIGO.ORG", "/O=G/CN=At" },
		{ "last", "/O=G/CN=Last" } };
	struct fault f = { 0 };
	char dn[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(mapfile_dn_of(map, strlen(map),
				     cases[i].account, dn, sizeof(dn), &f),
		    0);
		assert_string_equal(dn, cases[i].dn);
	}
}

static void
comments_pools_and_parts_of_names_are_no_accounts(void **state)
{
	static const char *const none[] = { "harry", "#", "ivan", ".pool", "",
		"shar", "sharedx", "SHARED", "r1,shared", "r3" };
	char dn[64] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(mapfile_dn_of(map, strlen(map), none[i], dn,
				     sizeof(dn), &f),
		    -1);
		assert_int_equal(f.code, FAULT_ABSENT);
	}
	assert_string_equal(dn, "untouched");
}

static void
a_dn_that_does_not_fit_is_a_fault_not_cut(void **state)
{
	struct fault f = { 0 };
	char dn[8];

	(void)state;
	assert_int_equal(mapfile_dn_of(map, strlen(map), "r1", dn, sizeof(dn),
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_as_the_toolkit_reads_them),
		cmocka_unit_test(blank_lines_and_comments_are_nothing),
		cmocka_unit_test(lines_that_cannot_be_meant_are_refused),
		cmocka_unit_test(the_first_line_with_the_account_gives_the_dn),
		cmocka_unit_test(
		    comments_pools_and_parts_of_names_are_no_accounts),
		cmocka_unit_test(a_dn_that_does_not_fit_is_a_fault_not_cut),
	};

	return cmocka_run_group_tests_name("map/mapfile", tests, NULL, NULL);
}
