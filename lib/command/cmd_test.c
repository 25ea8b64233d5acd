#include "cmd.h"

#include "base/unit.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A program of its own, with what its commands were called with. */
struct probe_args {
	bool loud;
	const char *name;
	struct cmd_list item;
	CMD_GIVEN
};

static const struct cmd_option options[] = {
	{ "loud", CMD_FLAG, offsetof(struct probe_args, loud), "", "Shout." },
	{ "name", CMD_TEXT, offsetof(struct probe_args, name), "NAME", "Who." },
	{ "item", CMD_LIST, offsetof(struct probe_args, item), "ITEM",
	    "What. May be given several times." },
};

/* The status says that the operands came through. */
static int
count_operands(const void *fields, struct fault *f)
{
	const struct probe_args *args = fields;

	(void)f;
	return (int)args->count + 40;
}

static int
refuse(const void *fields, struct fault *f)
{
	(void)fields;
	return fault_set(f, FAULT_ABSENT, "nothing \033there");
}

static const struct cmd_command commands[] = {
	{ "box open", "DIR", 1, 1, "loud name item",
	    "Open a box. It stays open.", count_operands },
	{ "box shut", "", 0, 0, "", "Shut it.", refuse },
	{ "box", "[DIR]", 0, 1, "loud", "Look at a box.", count_operands },
	{ "list", "", 0, 3, "name", "List them.", count_operands },
	{ "old", "", 0, 3, "name loud", "Under its old name.", count_operands },
};

static void
give(void *fields, size_t count, char **operand, const char *program)
{
	struct probe_args *args = fields;

	args->count = count;
	args->operand = operand;
	args->program = program;
}

static const struct cmd_alias aliases[] = {
	{ "boxlist", "list", NULL },
	{ "box-old", "old", "Run \"box-old -help\"" },
};

static const struct cmd_program probe = {
	.name = "probe",
	.manual = "probe(8)",
	.options = options,
	.options_count = COUNT_OF(options),
	.commands = commands,
	.commands_count = COUNT_OF(commands),
	.args_size = sizeof(struct probe_args),
	.give = give,
	.aliases = aliases,
	.aliases_count = COUNT_OF(aliases),
};

#define WORDS_MAX (CMD_LIST_MAX * 2 + 8)

/* A command line: words at blanks, as argv may be changed. */
struct typed {
	char text[1024];
	int argc;
	char *argv[WORDS_MAX + 1];
};

static void
type(struct typed *t, const char *text)
{
	char *rest = t->text, *word;

	snprintf(t->text, sizeof(t->text), "%s", text);
	t->argc = 0;
	while (t->argc < WORDS_MAX && (word = strsep(&rest, " ")) != NULL)
		t->argv[t->argc++] = word;
	t->argv[t->argc] = NULL;
}

static const char *
found(const char *text, struct fault *f)
{
	const struct cmd_command *command;
	struct typed t;
	int words;

	type(&t, text);
	command = cmd_find(&probe, t.argc, t.argv, &words, f);
	return command == NULL ? NULL : command->name;
}

/* Read ${text}, which begins with a command's last word. */
static int
read_text(const struct cmd_command *command, const char *text, bool one_dash,
    struct typed *t, struct probe_args *args, struct fault *f)
{
	struct cmd_line line = { .program = "p", .one_dash = one_dash };

	type(t, text);
	line.argc = t->argc;
	line.argv = t->argv;
	return cmd_read(&probe, command, &line, args, f);
}

static void
a_command_is_found_by_one_word_or_two(void **state)
{
	struct fault f = { 0 };

	(void)state;
	assert_string_equal(found("p box open", &f), "box open");
	assert_string_equal(found("p box shut x", &f), "box shut");
	assert_string_equal(found("p box dir", &f), "box");
	assert_string_equal(found("p box", &f), "box");
	assert_string_equal(found("p list", &f), "list");
}

static void
what_is_no_command_is_told_with_the_nearest(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "p", "which command?" },
		{ "p ", "which command?" },
		{ "p frobnicate", "unknown command \"frobnicate\"" },
		{ "p lst", "unknown command \"lst\"; did you mean \"list\"?" },
		{ "p lost dir",
		    "unknown command \"lost\"; did you mean \"list\"?" },
		{ "p bx open",
		    "unknown command \"bx\"; did you mean \"box open\"?" },
		{ "p xyz", "unknown command \"xyz\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault f = { 0 };

		assert_null(found(cases[i].text, &f));
		assert_int_equal(f.code, FAULT_USAGE);
		assert_string_equal(f.text, cases[i].says);
	}
}

