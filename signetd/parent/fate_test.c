#include "signetd/parent/fate.h"

#include "base/unit.h"

#include <signal.h>

/* As waitpid has them on Linux. */
#define LEFT 0
#define FAILED (1 << 8)

static const struct fate_scene serving = { true, false, false, false, true };
static const struct fate_scene core = { true, false, false, false, false };

static void
who_holds_nothing_is_started_anew(void **state)
{
	static const int ends[] = { LEFT, FAILED, SIGSEGV, SIGSYS, SIGKILL,
		SIGALRM };
	struct fate_count count = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		assert_int_equal(fate_of(&serving, ends[i], &count, 1000),
		    FATE_ANEW);
	assert_int_equal(count.restarts, 4); /* two came from outside */
}

static void
who_holds_keys_or_books_takes_all_along(void **state)
{
	struct fate_count count = { 0 };

	(void)state;
	assert_int_equal(fate_of(&core, SIGSEGV, &count, 0), FATE_END);
	assert_int_equal(fate_of(&core, SIGKILL, &count, 0), FATE_END);
	assert_int_equal(fate_of(&core, FAILED, &count, 0), FATE_END);
	/* In order: because its neighbour has died. */
	assert_int_equal(fate_of(&core, LEFT, &count, 0), FATE_BLAME);
	assert_int_equal(count.restarts, 0);
}

static void
before_it_serves_any_death_is_the_end(void **state)
{
	const struct fate_scene scene = { false, false, false, false, true };
	struct fate_count count = { 0 };

	(void)state;
	assert_int_equal(fate_of(&scene, SIGKILL, &count, 0), FATE_END);
	assert_int_equal(fate_of(&scene, FAILED, &count, 0), FATE_END);
	assert_int_equal(fate_of(&scene, LEFT, &count, 0), FATE_BLAME);
}

static void
while_it_drains_nobody_is_started(void **state)
{
	const struct fate_scene front = { true, true, false, false, true };
	const struct fate_scene keeper = { true, true, false, false, false };
	const struct fate_scene over = { true, true, true, false, false };
	struct fate_count count = { 0 };

	(void)state;
	assert_int_equal(fate_of(&front, LEFT, &count, 0), FATE_DRAIN);
	assert_int_equal(fate_of(&front, SIGSEGV, &count, 0), FATE_DRAIN);
	assert_int_equal(fate_of(&keeper, SIGSEGV, &count, 0), FATE_END);
	assert_int_equal(fate_of(&over, SIGSEGV, &count, 0), FATE_NOTHING);
	assert_int_equal(count.restarts, 0);
}

static void
too_many_deaths_in_a_minute_are_the_end(void **state)
{
	struct fate_count count = { 0 };

	(void)state;
	for (int i = 0; i < FATE_RESTARTS_MAX; i++)
		assert_int_equal(fate_of(&serving, SIGSEGV, &count, 100),
		    FATE_ANEW);
	/* Who is killed from outside is replaced all the same. */
	assert_int_equal(fate_of(&serving, SIGKILL, &count, 100), FATE_ANEW);
	assert_int_equal(fate_of(&serving, SIGSEGV, &count, 100), FATE_END);
	assert_int_equal(fate_of(&serving, LEFT, &count, 100), FATE_BLAME);
	/* A minute later they are forgotten. */
	assert_int_equal(fate_of(&serving, SIGSEGV, &count,
			     101 + FATE_WINDOW_MS),
	    FATE_ANEW);
	assert_int_equal(count.restarts, 1);
}

/* A token that is broken takes nobody along, and it may be so from the start.
 */
static void
what_is_broken_from_outside_is_tried_again_for_ever(void **state)
{
	struct fate_scene token = { true, false, false, true, true };
	struct fate_count count = { 0 };

	(void)state;
	for (int i = 0; i < 10 * FATE_RESTARTS_MAX; i++)
		assert_int_equal(fate_of(&token, SIGSEGV, &count, 1000),
		    FATE_ANEW);
	/* Nor do they count against those who die of themselves. */
	assert_int_equal(fate_of(&serving, SIGSEGV, &count, 1000), FATE_ANEW);
	assert_int_equal(count.restarts, 1);
	token.started = false;
	assert_int_equal(fate_of(&token, FAILED, &count, 1000), FATE_ANEW);
	token.draining = true;
	assert_int_equal(fate_of(&token, FAILED, &count, 1000), FATE_DRAIN);
	token.ending = true;
	assert_int_equal(fate_of(&token, FAILED, &count, 1000), FATE_NOTHING);
	assert_int_equal(count.restarts, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_holds_nothing_is_started_anew),
		cmocka_unit_test(who_holds_keys_or_books_takes_all_along),
		cmocka_unit_test(before_it_serves_any_death_is_the_end),
		cmocka_unit_test(while_it_drains_nobody_is_started),
		cmocka_unit_test(too_many_deaths_in_a_minute_are_the_end),
		cmocka_unit_test(
		    what_is_broken_from_outside_is_tried_again_for_ever),
	};

	return cmocka_run_group_tests_name("parent/fate", tests, NULL, NULL);
}
