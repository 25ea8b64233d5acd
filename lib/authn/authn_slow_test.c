#include "authn/authn_slow.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdio.h>
#include <string.h>

#define TRIES 3
#define LONGEST 20000
#define TEN_MINUTES 600000

static struct authn_slow *
table(size_t entries)
{
	struct fault f = { 0 };
	struct authn_slow *s =
	    authn_slow_new(entries, TRIES, TRIES, LONGEST, &f);

	assert_non_null(s);
	return s;
}

static void
guess(struct authn_slow *s, const char *user, const char *address, int times,
    int64_t now)
{
	while (times-- > 0)
		authn_slow_failed(s, user, address, now);
}

static void
after_the_free_tries_each_failure_doubles_the_wait(void **state)
{
	static const int64_t waits[] = { 1000, 2000, 4000, 8000, 16000, LONGEST,
		LONGEST };
	OWN_STRUCT(authn_slow) s = table(16);

	(void)state;
	guess(s, "eve", "10.0.0.1:1", TRIES, 5);
	assert_int_equal(authn_slow_wait(s, "eve", "10.0.0.1:1", 5), 0);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		guess(s, "eve", "10.0.0.1:2", 1, 5);
		assert_int_equal(authn_slow_wait(s, "eve", "10.0.0.1:3", 5),
		    waits[i]);
	}
	assert_int_equal(authn_slow_wait(s, "eve", "10.0.0.1", 4 + LONGEST), 1);
	assert_int_equal(authn_slow_wait(s, "eve", "10.0.0.1", 5 + LONGEST), 0);
}

static void
a_million_failures_do_not_overflow_the_wait(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(authn_slow) s =
	    authn_slow_new(4, TRIES, TRIES, INT64_MAX / 4, &f);

	(void)state;
	assert_non_null(s);
	guess(s, "eve", "10.0.0.1", 1000000, 0);
	assert_in_range(authn_slow_wait(s, "eve", "10.0.0.1", 0), LONGEST,
	    INT64_MAX / 4);
}

static void
the_user_is_slowed_from_everywhere(void **state)
{
	OWN_STRUCT(authn_slow) s = table(64);
	char address[32];

	(void)state;
	for (int i = 0; i <= TRIES; i++) {
		(void)snprintf(address, sizeof(address), "10.0.%d.1:99", i);
		guess(s, "bob", address, 1, 0);
	}
	assert_int_equal(authn_slow_wait(s, "bob", "192.0.2.7:1", 0), 1000);
	assert_int_equal(authn_slow_wait(s, "ann", "192.0.2.7:1", 0), 0);
	assert_int_equal(authn_slow_wait(s, "bo", "192.0.2.7:1", 0), 0);
}

static void
the_address_is_slowed_for_everybody(void **state)
{
	OWN_STRUCT(authn_slow) s = table(64);
	char user[32];

	(void)state;
	for (int i = 0; i <= TRIES; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		guess(s, user, "[::ffff:10.0.0.1]:7", 1, 0);
	}
	assert_int_equal(authn_slow_wait(s, "ann", "[::ffff:10.0.0.1]:8", 0),
	    1000);
	assert_int_equal(authn_slow_wait(s, "ann", "[::ffff:10.0.0.2]:8", 0),
	    0);
	assert_int_equal(authn_slow_wait(s, "10.0.0.1", "10.0.0.2", 0), 0);
}

static void
an_address_that_many_share_has_tries_of_its_own(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(authn_slow) s = authn_slow_new(64, TRIES, 10, LONGEST, &f);
	char user[32];

	(void)state;
	assert_non_null(s);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		guess(s, user, "10.0.0.1:7", 1, 0);
	}
	assert_int_equal(authn_slow_wait(s, "ann", "10.0.0.1", 0), 0);
	guess(s, "user0", "10.0.0.1", 1, 0);
	assert_int_equal(authn_slow_wait(s, "ann", "10.0.0.1", 0), 1000);
	/* A user's own are still few. */
	guess(s, "bob", "10.0.0.2", TRIES + 1, 0);
	assert_int_equal(authn_slow_wait(s, "bob", "10.0.0.3", 0), 1000);
	assert_int_equal(authn_slow_wait(s, "ann", "10.0.0.2", 0), 0);
}

