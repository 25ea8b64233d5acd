#include "map/mapfile.h"

#include "base/fault.h"
#include "base/unit.h"
#include "map/map_name.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
		{ "/O=G/CN=Un\\ quoted unq", "/O=G/CN=Un", "quoted,unq" },
		{ "\"/O=G/CN=hash#in\" hash", "/O=G/CN=hash#in", "hash" },
		{ "'/O=G/CN=single' single", "'/O=G/CN=single'", "single" },
		{ "\"/O=G/CN=n\\x00t\" nul", "/O=G/CN=n\\x00t", "nul" },
		{ "\"/CN=host\\\\/dbl\" dbl", "/CN=host\\/dbl", "dbl" },
		{ "\"/O=G/CN=Nobody\"", "/O=G/CN=Nobody", "" },
		{ "\"/O=G/CN=Dos\" dos\r", "/O=G/CN=Dos", "dos\r" },
		{ "\"/CN=a\"b c", "/CN=a", "b,c" },
		{ "\"/CN=a\"#b c", "/CN=a", "#b,c" },
		{ "\"/CN=a\",b", "/CN=a", ",b" },
		{ "\"/CN=a\" ,", "/CN=a", "" },
		{ "\"/CN=a\\x4\" b", "/CN=ax4", "b" },
		{ "\"/CN=a\\x4g\\xg4\\x\" b", "/CN=ax4gxg4x", "b" },
		{ "\"/CN=a\\x5C\" b", "/CN=a\\", "b" },
		{ "\"/CN=a\\\\\" b\" c", "/CN=a\\\" b", "c" },
		{ "/CN=a,b c", "/CN=a,b", "c" },
		{ "/CN=a\"b\\\" c", "/CN=a\"b\"", "c" },
		{ "\\#x y", "#x", "y" },
		{ "/CN=alone", "/CN=alone", "" },
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
	assert_int_equal(read_exactly(&line, "\"/CN=a\" ,", &f), 1);
	assert_int_equal(line.accounts.count, 1);
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
	static const char *const bad[] = { "\"/CN=open", "\"", "\"\" nobody",
		"\\ nobody", "\"/CN=a\\", "\"/CN=a\\\\\" b", "\\" };
	OWN_MAPFILE_LINE(line);
	struct fault nul = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(read_exactly(&line, bad[i], &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
	assert_int_equal(mapfile_line_read(&line, "\"/CN=a\" x\0y", 11, &nul),
	    -1);
	assert_int_equal(nul.code, FAULT_INPUT);
}

/*
 * The Toolkit's own answers, question by question; what is asked is written
 * "map DN", "ok ACCOUNT DN", "user ACCOUNT" and "all ACCOUNT".
 */
static const char basic[] = "\"/O=G/CN=Alice\" alice\n"
			    "/O=G/CN=NoQuote bob\n"
			    "\"/O=G/CN=Two Names\" carol,dave\n"
			    "\"/O=G/CN=Sp\" erin frank\n"
			    "\"/O=G/CN=Comment\" gina # harry ivan\n"
			    "  \"/O=G/CN=Indented\" jack   \n"
			    "\"/O=G/CN=Tab\"\tkate\n"
			    "\"/O=G/CN=Dup\" first\n"
			    "\"/O=G/CN=Dup\" second\n"
			    "\"/O=G/CN=Commas\" ,,lee,,mia,\n";
static const char cases[] = "\"/O=G/CN=MiXed Case\" u1\n"
			    "\"/o=g/cn=lower key\" u2\n";
static const char escapes[] = "\"/O=G/CN=Quote \\\"Q\\\" End\" quote\n"
			      "\"/O=G/CN=Back\\\\slash\" back\n"
			      "\"/O=G/CN=Hex \\x41\\x62\" hex\n"
			      "\"/O=G/CN=M\\xc3\\xbcller\" utf8esc\n"
			      "\"/O=G/CN=J\303\266rg\" utf8raw\n"
			      "\"/O=G/CN=Any\\Zchar\" anychar\n"
			      "/O=G/CN=Un\\ quoted unq\n"
			      "\"/O=G/CN=hash#in\" hash\n"
			      "'/O=G/CN=single' single\n"
			      "\"/O=G/CN=hexnul\\x00tail\" nul\n";
static const char slash[] = "\"/DC=org/CN=host/plain.example.org\" plain\n"
			    "\"/DC=org/CN=host\\/esc.example.org\" esc\n"
			    "\"/DC=org/CN=host\\\\/dbl.example.org\" dbl\n";
static const char reverse[] = "\"/O=G/CN=R1\" r1,shared\n"
			      "\"/O=G/CN=R2\" shared\n"
			      "\"/O=G/CN=R3\" r3,shared\n";

/*
 * ${ours}, where it is not NULL, is what MAPFILE_OURS answers instead: the
 * three spellings of a slash are one, and so are a byte and its \xHH.  And
 * mapfile_reverse() says what the Toolkit means, not what it does (facts:
 * trustmap FORMATS): the first line in which the account is the default.
 */
static const struct golden {
	const char *map, *asked, *answer, *ours;
} golden[] = {
	{ basic, "map /O=G/CN=Alice", "alice", NULL },
	{ basic, "map /O=G/CN=NoQuote", "bob", NULL },
	{ basic, "map /O=G/CN=Two Names", "carol", NULL },
	{ basic, "map /O=G/CN=Sp", "erin", NULL },
	{ basic, "map /O=G/CN=Comment", "gina", NULL },
	{ basic, "map /O=G/CN=Indented", "jack", NULL },
	{ basic, "map /O=G/CN=Tab", "kate", NULL },
	{ basic, "map /O=G/CN=Dup", "first", NULL },
	{ basic, "map /O=G/CN=Commas", "", NULL },
	{ basic, "map /O=G/CN=Missing", "-", NULL },
	{ basic, "ok dave /O=G/CN=Two Names", "yes", NULL },
	{ basic, "ok carol /O=G/CN=Two Names", "yes", NULL },
	{ basic, "ok frank /O=G/CN=Sp", "yes", NULL },
	{ basic, "ok harry /O=G/CN=Comment", "yes", NULL },
	{ basic, "ok # /O=G/CN=Comment", "yes", NULL },
	{ basic, "ok second /O=G/CN=Dup", "no", NULL },
	{ basic, "ok mia /O=G/CN=Commas", "yes", NULL },
	{ basic, "user alice", "/O=G/CN=Alice", NULL },
	{ basic, "user dave", "/O=G/CN=Two Names", NULL },
	{ basic, "user second", "/O=G/CN=Dup", NULL },
	{ basic, "user harry", "/O=G/CN=Comment", NULL },
	{ basic, "all first", "/O=G/CN=Dup", NULL },
	{ basic, "all nobody", "", NULL },
	{ cases, "map /O=G/CN=mixed case", "u1", NULL },
	{ cases, "map /O=G/CN=MIXED CASE", "u1", NULL },
	{ cases, "map /O=G/CN=Lower Key", "u2", NULL },
	{ cases, "ok U1 /O=G/CN=MiXed Case", "no", NULL },
	{ escapes, "map /O=G/CN=Quote \"Q\" End", "quote", NULL },
	{ escapes, "map /O=G/CN=Quote \\\"Q\\\" End", "-", NULL },
	{ escapes, "map /O=G/CN=Back\\slash", "back", NULL },
	{ escapes, "map /O=G/CN=Hex Ab", "hex", NULL },
	{ escapes, "map /O=G/CN=M\\xC3\\xBCller", "utf8esc", NULL },
	{ escapes, "map /O=G/CN=M\\xc3\\xbcller", "utf8esc", NULL },
	{ escapes, "map /O=G/CN=M\303\274ller", "-", "utf8esc" },
	{ escapes, "map /O=G/CN=J\\xC3\\xB6rg", "utf8raw", NULL },
	{ escapes, "map /O=G/CN=J\303\266rg", "-", "utf8raw" },
	{ escapes, "map /O=G/CN=AnyZchar", "anychar", NULL },
	{ escapes, "map /O=G/CN=Un quoted", "-", NULL },
	{ escapes, "map /O=G/CN=hash#in", "hash", NULL },
	{ escapes, "map /O=G/CN=single", "-", NULL },
	{ escapes, "map /O=G/CN=hexnul", "-", NULL },
	{ escapes, "map /O=G/CN=hexnul\\x00tail", "nul", NULL },
	{ slash, "map /DC=org/CN=host/plain.example.org", "plain", NULL },
	{ slash, "map /DC=org/CN=host\\/plain.example.org", "-", "plain" },
	{ slash, "map /DC=org/CN=host/esc.example.org", "esc", NULL },
	{ slash, "map /DC=org/CN=host\\/esc.example.org", "-", "esc" },
	{ slash, "map /DC=org/CN=host/dbl.example.org", "-", "dbl" },
	{ slash, "map /DC=org/CN=host\\/dbl.example.org", "dbl", NULL },
	/* What follows is met by mapfile_reverse() all the same: where the two
	 * part is below. */
	{ reverse, "all shared", "/O=G/CN=R1|/O=G/CN=R2|/O=G/CN=R3", NULL },
	{ reverse, "user r1", "/O=G/CN=R1", NULL },
};

static int
add_name(void *arg, const char *dn, bool first)
{
	struct buf *all = arg;

	(void)first;
	if (all->len > 0)
		buf_put_u8(all, '|');
	buf_text(all, dn);
	return 0;
}

static void
answer_map(struct mapfile *m, enum mapfile_sense sense, const char *dn,
    struct buf *answer)
{
	OWN_MAP_ACCOUNTS(accounts);
	struct fault f = { 0 };
	int found = mapfile_find(m, sense, dn, &accounts, &f);

	assert_true(found >= 0);
	buf_text(answer,
	    found == 0 || accounts.count == 0 ? "-"
					      : map_accounts_at(&accounts, 0));
}

static void
answer_ok(struct mapfile *m, enum mapfile_sense sense, const char *words,
    struct buf *answer)
{
	char account[32] = { 0 };
	size_t n = strcspn(words, " ");
	struct fault f = { 0 };

	assert_true(n < sizeof(account));
	memcpy(account, words, n);
	buf_text(answer,
	    mapfile_may(m, sense, words + n + 1, account, &f) == 1 ? "yes"
								   : "no");
}

static void
check_golden(const struct golden *g, enum mapfile_sense sense)
{
	struct fault f = { 0 };
	OWN_STRUCT(mapfile) m = mapfile_of(g->map, strlen(g->map), &f);
	OWN_BUF(answer, 4096);
	const char *want = g->answer;

	if (sense == MAPFILE_OURS && g->ours != NULL)
		want = g->ours;
	if (strncmp(g->asked, "map ", 4) == 0)
		answer_map(m, sense, g->asked + 4, &answer);
	else if (strncmp(g->asked, "ok ", 3) == 0)
		answer_ok(m, sense, g->asked + 3, &answer);
	else if (strncmp(g->asked, "user ", 5) == 0)
		assert_int_equal(mapfile_reverse(m, g->asked + 5, &answer, &f),
		    1);
	else
		assert_int_equal(mapfile_each_of(m, g->asked + 4, add_name,
				     &answer, &f),
		    0);
	assert_string_equal(buf_cstr(&answer), want);
}

static void
every_question_is_answered_as_the_toolkit_answers_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		check_golden(&golden[i], MAPFILE_GCT);
		check_golden(&golden[i], MAPFILE_OURS);
	}
}