static void
options_reach_their_fields(void **state)
{
	struct probe_args args;
	struct fault f = { 0 };
	struct typed t;

	(void)state;
	assert_int_equal(read_text(&commands[0],
			     "open DIR --name n --item a --loud --item b",
			     false, &t, &args, &f),
	    0);
	assert_true(args.loud);
	assert_string_equal(args.name, "n");
	assert_int_equal(args.item.count, 2);
	assert_string_equal(args.item.item[1], "b");
	assert_null(args.item.item[2]);
	assert_int_equal(args.count, 1);
	assert_string_equal(args.operand[0], "DIR");
	assert_string_equal(args.program, "p");
	assert_int_equal(read_text(&commands[0], "open --help", false, &t,
			     &args, &f),
	    1);
	assert_int_equal(read_text(&commands[3], "list -- --name", false, &t,
			     &args, &f),
	    0);
	assert_null(args.name);
	assert_string_equal(args.operand[0], "--name");
	assert_int_equal(read_text(&commands[4], "old -name n -loud", true, &t,
			     &args, &f),
	    0);
	assert_string_equal(args.name, "n");
	assert_true(args.loud);
}

static void
what_the_command_does_not_take_is_refused(void **state)
{
	static const struct {
		size_t command;
		bool one_dash;
		const char *text, *says;
	} cases[] = {
		{ 3, false, "list --loud", "unknown option --loud" },
		{ 3, false, "list --nme=x",
		    "unknown option --nme=x; did you mean --name?" },
		{ 4, true, "old -nme",
		    "unknown option -nme; did you mean -name?" },
		{ 0, false, "open D -xy", "unknown option -x" },
		{ 0, false, "open D --loud=yes", "--loud takes no value" },
		{ 0, false, "open D --name", "--name needs a value" },
		{ 0, false, "open D --name=a --name=b",
		    "--name is given twice" },
		{ 0, false, "open", "usage: probe box open DIR" },
		{ 0, false, "open D E", "usage: probe box open DIR" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct probe_args args;
		struct fault f = { 0 };
		struct typed t;

		assert_int_equal(read_text(&commands[cases[i].command],
				     cases[i].text, cases[i].one_dash, &t,
				     &args, &f),
		    -1);
		assert_int_equal(f.code, FAULT_USAGE);
		assert_string_equal(f.text, cases[i].says);
	}
}

static void
a_list_has_an_end(void **state)
{
	char text[16 + CMD_LIST_MAX * 10] = "open D";
	struct probe_args args;
	struct fault f = { 0 };
	struct typed t;

	(void)state;
	for (size_t i = 0; i < CMD_LIST_MAX; i++)
		snprintf(text + strlen(text), 10, " --item=x");
	assert_int_equal(read_text(&commands[0], text, false, &t, &args, &f),
	    0);
	assert_int_equal(args.item.count, CMD_LIST_MAX);
	assert_null(args.item.item[CMD_LIST_MAX]);
	snprintf(text + strlen(text), 10, " --item=x");
	assert_int_equal(read_text(&commands[0], text, false, &t, &args, &f),
	    -1);
	assert_string_equal(f.text, "--item is given more than 64 times");
}

static void
a_program_runs_under_all_its_names(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ "/usr/bin/probe list a b", 42 },
		{ "probe box open d --loud", 41 },
		{ "probe box shut", -1 },
		{ "/x/boxlist a", 41 },
		{ "boxlist list a", 42 },
		{ "box-old -loud a b c", 43 },
		{ "boxlist -loud", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault f = { 0 };
		struct typed t;

		type(&t, cases[i].text);
		if (cmd_run(&probe, t.argc, t.argv, &f) != cases[i].result)
			fail_msg("%s: %s", cases[i].text, f.text);
	}
}

static void
tables_that_do_not_fit_are_noticed(void **state)
{
	static const struct cmd_command wrong[] = {
		{ "box", "", 0, 0, "loud nam item name", "", NULL },
	};
	struct cmd_program other = probe;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(cmd_check(&probe, &f), 0);
	other.commands = wrong;
	other.commands_count = 1;
	assert_int_equal(cmd_check(&other, &f), -1);
	assert_string_equal(f.text, "box: there is no option nam");
	other.commands = commands + 2;
	other.commands_count = 3;
	assert_int_equal(cmd_check(&other, &f), -1);
	assert_string_equal(f.text, "no command takes item");
}

