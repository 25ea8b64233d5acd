#include "base/text.h"

#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void
a_copy_fits_or_is_refused(void **state)
{
	char to[4] = "zzz";

	(void)state;
	assert_int_equal(text_copy(to, sizeof(to), "abc"), 0);
	assert_string_equal(to, "abc");
	assert_int_equal(text_copy(to, sizeof(to), "abcd"), -1);
	assert_string_equal(to, "");
	assert_int_equal(text_fmt(to, sizeof(to), "%d", 123), 0);
	assert_string_equal(to, "123");
	assert_int_equal(text_fmt(to, sizeof(to), "%d", 1234), -1);
	assert_string_equal(to, "");
}

static void
blanks_are_trimmed_at_both_ends(void **state)
{
	static const struct {
		const char *from;
		const char *to;
	} cases[] = {
		{ " \t a b \r\n", "a b" },
		{ "", "" },
		{ " \n ", "" },
		{ "x", "x" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *s = strdup(cases[i].from);

		assert_non_null(s);
		assert_string_equal(text_trim(s), cases[i].to);
		free(s);
	}
}

static void
beginnings_and_ends_are_compared(void **state)
{
	(void)state;
	assert_true(text_starts("ca.pem", "ca"));
	assert_true(text_starts("ca", ""));
	assert_false(text_starts("c", "ca"));
	assert_true(text_ends("ca.pem", ".pem"));
	assert_true(text_ends("ca", ""));
	assert_false(text_ends("m", ".pem"));
	assert_false(text_ends("ca.pem0", ".pem"));
}

static void
only_ascii_is_printable(void **state)
{
	(void)state;
	assert_true(text_printable("a ~"));
	assert_true(text_printable(""));
	assert_false(text_printable("a\n"));
	assert_false(text_printable("\x7f"));
	assert_false(text_printable("\xc3\xa9"));
}

/* From memory of exactly the right size. */
static bool
utf8(const char *bytes, size_t len)
{
	char *exact = malloc(len > 0 ? len : 1);
	bool result;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	result = text_utf8(exact, len);
	free(exact);
	return result;
}

#define UTF8(s) utf8((s), sizeof(s) - 1)

static void
utf8_is_judged_by_rfc_3629(void **state)
{
	(void)state;
	assert_true(UTF8(""));
	assert_true(UTF8("Zo\xc3\xab"));
	assert_true(UTF8("\xe2\x82\xac \xf0\x9f\x94\x91"));
	assert_true(UTF8("\xef\xbf\xbd\xf4\x8f\xbf\xbf"));
	/* Cut, stray, overlong, surrogate, past the end. */
	assert_false(UTF8("\xc3"));
	assert_false(UTF8("\xe2\x82"));
	assert_false(UTF8("\xf0\x9f\x94"));
	assert_false(UTF8("\xe2\x82x"));
	assert_false(UTF8("\x80"));
	assert_false(UTF8("\xc0\x80"));
	assert_false(UTF8("\xc1\xbf"));
	assert_false(UTF8("\xe0\x9f\xbf"));
	assert_false(UTF8("\xf0\x8f\xbf\xbf"));
	assert_false(UTF8("\xed\xa0\x80"));
	assert_false(UTF8("\xf4\x90\x80\x80"));
	assert_false(UTF8("\xf5\x80\x80\x80"));
	assert_false(UTF8("\xff"));
}

static void
control_characters_are_no_text(void **state)
{
	(void)state;
	assert_false(UTF8("a\0b"));
	assert_false(UTF8("a\nb"));
	assert_false(UTF8("\x1b[0m"));
	assert_false(UTF8("\x7f"));
	assert_false(UTF8("\xc2\x85"));
	assert_false(UTF8("\xc2\x9f"));
	assert_true(UTF8("\xc2\xa0"));
}

static void
what_no_terminal_can_take_becomes_question_marks(void **state)
{
	static const struct {
		const char *before, *after;
	} rows[] = { { "", "" }, { "Zo\xc3\xab", "Zo\xc3\xab" },
		{ "\x1b[31m\n", "?[31m?" },
		{ "\xc2\x9b"
		  "31m",
		    "??31m" },
		{ "\xff\xc3", "??" }, { "a\xe2\x82", "a??" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* Memory of exactly the right size. */
		char *s = strdup(rows[i].before);

		assert_non_null(s);
		text_clean(s);
		assert_string_equal(s, rows[i].after);
		free(s);
	}
}

static void
distance_counts_letters_changed(void **state)
{
	char longest[65];

	(void)state;
	assert_int_equal(text_distance("", ""), 0);
	assert_int_equal(text_distance("abc", ""), 3);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_int_equal(text_distance("listen", "listen"), 0);
	assert_int_equal(text_distance("lisen", "listen"), 1);
	assert_int_equal(text_distance("wrokers", "workers"), 2);
	assert_int_equal(text_distance("kitten", "sitting"), 3);
	memset(longest, 'a', 64);
	longest[64] = '\0';
	assert_int_equal(text_distance(longest, "a"), 99);
	longest[63] = '\0';
	assert_int_equal(text_distance(longest, "a"), 62);
	assert_int_equal(text_distance("a", longest), 62);
	assert_int_equal(text_distance(longest, longest), 0);
}

static void
a_number_is_all_digits_and_in_range(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-", "1x",
		"0x1", "--1", "9223372036854775808", "-9223372036854775809",
		"101", "-11", "1.0", "\n1" };
	int64_t value = 4711;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(text_number(bad[i], -10, 100, &value), -1);
	assert_int_equal(value, 4711);
	assert_int_equal(text_number("-10", -10, 100, &value), 0);
	assert_int_equal(value, -10);
	assert_int_equal(text_number("00100", -10, 100, &value), 0);
	assert_int_equal(value, 100);
	assert_int_equal(text_number("-9223372036854775808", INT64_MIN,
			     INT64_MAX, &value),
	    0);
	assert_true(value == INT64_MIN);
}

static void
hexadecimal_goes_there_and_back(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x1f, 0xab, 0xff };
	uint8_t back[4];
	char text[9];

	(void)state;
	text_hex(bytes, sizeof(bytes), text);
	assert_string_equal(text, "001fabff");
	assert_int_equal(text_unhex("001FabfF", back, sizeof(back)), 4);
	assert_memory_equal(back, bytes, 4);
	assert_int_equal(text_unhex("", back, 0), 0);
	assert_int_equal(text_unhex("0", back, sizeof(back)), -1);
	assert_int_equal(text_unhex("0g", back, sizeof(back)), -1);
	assert_int_equal(text_unhex("g0", back, sizeof(back)), -1);
	assert_int_equal(text_unhex("0011223344", back, sizeof(back)), -1);
}

