#include "options.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct probe {
	bool limited;
	const char *out;
	struct option_list server;
	int64_t port;
	int64_t hours;
	int64_t valid;
	bool quick;
};

static const struct option_row rows[] = { OPTION_ROW(struct probe, limited,
    "limited", FLAG, "", 0, 0, "Less.") OPTION_ROW(struct probe, out, "o out",
    TEXT, "FILE", 0, 0, "Where.") OPTION_ROW(struct probe, server, "s server",
    LIST, "HOST", 0, 0, "Who.") OPTION_ROW(struct probe, port, "p port", NUMBER,
    "PORT", 1, 65535, "P.") OPTION_ROW(struct probe, hours, "t ~lifetime",
    HOURS, "HOURS", 0, 86400, "How long.") OPTION_ROW(struct probe, valid,
    "valid", SPAN, "H:M", 0, 86400, "How.") OPTION_ROW(struct probe, quick,
    "quick q", FLAG, "", 0, 0, "Fast.") };
static const struct options_table table = { rows,
	sizeof(rows) / sizeof(rows[0]), sizeof(struct probe) };

struct parsed {
	struct probe own;
	struct options_common common;
	char words[16][32];
	char *argv[17];
	int argc;
	int operands;
	struct fault f;
	int result;
};

/* Words of ${line} as a command line. */
static void
parse(struct parsed *p, enum options_style style, const char *line)
{
	memset(p, 0, sizeof(*p));
	while (*line != '\0' && p->argc < 16) {
		size_t len = strcspn(line, " ");

		assert_true(len < sizeof(p->words[0]));
		memcpy(p->words[p->argc], line, len);
		p->argv[p->argc] = p->words[p->argc];
		p->argc++;
		line += len + (line[len] == ' ');
	}
	p->result = options_read(&table, style, p->argc, p->argv, &p->own,
	    &p->common, &p->operands, &p->f);
}

static void
verbs_take_letters_and_words_and_leave_the_operands(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, OPTIONS_GNU,
	    "login --limited alice -o f -s a --server=b -p7512 -t 12 --json");
	assert_int_equal(p.result, 0);
	assert_true(p.own.limited);
	assert_string_equal(p.own.out, "f");
	assert_int_equal(p.own.server.count, 2);
	assert_string_equal(p.own.server.item[1], "b");
	assert_int_equal(p.own.port, 7512);
	assert_int_equal(p.own.hours, 43200);
	assert_int_equal(p.own.valid, OPTION_UNSET);
	assert_true(p.common.json);
	assert_int_equal(p.argc - p.operands, 1);
	assert_string_equal(p.argv[p.operands], "alice");
}

static void
grid_tools_take_words_behind_one_dash(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, OPTIONS_SINGLE_DASH, "x -valid 1:30 -out=f -limi -p 1 -help");
	assert_int_equal(p.result, 0);
	assert_int_equal(p.own.valid, 5400);
	assert_string_equal(p.own.out, "f");
	assert_true(p.own.limited);
	assert_int_equal(p.own.port, 1);
	assert_true(p.common.help);
}

static void
old_gnu_tools_know_help_behind_one_dash(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, OPTIONS_GNU_OLD, "x -help");
	assert_true(p.common.help);
	parse(&p, OPTIONS_GNU_OLD, "x -version");
	assert_true(p.common.version);
	parse(&p, OPTIONS_GNU_OLD, "x -lifetime");
	assert_int_equal(p.result, -1);
}

static void
a_commands_own_name_hides_a_common_one(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, OPTIONS_GNU, "x -q");
	assert_true(p.own.quick);
	assert_false(p.common.quiet);
	parse(&p, OPTIONS_GNU, "x --quiet");
	assert_true(p.common.quiet);
	assert_false(p.own.quick);
}

static void
wrong_options_are_named_with_the_nearest_spelling(void **state)
{
	static const struct {
		const char *line;
		const char *says;
	} wrong[] = {
		{ "x --limitd", "did you mean --limited" },
		{ "x --nonsense", "--nonsense is no option" },
		{ "x -z", "-z is no option" },
		{ "x -o", "-o needs a value" },
		{ "x --out", "--out needs a value" },
		{ "x --limited=yes", "--limited=yes takes no value" },
		{ "x -p 0", "-p: 0 is outside 1..65535" },
		{ "x -p 70000", "outside" },
		{ "x -p 1x", "\"1x\" is not a number" },
		{ "x -t 25", "outside" },
		{ "x -t -1", "not a number" },
		{ "x --valid 1:60", "not a time" },
		{ "x --valid 1h2", "" },
	};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]) - 1; i++) {
		parse(&p, OPTIONS_GNU, wrong[i].line);
		assert_int_equal(p.result, -1);
		assert_int_equal(p.f.code, FAULT_USAGE);
		if (strstr(p.f.text, wrong[i].says) == NULL)
			fail_msg("%s: %s", wrong[i].line, p.f.text);
	}
}

static void
more_servers_than_fit_are_refused(void **state)
{
	char *argv[OPTION_LIST_MAX * 2 + 4];
	char word[] = "-s";
	char value[] = "h";
	char name[] = "x";
	struct probe own;
	struct options_common common;
	struct fault f;
	int argc = 0;
	int operands;

	(void)state;
	argv[argc++] = name;
	for (int i = 0; i <= OPTION_LIST_MAX; i++) {
		argv[argc++] = word;
		argv[argc++] = value;
	}
	argv[argc] = NULL;
	assert_int_equal(options_read(&table, OPTIONS_GNU, argc, argv, &own,
			     &common, &operands, &f),
	    -1);
}