static void
backwards_a_default_goes_before_another(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(mapfile) m = mapfile_of(reverse, strlen(reverse), &f);
	OWN_BUF(dn, 1024);

	(void)state;
	/* The Toolkit says R1, which it finds first. */
	assert_int_equal(mapfile_reverse(m, "shared", &dn, &f), 1);
	assert_string_equal((char *)dn.data, "/O=G/CN=R2");
	assert_int_equal(mapfile_reverse(m, "r3", &dn, &f), 1);
	assert_string_equal((char *)dn.data, "/O=G/CN=R3");
	assert_int_equal(mapfile_reverse(m, "nobody", &dn, &f), 0);
}

/* Two lines longer than any block, and one behind them. */
static void
long_lines_are_lines(void **state)
{
	static const size_t sizes[] = { 1000, 65526, 65535, 65536, 70000,
		300000 };
	char path[] = "/tmp/mapfile-XXXXXX";
	int fd = mkstemp(path);
	struct fault f = { 0 };

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		FILE *out = fopen(path, "w");
		OWN(char) name = malloc(sizes[i] + 1);
		OWN_MAP_ACCOUNTS(accounts);

		assert_non_null(out);
		assert_non_null(name);
		memset(name, 'n', sizes[i]);
		memcpy(name, "/CN=", 4);
		name[sizes[i]] = '\0';
		assert_true(fprintf(out,
				"\"%s\" long,%s\n\"/CN=next\" next\n\"%s", name,
				name, name) > 0);
		assert_int_equal(fclose(out), 0);
		OWN_STRUCT(mapfile) m = mapfile_open(path, &f);

		assert_int_equal(mapfile_find(m, MAPFILE_GCT, name, &accounts,
				     &f),
		    1);
		assert_true(map_accounts_has(&accounts, name));
		assert_int_equal(mapfile_find(m, MAPFILE_GCT, "/CN=next",
				     &accounts, &f),
		    1);
		name[sizes[i] - 1] = 'm';
		assert_int_equal(mapfile_find(m, MAPFILE_GCT, name, &accounts,
				     &f),
		    0);
	}
	assert_int_equal(unlink(path), 0);
	assert_null(mapfile_open(path, &f));
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_null(mapfile_open("/tmp", &f));
	assert_int_equal(f.code, FAULT_SYSTEM);
}

