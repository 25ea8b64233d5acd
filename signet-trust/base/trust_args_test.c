#include "trust_args.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int
read_line(const char *name, bool old, char **argv, int argc,
    struct trust_args *args, struct fault *f)
{
	char program[] = "signet-trust", word[16];
	char *words[] = { program, word, NULL };
	struct cmd_line line = { argc, argv, program, old };
	const struct cmd_command *command;
	int used;

	snprintf(word, sizeof(word), "%s", name);
	command = cmd_find(&trust_program, 2, words, &used, f);
	assert_non_null(command);
	return cmd_read(&trust_program, command, &line, args, f);
}

static void
old_options_have_one_dash_or_two(void **state)
{
	char *argv[] = { (char[]){ "x" }, (char[]){ "-target-dir" },
		(char[]){ "/d" }, (char[]){ "-ca" }, (char[]){ "a,b c" },
		(char[]){ "--ca" }, (char[]){ "d" }, (char[]){ "-verbose" } };
	struct trust_args args;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(read_line("gx-ca-update", true, argv, COUNT_OF(argv),
			     &args, &f),
	    0);
	assert_string_equal(args.target_dir, "/d");
	assert_int_equal(args.ca.count, 2);
	assert_true(args.verbose);
}

static void
wrong_use_is_said(void **state)
{
	static const struct {
		const char *command;
		bool old;
		const char *word;
	} cases[] = { { "refresh", false, "--frob" },
		{ "refresh", false, "--target" },
		{ "refresh", false, "-UNSAFE" }, { "show", false, NULL },
		{ "list", false, "x" }, { "gx-ca-update", true, "-frob" },
		{ "gx-ca-update", true, "x" } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char word[16] = "";
		char *argv[] = { (char[]){ "x" }, word, NULL };
		struct trust_args args;
		struct fault f = { 0 };

		if (cases[i].word != NULL)
			memcpy(word, cases[i].word, strlen(cases[i].word) + 1);
		if (read_line(cases[i].command, cases[i].old, argv,
			cases[i].word != NULL ? 2 : 1, &args, &f) != -1)
			fail_msg("%s", word);
		assert_int_equal(f.code, FAULT_USAGE);
	}
}

static void
the_tables_fit_together(void **state)
{
	struct fault f = { 0 };

	(void)state;
	if (cmd_check(&trust_program, &f) < 0)
		fail_msg("%s", f.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_options_have_one_dash_or_two),
		cmocka_unit_test(wrong_use_is_said),
		cmocka_unit_test(the_tables_fit_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
