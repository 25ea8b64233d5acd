#include "signetd/desk/guard.h"

#include "base/fault.h"
#include "base/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static void
who_fails_too_often_is_turned_away_for_a_while(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(guard) g = guard_new(&f);
	uint64_t ann = guard_uid(1000);

	(void)state;
	assert_non_null(g);
	for (int i = 0; i < GUARD_TRIES; i++) {
		assert_false(guard_turns_away(g, ann, 1000));
		guard_failed(g, ann, 1000);
	}
	assert_true(guard_turns_away(g, ann, 1000));
	assert_true(guard_turns_away(g, ann, 1000 + GUARD_WINDOW_MS - 1));
	assert_false(guard_turns_away(g, ann, 1000 + GUARD_WINDOW_MS));
	assert_false(guard_turns_away(g, guard_uid(1001), 1000));
}

static uint64_t
six(const char *text)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };

	assert_int_equal(inet_pton(AF_INET6, text, &a.sin6_addr), 1);
	return guard_address((struct sockaddr *)&a);
}

static uint64_t
four(const char *text)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, text, &a.sin_addr), 1);
	return guard_address((struct sockaddr *)&a);
}

static void
one_network_is_one_source(void **state)
{
	(void)state;
	assert_true(six("2001:db8::1") == six("2001:db8::2"));
	assert_true(six("2001:db8::1") != six("2001:db8:0:1::1"));
	assert_true(four("127.0.0.1") != four("127.0.0.2"));
	assert_true(four("127.0.0.1") == six("::ffff:127.0.0.1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    who_fails_too_often_is_turned_away_for_a_while),
		cmocka_unit_test(one_network_is_one_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
