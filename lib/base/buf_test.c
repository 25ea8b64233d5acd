#include "base/buf.h"

#include "base/unit.h"

#include <string.h>

static void
what_is_put_is_kept_in_order(void **state)
{
	OWN_BUF(b, 100);

	(void)state;
	buf_put(&b, "ab", 2);
	buf_put_u8(&b, 'c');
	buf_text(&b, "de");
	buf_fmt(&b, "%d-%s", 42, "x");
	buf_put(&b, NULL, 0);
	assert_int_equal(b.len, 9);
	assert_string_equal(buf_cstr(&b), "abcde42-x");
	assert_int_equal(b.len, 9);
	assert_false(b.failed);
}

static void
growth_keeps_every_byte(void **state)
{
	OWN_BUF(b, 100000);

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		buf_put_u8(&b, (uint8_t)(i * 7));
	assert_int_equal(b.len, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], (uint8_t)(i * 7));
}

static void
past_its_limit_a_buffer_fails_and_stays_failed(void **state)
{
	OWN_BUF(b, 4);

	(void)state;
	buf_put(&b, "abcd", 4);
	assert_false(b.failed);
	assert_string_equal(buf_cstr(&b), "abcd");
	buf_put_u8(&b, 'e');
	assert_true(b.failed);
	assert_int_equal(b.len, 4);
	buf_eat(&b, 4);
	buf_put_u8(&b, 'f');
	assert_true(b.failed);
	assert_null(buf_cstr(&b));
	assert_null(buf_room(&b, 1));
	buf_clear(&b);
	buf_text(&b, "wxyz");
	assert_string_equal(buf_cstr(&b), "wxyz");
}

static void
no_size_is_too_big_to_be_refused(void **state)
{
	OWN_BUF(b, 16);

	(void)state;
	buf_text(&b, "abc");
	assert_null(buf_room(&b, SIZE_MAX));
	assert_true(b.failed);
	buf_clear(&b);
	assert_null(buf_room(&b, SIZE_MAX - 2));
	assert_true(b.failed);
}

static void
room_is_not_counted_until_the_caller_does(void **state)
{
	OWN_BUF(b, 600);
	uint8_t *room = buf_room(&b, 600);

	(void)state;
	assert_non_null(room);
	memset(room, 'r', 600);
	assert_int_equal(b.len, 0);
	b.len += 600;
	assert_int_equal(buf_cstr(&b)[599], 'r');
	assert_int_equal(buf_cstr(&b)[600], '\0');
}

static void
what_is_eaten_is_gone(void **state)
{
	OWN_BUF(b, 16);

	(void)state;
	buf_text(&b, "abcdef");
	buf_eat(&b, 2);
	assert_string_equal(buf_cstr(&b), "cdef");
	buf_eat(&b, 0);
	assert_string_equal(buf_cstr(&b), "cdef");
	buf_eat(&b, 99);
	assert_int_equal(b.len, 0);
	buf_eat(&b, 1);
	assert_int_equal(b.len, 0);
}

static void
a_cleared_buffer_holds_nothing_of_what_it_held(void **state)
{
	OWN_BUF(b, 64);

	(void)state;
	buf_text(&b, "a pass phrase");
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	for (size_t i = 0; i < b.size; i++)
		assert_int_equal(b.data[i], 0);
}

static void
a_freed_buffer_can_be_used_again(void **state)
{
	struct buf b = BUF(8);

	(void)state;
	buf_free(&b);
	buf_text(&b, "one");
	buf_free(&b);
	assert_null(b.data);
	buf_text(&b, "two");
	assert_string_equal(buf_cstr(&b), "two");
	buf_free(&b);
}

static void
what_is_reserved_is_taken_once(void **state)
{
	OWN_BUF(b, 1000);
	const uint8_t *data;

	(void)state;
	buf_text(&b, "abc");
	buf_reserve(&b, 700);
	assert_int_equal(b.size, 701);
	data = b.data;
	for (int i = 3; i < 700; i++)
		buf_put_u8(&b, 'x');
	assert_ptr_equal(b.data, data);
	assert_int_equal(b.len, 700);
	assert_memory_equal(b.data, "abcx", 4);
	buf_reserve(&b, 10);
	assert_ptr_equal(b.data, data);
	assert_false(b.failed);
	buf_reserve(&b, 1001);
	assert_true(b.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_reserved_is_taken_once),
		cmocka_unit_test(what_is_put_is_kept_in_order),
		cmocka_unit_test(growth_keeps_every_byte),
		cmocka_unit_test(
		    past_its_limit_a_buffer_fails_and_stays_failed),
		cmocka_unit_test(no_size_is_too_big_to_be_refused),
		cmocka_unit_test(room_is_not_counted_until_the_caller_does),
		cmocka_unit_test(what_is_eaten_is_gone),
		cmocka_unit_test(
		    a_cleared_buffer_holds_nothing_of_what_it_held),
		cmocka_unit_test(a_freed_buffer_can_be_used_again),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
