#include "turns.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdint.h>
#include <string.h>

struct asked {
	int other;
	uint64_t first, second;
};

/* What was printed, a letter a value. */
struct paper {
	char text[16];
	size_t fails_at; /* this many letters; 0: never */
};

static int
put(const void *arg, char letter, struct fault *f)
{
	struct paper *paper;
	size_t len;

	memcpy(&paper, arg, sizeof(paper));
	len = strlen(paper->text);
	if (paper->fails_at != 0 && len + 1 == paper->fails_at)
		return fault_set(f, FAULT_SYSTEM, "no paper");
	paper->text[len] = letter;
	return 0;
}

static int
put_first(const void *arg, struct fault *f)
{
	return put(arg, '1', f);
}

static int
put_second(const void *arg, struct fault *f)
{
	return put(arg, '2', f);
}

static const struct turn turns[] = {
	{ offsetof(struct asked, first), put_first },
	{ offsetof(struct asked, second), put_second },
};

static void
values_come_in_the_order_in_which_they_were_asked_for(void **state)
{
	const struct asked asked = { 7, 1u << 1 | UINT64_C(1) << 63,
		1u << 0 | 1u << 2 };
	struct paper paper = { "", 0 }, *at = &paper;
	struct fault f = { 0 };

	(void)state;
	assert_true(turns_asked(turns, 2, &asked));
	assert_int_equal(turns_print(turns, 2, &asked, &at, &f), 0);
	assert_string_equal(paper.text, "2121");
}

static void
what_nobody_asks_for_is_not_printed(void **state)
{
	const struct asked asked = { 7, 0, 0 };
	struct paper paper = { "", 0 }, *at = &paper;
	struct fault f = { 0 };

	(void)state;
	assert_false(turns_asked(turns, 2, &asked));
	assert_int_equal(turns_print(turns, 2, &asked, &at, &f), 0);
	assert_string_equal(paper.text, "");
}

static void
the_first_failure_ends_it(void **state)
{
	const struct asked asked = { 7, 1u << 0 | 1u << 2, 1u << 1 };
	struct paper paper = { "", 2 }, *at = &paper;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(turns_print(turns, 2, &asked, &at, &f), -1);
	assert_string_equal(paper.text, "1");
	assert_string_equal(f.text, "no paper");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    values_come_in_the_order_in_which_they_were_asked_for),
		cmocka_unit_test(what_nobody_asks_for_is_not_printed),
		cmocka_unit_test(the_first_failure_ends_it),
	};

	return cmocka_run_group_tests_name("signet/turns", tests, NULL, NULL);
}
