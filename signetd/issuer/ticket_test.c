#include "signetd/issuer/ticket.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static struct msg_vouch
a_vouch(const uint8_t value[TICKET_SIZE])
{
	struct msg_vouch v = { .ticket = { value, TICKET_SIZE },
		.subject = "/DC=org/CN=a",
		.principal = "a@ORG",
		.valid_ms = 1000 };

	return v;
}

static struct wire_bytes
bytes(const uint8_t value[TICKET_SIZE])
{
	return (struct wire_bytes){ value, TICKET_SIZE };
}

static struct ticket_table *
table_of(size_t most)
{
	struct fault f = { 0 };
	struct ticket_table *t = ticket_table_new(most, &f);

	assert_non_null(t);
	return t;
}

static void
a_ticket_is_good_once(void **state)
{
	OWN_STRUCT(ticket_table) t = table_of(4);
	uint8_t value[TICKET_SIZE] = { 1, 2, 3 };
	struct msg_vouch v = a_vouch(value), got;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(ticket_put(t, &v, 0, &f), 0);
	assert_true(ticket_take(t, bytes(value), 999, &got));
	assert_string_equal(got.subject, "/DC=org/CN=a");
	assert_string_equal(got.principal, "a@ORG");
	assert_false(ticket_take(t, bytes(value), 999, &got));
	assert_int_equal(ticket_count(t), 0);
}

static void
a_ticket_expires(void **state)
{
	OWN_STRUCT(ticket_table) t = table_of(4);
	uint8_t value[TICKET_SIZE] = { 1 };
	struct msg_vouch v = a_vouch(value), got;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(ticket_put(t, &v, 500, &f), 0);
	assert_false(ticket_take(t, bytes(value), 1500, &got));
	v.valid_ms = UINT32_MAX;
	assert_int_equal(ticket_put(t, &v, 0, &f), 0);
	assert_false(ticket_take(t, bytes(value), TICKET_LONGEST_MS, &got));
}

static void
another_ticket_finds_nothing(void **state)
{
	OWN_STRUCT(ticket_table) t = table_of(4);
	uint8_t value[TICKET_SIZE] = { 1 }, other[TICKET_SIZE] = { 1 };
	struct msg_vouch v = a_vouch(value), got;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(ticket_put(t, &v, 0, &f), 0);
	for (size_t i = 0; i < TICKET_SIZE; i++) {
		other[i] ^= 0x80;
		assert_false(ticket_take(t, bytes(other), 1, &got));
		other[i] ^= 0x80;
	}
	assert_false(ticket_take(t,
	    (struct wire_bytes){ value, TICKET_SIZE - 1 }, 1, &got));
	assert_false(ticket_take(t, (struct wire_bytes){ NULL, 0 }, 1, &got));
	assert_true(ticket_take(t, bytes(value), 1, &got));
}

static void
a_full_table_takes_no_more_until_some_expire(void **state)
{
	OWN_STRUCT(ticket_table) t = table_of(3);
	uint8_t value[TICKET_SIZE] = { 0 };
	struct msg_vouch got;
	struct fault f = { 0 };

	(void)state;
	for (uint8_t i = 0; i < 4; i++) {
		struct msg_vouch v = a_vouch(value);

		value[15] = i;
		v.valid_ms = 1000u + i;
		assert_int_equal(ticket_put(t, &v, 0, &f), i < 3 ? 0 : -1);
	}
	assert_int_equal(f.code, FAULT_BUSY);
	assert_false(ticket_take(t, bytes(value), 1000, &got));
	assert_int_equal(ticket_count(t), 2);
	value[15] = 2;
	assert_true(ticket_take(t, bytes(value), 1000, &got));
	value[15] = 1;
	assert_true(ticket_take(t, bytes(value), 1000, &got));
}

static void
a_malformed_ticket_is_refused(void **state)
{
	OWN_STRUCT(ticket_table) t = table_of(3);
	uint8_t value[TICKET_SIZE] = { 9 };
	struct msg_vouch v = a_vouch(value);
	struct fault f = { 0 };

	(void)state;
	v.ticket.len = TICKET_SIZE - 1;
	assert_int_equal(ticket_put(t, &v, 0, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	v = a_vouch(value);
	v.subject[0] = '\0';
	assert_int_equal(ticket_put(t, &v, 0, &f), -1);
	v = a_vouch(value);
	v.principal[0] = '\0';
	assert_int_equal(ticket_put(t, &v, 0, &f), -1);
	v = a_vouch(value);
	v.valid_ms = 0;
	assert_int_equal(ticket_put(t, &v, 0, &f), -1);
	assert_int_equal(ticket_count(t), 0);
}

static void
the_same_ticket_twice_is_good_for_nobody(void **state)
{
	OWN_STRUCT(ticket_table) t = table_of(3);
	uint8_t value[TICKET_SIZE] = { 9 };
	struct msg_vouch v = a_vouch(value), got;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(ticket_put(t, &v, 0, &f), 0);
	assert_int_equal(ticket_put(t, &v, 0, &f), -1);
	assert_false(ticket_take(t, bytes(value), 1, &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_is_good_once),
		cmocka_unit_test(a_ticket_expires),
		cmocka_unit_test(another_ticket_finds_nothing),
		cmocka_unit_test(a_full_table_takes_no_more_until_some_expire),
		cmocka_unit_test(a_malformed_ticket_is_refused),
		cmocka_unit_test(the_same_ticket_twice_is_good_for_nobody),
	};

	return cmocka_run_group_tests_name("issuer/ticket", tests, NULL, NULL);
}