static void
a_line_that_cannot_be_read_is_named_and_passed_over(void **state)
{
	static const char text[] = "# c\n\n\"/CN=open x\n\"/CN=a\" b";
	struct fault f = { 0 };
	OWN_STRUCT(mapfile) m = mapfile_of(text, strlen(text), &f);
	OWN_MAPFILE_LINE(line);

	(void)state;
	assert_int_equal(mapfile_next(m, &line, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(line.number, 3);
	assert_int_equal(mapfile_next(m, &line, &f), 1);
	assert_int_equal(line.number, 4);
	assert_int_equal(mapfile_next(m, &line, &f), 0);
	assert_int_equal(mapfile_next(m, &line, &f), 0);
}

static void
expect_written(const char *name, const char *list, unsigned readers,
    const char *lines)
{
	OWN_MAP_ACCOUNTS(accounts);
	OWN_BUF(text, 4096);
	struct fault f = { 0 };

	map_accounts_split(&accounts,
	    (struct wire_bytes){ (const uint8_t *)list, strlen(list) });
	assert_int_equal(mapfile_put(&text, name, &accounts, readers, &f), 0);
	assert_string_equal(buf_cstr(&text), lines);
}

static void
what_is_written_is_what_the_readers_need(void **state)
{
	(void)state;
	expect_written("/CN=a", "a,.p", MAP_READER_GCT | MAP_READER_LCMAPS,
	    "\"/CN=a\" a,.p\n");
	expect_written("/DC=org/CN=host\\/x", "a", MAP_READER_ALL,
	    "\"/DC=org/CN=host\\\\/x\" a\n"
	    "\"/DC=org/CN=host\\/x\" a\n"
	    "\"/DC=org/CN=host/x\" a\n");
	/* XRootD takes "a,b" for one account. */
	expect_written("/CN=a", "a,b", MAP_READER_ALL,
	    "\"\\/CN=a\" a,b\n"
	    "\"/CN=a\" a\n");
	expect_written("/CN=host\\/x", "a,b", MAP_READER_ALL,
	    "\"\\/CN=host\\\\/x\" a,b\n"
	    "\"\\/CN=host/x\" a,b\n"
	    "\"/CN=host\\\\/x\" a\n"
	    "\"/CN=host\\/x\" a\n"
	    "\"/CN=host/x\" a\n");
}

static void
what_cannot_be_an_account_is_not_written(void **state)
{
	static const char *const bad[] = { "", "a b", "#a", "a\"", "a\nb",
		"j\303\266rg", "a\x7f" };
	OWN_BUF(text, 4096);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWN_MAP_ACCOUNTS(accounts);
		struct fault f = { 0 };

		map_accounts_put(&accounts, "good", 4);
		map_accounts_put(&accounts, bad[i], strlen(bad[i]));
		assert_int_equal(mapfile_put(&text, "/CN=a", &accounts,
				     MAP_READER_ALL, &f),
		    -1);
		assert_int_equal(f.code, FAULT_INPUT);
		assert_int_equal(text.len, 0);
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
	} wanted[] = { { "shared", "/O=G/CN=R1" }, { "gina", "/O=G/CN=Gina" },
		{ "lee", "/O=G/CN=Empty" }, { "r3@LIGO.ORG", "/O=G/CN=At" },
		{ "last", "/O=G/CN=Last" } };
	struct fault f = { 0 };
	char dn[64];

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_int_equal(mapfile_dn_of(map, strlen(map),
				     wanted[i].account, dn, sizeof(dn), &f),
		    0);
		assert_string_equal(dn, wanted[i].dn);
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
		cmocka_unit_test(
		    every_question_is_answered_as_the_toolkit_answers_it),
		cmocka_unit_test(backwards_a_default_goes_before_another),
		cmocka_unit_test(long_lines_are_lines),
		cmocka_unit_test(
		    a_line_that_cannot_be_read_is_named_and_passed_over),
		cmocka_unit_test(what_is_written_is_what_the_readers_need),
		cmocka_unit_test(what_cannot_be_an_account_is_not_written),
		cmocka_unit_test(the_first_line_with_the_account_gives_the_dn),
		cmocka_unit_test(
		    comments_pools_and_parts_of_names_are_no_accounts),
		cmocka_unit_test(a_dn_that_does_not_fit_is_a_fault_not_cut),
	};

	return cmocka_run_group_tests_name("map/mapfile", tests, NULL, NULL);
}
