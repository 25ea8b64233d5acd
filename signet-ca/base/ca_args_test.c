#include "ca_args.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

/* The room command tests what is done with them. */
static void
the_tables_fit_together(void **state)
{
	struct fault f = { 0 };

	(void)state;
	if (cmd_check(&ca_program, &f) < 0)
		fail_msg("%s", f.text);
}

static void
what_is_typed_reaches_the_command(void **state)
{
	char words[][24] = { "signet-ca", "init", "root", "DIR", "--years", "7",
		"--may-sign-under", "/O=a", "--no-passphrase" };
	char *argv[sizeof(words) / sizeof(words[0]) + 1] = { NULL };
	const int argc = sizeof(words) / sizeof(words[0]);
	struct cmd_line line = { .program = "signet-ca" };
	const struct cmd_command *command;
	struct ca_args args;
	struct fault f = { 0 };
	int used;

	(void)state;
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	command = cmd_find(&ca_program, argc, argv, &used, &f);
	assert_non_null(command);
	assert_string_equal(command->name, "init root");
	line.argc = argc - used;
	line.argv = argv + used;
	assert_int_equal(cmd_read(&ca_program, command, &line, &args, &f), 0);
	assert_string_equal(args.years, "7");
	assert_string_equal(args.under.item[0], "/O=a");
	assert_true(args.no_passphrase);
	assert_null(args.subject);
	assert_int_equal(args.count, 1);
	assert_string_equal(args.operand[0], "DIR");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_fit_together),
		cmocka_unit_test(what_is_typed_reaches_the_command),
	};

	return cmocka_run_group_tests_name("signet-ca/ca_args", tests, NULL,
	    NULL);
}