/* What ${print} writes, in ${text}. */
#define PRINTED(text, size, call)                      \
	do {                                           \
		FILE *out = fmemopen(text, size, "w"); \
		assert_non_null(out);                  \
		call;                                  \
		assert_int_equal(fclose(out), 0);      \
	} while (0)

static void
help_and_manual_say_what_the_tables_say(void **state)
{
	char text[4096] = "";

	(void)state;
	PRINTED(text, sizeof(text), cmd_help(&probe, out));
	assert_non_null(strstr(text, "usage: probe COMMAND [OPTIONS]\n"));
	assert_non_null(strstr(text, "  box open DIR\n      Open a box.\n"));
	assert_non_null(strstr(text, "says more, probe(8) all of it.\n"));
	PRINTED(text, sizeof(text),
	    cmd_help_command(&probe, &commands[0], out));
	assert_non_null(strstr(text, "usage: probe box open DIR [OPTIONS]\n"));
	assert_non_null(strstr(text, "  --name NAME\n      Who.\n"));
	PRINTED(text, sizeof(text), cmd_man(&probe, out));
	assert_non_null(strstr(text,
	    ".It Cm box open Ar DIR\nOpen a box.\nIt stays open.\n"
	    ".Bl -tag -width Ds\n.It Fl -loud\nShout.\n"
	    ".It Fl -name Ar NAME\nWho.\n"));
	assert_non_null(strstr(text, ".It Cm box shut\nShut it.\n.It Cm box"));
	PRINTED(text, sizeof(text), cmd_man_exit(&probe, out));
	assert_non_null(strstr(text, ".It 0\n"));
	assert_non_null(strstr(text, ".It 78\n"));
}

static void
a_script_for_bash_is_written_and_for_no_other(void **state)
{
	char text[4096] = "";
	struct fault f = { 0 };

	(void)state;
	PRINTED(text, sizeof(text),
	    assert_int_equal(cmd_complete(&probe, NULL, out, &f), 0));
	assert_non_null(strstr(text, "words='box list old'\n"));
	assert_non_null(strstr(text,
	    "'box ') words='open shut --help --loud' ;;"));
	assert_non_null(strstr(text,
	    "'box open') words='--help --loud --name --item' ;;"));
	assert_non_null(strstr(text, "'list '*) words='--help --name' ;;"));
	assert_non_null(strstr(text, "--name|--item) "));
	assert_int_equal(cmd_complete(&probe, "fish", stdout, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
}

static void
numbers_and_dates_are_read_whole(void **state)
{
	struct fault f = { 0 };
	int64_t number;
	time_t when;

	(void)state;
	assert_int_equal(cmd_number(NULL, "-n", 1, 5, 3, &number, &f), 0);
	assert_int_equal(number, 3);
	assert_int_equal(cmd_number("5", "-n", 1, 5, 3, &number, &f), 0);
	assert_int_equal(number, 5);
	assert_int_equal(cmd_number("6", "-n", 1, 5, 3, &number, &f), -1);
	assert_int_equal(cmd_number("5x", "-n", 1, 5, 3, &number, &f), -1);
	assert_int_equal(cmd_date("2026-11-22", "-d", &when, &f), 0);
	assert_int_equal(when, 1795305600);
	assert_int_equal(cmd_date("2026-11-22T04:00:01Z", "-d", &when, &f), 0);
	assert_int_equal(when, 1795305600 + 14401);
	assert_int_equal(cmd_date("2026-11-22 ", "-d", &when, &f), -1);
	assert_int_equal(cmd_date("tomorrow", "-d", &when, &f), -1);
	assert_int_equal(cmd_need("x", "--x", &f), 0);
	assert_int_equal(cmd_need("", "--x", &f), -1);
	assert_int_equal(cmd_need(NULL, "--x", &f), -1);
	assert_string_equal(f.text, "--x is needed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_found_by_one_word_or_two),
		cmocka_unit_test(what_is_no_command_is_told_with_the_nearest),
		cmocka_unit_test(options_reach_their_fields),
		cmocka_unit_test(what_the_command_does_not_take_is_refused),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(a_program_runs_under_all_its_names),
		cmocka_unit_test(tables_that_do_not_fit_are_noticed),
		cmocka_unit_test(help_and_manual_say_what_the_tables_say),
		cmocka_unit_test(a_script_for_bash_is_written_and_for_no_other),
		cmocka_unit_test(numbers_and_dates_are_read_whole),
	};

	return cmocka_run_group_tests_name("command/cmd", tests, NULL, NULL);
}