/* RFC 4648 section 10. */
static const struct {
	const char *plain;
	const char *coded;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "+//+" },
};

/* Decode from and into memory of exactly the right size. */
static int
unbase64(const char *coded, size_t size)
{
	size_t len = strlen(coded);
	char *in = malloc(len > 0 ? len : 1);
	uint8_t *out = malloc(size > 0 ? size : 1);
	int result;

	assert_non_null(in);
	assert_non_null(out);
	memcpy(in, coded, len);
	result = text_unbase64(in, len, out, size);
	free(out);
	free(in);
	return result;
}

static void
base64_is_that_of_rfc_4648(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		size_t len = strlen(vectors[i].plain);
		char *coded = malloc(TEXT_BASE64_SIZE(len));
		uint8_t plain[8];

		assert_non_null(coded);
		text_base64(vectors[i].plain, len, coded);
		assert_string_equal(coded, vectors[i].coded);
		assert_int_equal(text_unbase64(coded, strlen(coded), plain,
				     sizeof(plain)),
		    len);
		assert_memory_equal(plain, vectors[i].plain, len);
		assert_int_equal(unbase64(coded, len), len);
		if (len > 0)
			assert_int_equal(unbase64(coded, len - 1), -1);
		free(coded);
	}
}

static void
careless_base64_is_refused(void **state)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zm9",
		"Zh==", "Zm9=", "====", "Z===", "Zg==Zg==", "Zm9v\n",
		"Zm9v Zm9", "Zm-_", "=Zm9", "Zm=v", "Zm9v=", "\xffm9v" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(unbase64(bad[i], 64), -1);
	assert_int_equal(text_unbase64("Z\0==", 4, (uint8_t[4]){ 0 }, 4), -1);
}

static void
long_text_is_broken_at_blanks(void **state)
{
	static const char word[] = "word ";
	char text[401] = "", *out = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&out, &size);

	(void)state;
	for (size_t i = 0; i < 80; i++)
		memcpy(text + 5 * i, word, 6);
	assert_non_null(file);
	text_wrap(file, text, 6, 4);
	assert_int_equal(fclose(file), 0);
	assert_memory_equal(out, "  word ", 7);
	for (char *line = out + 2, *end; (end = strchr(line, '\n')) != NULL;
	     line = end + 1) {
		assert_true(end - line <= 79);
		assert_memory_equal(line == out + 2 ? "word" : line + 6, "word",
		    4);
		assert_true(end[-1] == 'd' || end[-1] == ' ');
	}
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_fits_or_is_refused),
		cmocka_unit_test(blanks_are_trimmed_at_both_ends),
		cmocka_unit_test(beginnings_and_ends_are_compared),
		cmocka_unit_test(only_ascii_is_printable),
		cmocka_unit_test(utf8_is_judged_by_rfc_3629),
		cmocka_unit_test(control_characters_are_no_text),
		cmocka_unit_test(
		    what_no_terminal_can_take_becomes_question_marks),
		cmocka_unit_test(distance_counts_letters_changed),
		cmocka_unit_test(a_number_is_all_digits_and_in_range),
		cmocka_unit_test(hexadecimal_goes_there_and_back),
		cmocka_unit_test(base64_is_that_of_rfc_4648),
		cmocka_unit_test(careless_base64_is_refused),
		cmocka_unit_test(long_text_is_broken_at_blanks),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
