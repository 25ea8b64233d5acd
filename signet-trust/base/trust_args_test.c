#include "trust_args.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int
read_line(const char *name, bool old, char **argv, int argc,
    struct trust_args *args, struct fault *f)
{
	const struct trust_command *command = trust_command_find(name, f);

	assert_non_null(command);
	return trust_args_read(command, old, argc, argv, args, f);
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
		const char *word, *more;
	} cases[] = { { "refresh", false, "--frob", NULL },
		{ "refresh", false, "--target", NULL },
		{ "refresh", false, "-UNSAFE", NULL },
		{ "show", false, NULL, NULL }, { "list", false, "x", NULL },
		{ "gx-ca-update", true, "-frob", NULL },
		{ "gx-ca-update", true, "x", NULL } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char word[16] = "";
		char *argv[] = { (char[]){ "x" }, word };
		struct trust_args args;
		struct fault f = { 0 };

		if (cases[i].word != NULL)
			memcpy(word, cases[i].word, strlen(cases[i].word) + 1);
		if (read_line(cases[i].command, cases[i].old, argv,
			cases[i].word != NULL ? 2 : 1, &args, &f) != -1)
			fail_msg("%s", word);
		assert_int_equal(f.code, FAULT_USAGE);
	}
	struct fault f = { 0 };
	assert_null(trust_command_find("frob", &f));
	assert_int_equal(f.code, FAULT_USAGE);
}

/* Every option that a command takes is in the table. */
static void
commands_name_options_that_there_are(void **state)
{
	static const char *const names[] = {
#define OPTION(field, name, KIND, argument, doc) name,
#include "trust_options.def"
#undef OPTION
	};

	(void)state;
	for (size_t i = 0; i < trust_commands_count; i++)
		for (const char *at = trust_commands[i].options; *at != '\0';) {
			size_t len = strcspn(at, " ");
			bool known = false;

			for (size_t k = 0; k < COUNT_OF(names); k++)
				known = known ||
				    (strlen(names[k]) == len &&
					strncmp(names[k], at, len) == 0);
			if (!known)
				fail_msg("%s", at);
			at += len + (at[len] == ' ');
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_options_have_one_dash_or_two),
		cmocka_unit_test(wrong_use_is_said),
		cmocka_unit_test(commands_name_options_that_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
