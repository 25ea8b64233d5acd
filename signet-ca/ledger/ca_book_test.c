#include "ca_book.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static void
text_that_is_harmless_is_shown_as_it_is(void **state)
{
	OWN_BUF(room, 4096);

	(void)state;
	assert_string_equal(ca_book_safe("a b/c", &room), "a b/c");
	assert_string_equal(ca_book_safe("J\xc3\xbcrgen", &room),
	    "J\xc3\xbcrgen");
	assert_string_equal(ca_book_safe("", &room), "-");
	assert_string_equal(ca_book_safe(NULL, &room), "-");
}

static void
what_would_move_a_cursor_or_break_json_is_spelt_out(void **state)
{
	OWN_BUF(room, 4096);

	(void)state;
	assert_string_equal(ca_book_safe("a\033[2Jb", &room), "a\\x1b[2Jb");
	assert_string_equal(ca_book_safe("\xff\n", &room), "\\xff\\x0a");
	/* C1 controls, as UTF-8. */
	assert_string_equal(ca_book_safe("\xc2\x9b", &room), "\\xc2\\x9b");
}

static void
a_line_of_any_bytes_becomes_json(void **state)
{
	static const uint8_t der[] = { 0x30, 0x00 };
	const struct ledger_line line = { .entry = 7,
		.state = LEDGER_REVOKED,
		.serial = "0a",
		.reason = 1,
		.revoked = 86400,
		.der = { der, sizeof(der) },
		.intent = { .ca = "c", .username = "\xff\033" } };
	json_t *object = ca_book_json(&line, true);
	const char *text;

	(void)state;
	assert_non_null(object);
	text = json_string_value(json_object_get(object, "username"));
	assert_string_equal(text, "\\xff\\x1b");
	assert_true(json_is_null(json_object_get(object, "subject")));
	assert_int_equal(json_integer_value(json_object_get(object, "reason")),
	    1);
	text = json_string_value(json_object_get(object, "revoked"));
	assert_string_equal(text, "1970-01-02T00:00:00Z");
	text = json_string_value(json_object_get(object, "der"));
	assert_string_equal(text, "MAA=");
	json_decref(object);
}

static void
options_make_the_filter(void **state)
{
	struct ca_args args = {
		.ca = "c", .since = "1970-01-02", .limit = "9", .revoked = true
	};
	struct ledger_filter filter;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(ca_book_filter(&args, "t", &filter, &f), 0);
	assert_string_equal(filter.ca, "c");
	assert_string_equal(filter.text, "t");
	assert_int_equal(filter.since, 86400);
	assert_int_equal(filter.until, 0);
	assert_int_equal(filter.limit, 9);
	assert_true(filter.revoked_only);
	args.limit = "0";
	assert_int_equal(ca_book_filter(&args, "t", &filter, &f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_is_harmless_is_shown_as_it_is),
		cmocka_unit_test(
		    what_would_move_a_cursor_or_break_json_is_spelt_out),
		cmocka_unit_test(a_line_of_any_bytes_becomes_json),
		cmocka_unit_test(options_make_the_filter),
	};

	return cmocka_run_group_tests_name("signet-ca/ca_book", tests, NULL,
	    NULL);
}