static void
spans_are_read_as_people_write_them(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = { { "90", 90 }, { "0", 0 }, { "12h", 43200 },
		{ "1d2h3m4s", 93784 }, { "12:30", 45000 }, { "0:01:05", 65 },
		{ "1h30", 3630 } };
	static const char *const bad[] = { "", "h", "1x", "-1", "1:", ":1",
		"1:2:3:4", "1:75", "1.5h", "123456789012", "1h:30" };
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(options_span(good[i].text, &seconds), 0);
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (options_span(bad[i], &seconds) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
}

struct asked {
	uint64_t subject, issuer;
	int64_t valid;
};

static const struct option_row asked_rows[] = { OPTION_ROW(struct asked,
    subject, "s subject", TURN, "", 0, 0, "S.") OPTION_ROW(struct asked, issuer,
    "issuer", TURN, "", 0, 0, "I.") OPTION_ROW(struct asked, valid, "valid",
    CLOCK, "H:M", 0, 86400, "V.") };
static const struct options_table asked_table = { asked_rows, 3,
	sizeof(struct asked) };

static int
parse_asked(struct asked *own, int argc, const char *const *words,
    struct fault *f)
{
	char text[OPTION_TURNS + 4][32];
	char *argv[OPTION_TURNS + 5];
	struct options_common common;
	int operands;

	assert_true(argc <= OPTION_TURNS + 4);
	for (int i = 0; i < argc; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%s", words[i]);
		argv[i] = text[i];
	}
	argv[argc] = NULL;
	return options_read(&asked_table, OPTIONS_SINGLE_DASH, argc, argv, own,
	    &common, &operands, f);
}

static void
turns_remember_the_order_and_how_often(void **state)
{
	const char *const words[] = { "x", "-issuer", "-s", "-valid", "1:00",
		"-issuer", "-subject" };
	const char *many[OPTION_TURNS + 2] = { "x" };
	struct asked own;
	struct fault f;

	(void)state;
	assert_int_equal(parse_asked(&own, 7, words, &f), 0);
	assert_int_equal(own.issuer, 0x5);
	assert_int_equal(own.subject, 0xa);
	assert_int_equal(parse_asked(&own, 1, words, &f), 0);
	assert_int_equal(own.issuer | own.subject, 0);
	assert_int_equal(own.valid, OPTION_UNSET);
	for (int i = 1; i <= OPTION_TURNS + 1; i++)
		many[i] = "-s";
	assert_int_equal(parse_asked(&own, OPTION_TURNS + 1, many, &f), 0);
	assert_true(own.subject == UINT64_MAX);
	assert_int_equal(parse_asked(&own, OPTION_TURNS + 2, many, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
}

static void
clocks_are_hours_and_minutes_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: no clock; -2: bad minutes */
	} cases[] = { { "1:30", 5400 }, { "0:00", 0 }, { "0:60", 3600 },
		{ "24:00", 86400 }, { "1", -1 }, { "12h", -1 }, { "", -1 },
		{ ":", -1 }, { "1:", -1 }, { ":1", -1 }, { "1:2:3", -1 },
		{ "-1:00", -1 }, { "1:61", -2 }, { "1:-1", -2 }, { "x:1", -1 },
		{ "12345678901234567890:00", -1 } };
	struct asked own;
	struct fault f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const words[] = { "x", "-valid", cases[i].text };
		int result = parse_asked(&own, 3, words, &f);

		if (cases[i].seconds >= 0) {
			assert_int_equal(result, 0);
			assert_int_equal(own.valid, cases[i].seconds);
			continue;
		}
		assert_int_equal(result, -1);
		assert_int_equal(f.code, FAULT_USAGE);
		if (strstr(f.text,
			cases[i].seconds == -2 ? "range 0-60"
					       : "is not a time") == NULL)
			fail_msg("\"%s\": %s", cases[i].text, f.text);
	}
}

static void
help_and_manual_show_what_may_be_shown(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_help(&table, OPTIONS_GNU, out);
	options_man(&table, OPTIONS_SINGLE_DASH, out);
	fclose(out);
	assert_non_null(strstr(text, "  -o, --out FILE"));
	assert_non_null(strstr(text, ".It Fl valid Ar H:M\nHow.\n"));
	assert_non_null(strstr(text, "  --quick, -q "));
	assert_non_null(strstr(text, "  --quiet "));
	assert_null(strstr(text, "lifetime"));
	assert_non_null(strstr(text, "--usage"));
	free(text);
}

static void
count_name(void *arg, const char *name, const struct option_row *row)
{
	size_t *names = arg;

	assert_true(name[0] == '-');
	assert_non_null(row);
	(*names)++;
}

static void
completion_is_offered_every_shown_name_once(void **state)
{
	size_t names = 0;

	(void)state;
	options_each(&table, OPTIONS_GNU, count_name, &names);
	/* Those of the table, and the common ones that it did not take. */
	assert_int_equal(names, 11 + 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    verbs_take_letters_and_words_and_leave_the_operands),
		cmocka_unit_test(grid_tools_take_words_behind_one_dash),
		cmocka_unit_test(old_gnu_tools_know_help_behind_one_dash),
		cmocka_unit_test(a_commands_own_name_hides_a_common_one),
		cmocka_unit_test(
		    wrong_options_are_named_with_the_nearest_spelling),
		cmocka_unit_test(more_servers_than_fit_are_refused),
		cmocka_unit_test(spans_are_read_as_people_write_them),
		cmocka_unit_test(turns_remember_the_order_and_how_often),
		cmocka_unit_test(clocks_are_hours_and_minutes_and_nothing_else),
		cmocka_unit_test(help_and_manual_show_what_may_be_shown),
		cmocka_unit_test(completion_is_offered_every_shown_name_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
