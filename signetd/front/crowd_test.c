#include "signetd/front/crowd.h"

#include "base/fault.h"
#include "base/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct sockaddr_storage
from(const char *address)
{
	struct sockaddr_storage ss;
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memset(&ss, 0, sizeof(ss));
	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		memcpy(&ss, &in, sizeof(in));
		return ss;
	}
	assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	memcpy(&ss, &in6, sizeof(in6));
	return ss;
}

static int
enter(struct crowd *crowd, const char *address, void *guest, uint32_t *id)
{
	struct sockaddr_storage ss = from(address);
	struct fault f = { 0 };
	int result = crowd_enter(crowd, (struct sockaddr *)&ss, guest, id, &f);

	assert_int_equal(f.code, result == 0 ? FAULT_NONE : FAULT_BUSY);
	return result;
}

static void
a_guest_is_found_by_his_number_until_he_leaves(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(crowd) crowd = crowd_new(10, 10, &f);
	uint32_t a, b, again;
	int alice, bob;

	(void)state;
	assert_int_equal(enter(crowd, "192.0.2.1", &alice, &a), 0);
	assert_int_equal(enter(crowd, "192.0.2.1", &bob, &b), 0);
	assert_ptr_equal(crowd_find(crowd, a), &alice);
	assert_ptr_equal(crowd_find(crowd, b), &bob);
	crowd_leave(crowd, a);
	assert_null(crowd_find(crowd, a));
	assert_int_equal(crowd_count(crowd), 1);
	/* The place is used again, the number is not. */
	assert_int_equal(enter(crowd, "192.0.2.1", &alice, &again), 0);
	assert_true(again != a);
	assert_null(crowd_find(crowd, a));
	assert_ptr_equal(crowd_find(crowd, again), &alice);
}

static void
no_more_than_the_most_come_in(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(crowd) crowd = crowd_new(2, 10, &f);
	uint32_t id, last;
	int guest;

	(void)state;
	assert_int_equal(enter(crowd, "192.0.2.1", &guest, &id), 0);
	assert_int_equal(enter(crowd, "192.0.2.2", &guest, &last), 0);
	assert_int_equal(enter(crowd, "192.0.2.3", &guest, &id), -1);
	crowd_leave(crowd, last);
	assert_int_equal(enter(crowd, "192.0.2.3", &guest, &id), 0);
	crowd_bounds(crowd, 3, 10);
	assert_int_equal(enter(crowd, "192.0.2.4", &guest, &id), 0);
	assert_int_equal(enter(crowd, "192.0.2.5", &guest, &id), -1);
}

static void
one_address_cannot_take_every_place(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(crowd) crowd = crowd_new(100, 2, &f);
	uint32_t id, last;
	int guest;

	(void)state;
	assert_int_equal(enter(crowd, "192.0.2.1", &guest, &id), 0);
	assert_int_equal(enter(crowd, "::ffff:192.0.2.1", &guest, &last), 0);
	assert_int_equal(enter(crowd, "192.0.2.1", &guest, &id), -1);
	assert_int_equal(enter(crowd, "192.0.2.2", &guest, &id), 0);
	crowd_leave(crowd, last);
	assert_int_equal(enter(crowd, "192.0.2.1", &guest, &id), 0);
}

static void
one_network_of_ipv6_is_one_address(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(crowd) crowd = crowd_new(100, 2, &f);
	uint32_t id;
	int guest;

	(void)state;
	assert_int_equal(enter(crowd, "2001:db8::1", &guest, &id), 0);
	assert_int_equal(enter(crowd, "2001:db8::ffff:1", &guest, &id), 0);
	assert_int_equal(enter(crowd, "2001:db8::2", &guest, &id), -1);
	assert_int_equal(enter(crowd, "2001:db8:0:1::2", &guest, &id), 0);
}

static void
nobody_is_found_by_a_number_that_was_not_given(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(crowd) crowd = crowd_new(10, 10, &f);

	(void)state;
	assert_null(crowd_find(crowd, 0));
	assert_null(crowd_find(crowd, UINT32_MAX));
	crowd_leave(crowd, UINT32_MAX);
	assert_int_equal(crowd_count(crowd), 0);
}

static void
see_off(void *arg, void *guest)
{
	const uint32_t *id = guest;

	crowd_leave(arg, *id);
}

static void
everybody_may_leave_while_they_are_counted(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(crowd) crowd = crowd_new(1000, 1000, &f);
	static uint32_t ids[300];

	(void)state;
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(enter(crowd,
				     i % 2 == 0 ? "192.0.2.1" : "2001:db8::1",
				     &ids[i], &ids[i]),
		    0);
	crowd_each(crowd, see_off, crowd);
	assert_int_equal(crowd_count(crowd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_guest_is_found_by_his_number_until_he_leaves),
		cmocka_unit_test(no_more_than_the_most_come_in),
		cmocka_unit_test(one_address_cannot_take_every_place),
		cmocka_unit_test(one_network_of_ipv6_is_one_address),
		cmocka_unit_test(
		    nobody_is_found_by_a_number_that_was_not_given),
		cmocka_unit_test(everybody_may_leave_while_they_are_counted),
	};

	return cmocka_run_group_tests_name("front/crowd", tests, NULL, NULL);
}
