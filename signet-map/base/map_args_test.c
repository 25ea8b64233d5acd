#include "signet-map/base/map_args.h"

#include "base/fault.h"
#include "base/unit.h"

static void
the_tables_fit_together(void **state)
{
	struct fault f = { 0 };

	(void)state;
	if (cmd_check(&map_program, &f) < 0)
		fail_msg("%s", f.text);
}

static void
a_command_of_ours_becomes_no_other_program(void **state)
{
	char name[] = "signet-map", word[] = "lookup";
	char *argv[] = { name, word, NULL };
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(map_become(2, argv, &f), 0);
	assert_int_equal(map_become(1, argv, &f), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_fit_together),
		cmocka_unit_test(a_command_of_ours_becomes_no_other_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
