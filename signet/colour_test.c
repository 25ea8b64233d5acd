#include "colour.h"

#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static void
colour_is_for_terminals_of_those_who_want_it(void **state)
{
	static const struct {
		const char *no_color, *forced, *term;
		bool tty, refused, wanted;
	} cases[] = {
		{ NULL, NULL, "xterm", true, false, true },
		{ NULL, NULL, "xterm", false, false, false },
		{ "1", NULL, "xterm", true, false, false },
		{ "", NULL, "xterm", true, false, true },
		{ NULL, NULL, "dumb", true, false, false },
		{ NULL, NULL, NULL, true, false, false },
		{ NULL, NULL, "xterm", true, true, false },
		{ NULL, "1", NULL, false, false, true },
		{ NULL, "0", "xterm", false, false, false },
		{ NULL, "", "xterm", false, false, false },
		{ "1", "1", "xterm", false, false, false },
		{ NULL, "1", "xterm", false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (colour_wanted(cases[i].tty, cases[i].no_color,
			cases[i].forced, cases[i].term,
			cases[i].refused) != cases[i].wanted)
			fail_msg("case %zu", i);
}

static void
check(bool on, enum colour colour, int width, const char *wanted)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	colour_print(out, on, colour, width, "ok");
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void
colours_are_ended_and_take_no_columns(void **state)
{
	(void)state;
	check(false, COLOUR_BAD, 0, "ok");
	check(false, COLOUR_BAD, 5, "ok   ");
	check(true, COLOUR_PLAIN, 4, "ok  ");
	check(true, COLOUR_GOOD, 0, "\033[32mok\033[0m");
	check(true, COLOUR_WARN, 4, "\033[33mok\033[0m  ");
	check(true, COLOUR_BAD, 1, "\033[31mok\033[0m");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colour_is_for_terminals_of_those_who_want_it),
		cmocka_unit_test(colours_are_ended_and_take_no_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
