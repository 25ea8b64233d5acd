#include "command.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static int
nothing(struct call *call, const void *options, struct fault *f)
{
	(void)call;
	(void)options;
	(void)f;
	return 0;
}

static const struct command login = { .verb = "login",
	.old_names = "ligo-login",
	.operands = "",
	.old_style = OPTIONS_SINGLE_DASH,
	.run = nothing };
static const struct command init = { .verb = "proxy init",
	.old_names = "grid-proxy-init old-init",
	.operands = "",
	.compatible = true,
	.old_style = OPTIONS_SINGLE_DASH,
	.run = nothing };
static const struct command old_only = { .old_names = "myproxy-logon",
	.operands = "",
	.compatible = true,
	.old_style = OPTIONS_GNU_OLD,
	.run = nothing };
static const struct command secret = {
	.verb = "manual", .operands = "", .hidden = true, .run = nothing
};
static const struct command *const all[] = { &login, &init, &old_only, &secret,
	NULL };

static int
find(struct call *call, int *used, struct fault *f, const char *a,
    const char *b, const char *c)
{
	/* The call borrows them. */
	static char words[3][32];
	char *argv[4] = { NULL };
	int argc = 0;
	const char *given[] = { a, b, c };

	for (size_t i = 0; i < 3 && given[i] != NULL; i++) {
		snprintf(words[i], sizeof(words[i]), "%s", given[i]);
		argv[argc++] = words[i];
	}
	return command_find(call, all, argc, argv, used, f);
}

static void
commands_are_found_by_verb_and_by_old_name(void **state)
{
	struct call call;
	struct fault f;
	int used;

	(void)state;
	assert_int_equal(find(&call, &used, &f, "/x/signet", "login", NULL), 0);
	assert_ptr_equal(call.command, &login);
	assert_int_equal(used, 1);
	assert_int_equal(command_style(&call), OPTIONS_GNU);
	assert_int_equal(find(&call, &used, &f, "signet", "proxy", "init"), 0);
	assert_ptr_equal(call.command, &init);
	assert_int_equal(used, 2);
	assert_int_equal(find(&call, &used, &f, "/x/old-init", NULL, NULL), 0);
	assert_ptr_equal(call.command, &init);
	assert_int_equal(used, 0);
	assert_true(call.old);
	assert_int_equal(command_style(&call), OPTIONS_SINGLE_DASH);
	assert_int_equal(find(&call, &used, &f, "myproxy-logon", "x", NULL), 0);
	assert_ptr_equal(call.command, &old_only);
}

static void
what_is_no_command_is_told_with_the_nearest(void **state)
{
	static const struct {
		const char *word;
		const char *says;
	} wrong[] = {
		{ "lgoin", "did you mean \"signet login\"" },
		{ "proxy", "wants another word, as in \"signet proxy init\"" },
		{ "nonsense", "there is no \"signet nonsense\"" },
		{ "old-init", "there is no" },
	};
	struct call call;
	struct fault f;
	int used;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(find(&call, &used, &f, "signet", wrong[i].word,
				     NULL),
		    -1);
		assert_int_equal(f.code, FAULT_USAGE);
		if (strstr(f.text, wrong[i].says) == NULL)
			fail_msg("%s: %s", wrong[i].word, f.text);
	}
	assert_int_equal(find(&call, &used, &f, "signet", NULL, NULL), -1);
}

static void
old_names_of_other_tools_know_but_two_exit_statuses(void **state)
{
	struct call call;
	struct fault f;
	int used;

	(void)state;
	assert_int_equal(find(&call, &used, &f, "grid-proxy-init", NULL, NULL),
	    0);
	(void)fault_set(&f, FAULT_EXPIRED, "expired");
	assert_int_equal(command_complain(&call, &f), 1);
	assert_int_equal(find(&call, &used, &f, "ligo-login", NULL, NULL), 0);
	(void)fault_set(&f, FAULT_LOGIN, "wrong");
	assert_int_equal(command_complain(&call, &f), 5);
	assert_int_equal(find(&call, &used, &f, "signet", "proxy", "init"), 0);
	(void)fault_set(&f, FAULT_EXPIRED, "expired");
	assert_int_equal(command_complain(&call, &f), 4);
	call.exit_status = 3;
	assert_int_equal(command_complain(&call, &f), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_found_by_verb_and_by_old_name),
		cmocka_unit_test(what_is_no_command_is_told_with_the_nearest),
		cmocka_unit_test(
		    old_names_of_other_tools_know_but_two_exit_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