static void
an_ipv6_network_is_one_address(void **state)
{
	OWN_STRUCT(authn_slow) s = table(64);
	char user[32], address[64];

	(void)state;
	for (int i = 0; i <= TRIES; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		(void)snprintf(address, sizeof(address), "[2001:db8::%x:1]:443",
		    i);
		guess(s, user, address, 1, 0);
	}
	assert_int_equal(authn_slow_wait(s, "x", "[2001:db8::ffff]:1", 0),
	    1000);
	assert_int_equal(authn_slow_wait(s, "x", "2001:db8::7", 0), 1000);
	assert_int_equal(authn_slow_wait(s, "x", "[2001:db8:0:1::7]:1", 0), 0);
}

static void
a_success_forgets_the_user_but_not_the_address(void **state)
{
	OWN_STRUCT(authn_slow) s = table(64);

	(void)state;
	guess(s, "bob", "10.0.0.1", TRIES + 1, 0);
	authn_slow_passed(s, "bob", "10.0.0.9", 0);
	assert_int_equal(authn_slow_wait(s, "bob", "10.0.0.9", 0), 0);
	assert_int_equal(authn_slow_wait(s, "bob", "10.0.0.1", 0), 1000);
	authn_slow_passed(s, "nobody", "10.0.0.9", 0);
}

static void
time_halves_the_failures(void **state)
{
	OWN_STRUCT(authn_slow) s = table(64);

	(void)state;
	guess(s, "bob", "10.0.0.1", 2 * TRIES, 0);
	guess(s, "bob", "10.0.0.2", 1, TEN_MINUTES - 1);
	assert_int_equal(authn_slow_wait(s, "bob", "10.0.0.3", TEN_MINUTES - 1),
	    8000);
	/* Seven failures are three ten minutes after they began. */
	assert_int_equal(authn_slow_wait(s, "bob", "10.0.0.3", TEN_MINUTES), 0);
	guess(s, "bob", "10.0.0.2", 1, TEN_MINUTES);
	assert_int_equal(authn_slow_wait(s, "bob", "10.0.0.3", TEN_MINUTES),
	    1000);
}

static void
under_pressure_the_oldest_goes_first(void **state)
{
	OWN_STRUCT(authn_slow) s = table(4);

	(void)state;
	guess(s, "old", "10.0.0.1", TRIES + 1, 0);
	guess(s, "new", "10.0.0.2", TRIES + 1, 10);
	guess(s, "third", "10.0.0.2", TRIES + 1, 20);
	assert_int_equal(authn_slow_wait(s, "new", "10.0.0.9", 20), 990);
	assert_int_equal(authn_slow_wait(s, "third", "10.0.0.9", 20), 1000);
	/* "old" or its address made room: its wait was the older. */
	assert_int_equal(authn_slow_wait(s, "old", "10.0.0.9", 20), 0);
}

static void
names_that_are_too_long_are_slowed_like_others(void **state)
{
	OWN_STRUCT(authn_slow) s = table(4);
	char name[2000];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	guess(s, name, name, TRIES + 1, 0);
	assert_int_equal(authn_slow_wait(s, name, "10.0.0.1", 0), 1000);
	assert_int_equal(authn_slow_wait(s, "ann", name, 0), 1000);
}

static void
another_spelling_gives_no_more_tries(void **state)
{
	OWN_STRUCT(authn_slow) s = table(16);

	(void)state;
	guess(s, "eve", "10.0.0.1", 2, 0);
	guess(s, "Eve", "10.0.0.2", 1, 0);
	guess(s, "EVE", "10.0.0.3", 1, 0);
	assert_int_equal(authn_slow_wait(s, "eVe", "10.0.0.4", 0), 1000);
	authn_slow_passed(s, "EvE", "10.0.0.4", 0);
	assert_int_equal(authn_slow_wait(s, "eve", "10.0.0.4", 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    after_the_free_tries_each_failure_doubles_the_wait),
		cmocka_unit_test(a_million_failures_do_not_overflow_the_wait),
		cmocka_unit_test(the_user_is_slowed_from_everywhere),
		cmocka_unit_test(the_address_is_slowed_for_everybody),
		cmocka_unit_test(
		    an_address_that_many_share_has_tries_of_its_own),
		cmocka_unit_test(an_ipv6_network_is_one_address),
		cmocka_unit_test(
		    a_success_forgets_the_user_but_not_the_address),
		cmocka_unit_test(time_halves_the_failures),
		cmocka_unit_test(under_pressure_the_oldest_goes_first),
		cmocka_unit_test(
		    names_that_are_too_long_are_slowed_like_others),
		cmocka_unit_test(another_spelling_gives_no_more_tries),
	};

	return cmocka_run_group_tests_name("authn/authn_slow", tests, NULL,
	    NULL);
}
