#include "authn/authn_passwd_line.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static int
read_exactly(struct authn_passwd_line *line, const char *text, size_t len,
    struct fault *f)
{
	char *exact = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(exact);
	memcpy(exact, text, len);
	result = authn_passwd_line_read(line, exact, len, f);
	free(exact);
	return result;
}

static void
a_line_is_a_user_and_a_hash(void **state)
{
	struct authn_passwd_line line;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(read_exactly(&line, "ann:$y$a/b. \r", 13, &f), 1);
	assert_string_equal(line.user, "ann");
	assert_string_equal(line.hash, "$y$a/b.");
	assert_int_equal(read_exactly(&line, "j\303\266rg x:*", 9, &f), 1);
	assert_string_equal(line.user, "j\303\266rg x");
	assert_int_equal(read_exactly(&line, "locked:", 7, &f), 1);
	assert_string_equal(line.hash, "");
	assert_int_equal(read_exactly(&line, "# ann:x", 7, &f), 0);
	assert_int_equal(read_exactly(&line, " \t", 2, &f), 0);
	assert_int_equal(read_exactly(&line, "", 0, &f), 0);
}

static void
what_is_no_line_is_refused(void **state)
{
	static const char *const bad[] = { "ann", ":x", " ann:x", "ann :x",
		"ann:a:b", "ann:a b", "ann:a\tb", "a\tb:x", "a\377:x",
		"ann:\303\266" };
	struct authn_passwd_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(read_exactly(&line, bad[i], strlen(bad[i]),
				     &f),
		    -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

static void
nul_bytes_do_not_end_a_name_early(void **state)
{
	struct authn_passwd_line line;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(read_exactly(&line, "ann\0x:y", 7, &f), -1);
	assert_int_equal(read_exactly(&line, "ann:y\0x", 7, &f), -1);
	assert_int_equal(read_exactly(&line, "ann:y\0", 6, &f), -1);
}

static void
parts_that_do_not_fit_are_refused(void **state)
{
	struct authn_passwd_line line;
	struct fault f = { 0 };
	char text[AUTHN_USER_SIZE + AUTHN_HASH_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[AUTHN_USER_SIZE - 1] = ':';
	assert_int_equal(read_exactly(&line, text,
			     AUTHN_USER_SIZE + AUTHN_HASH_SIZE - 1, &f),
	    1);
	assert_int_equal(read_exactly(&line, text,
			     AUTHN_USER_SIZE + AUTHN_HASH_SIZE, &f),
	    -1);
	text[AUTHN_USER_SIZE - 1] = 'x';
	text[AUTHN_USER_SIZE] = ':';
	assert_int_equal(read_exactly(&line, text, AUTHN_USER_SIZE + 9, &f),
	    -1);
}

static void
lines_come_one_after_another(void **state)
{
	static const char text[] = "# c\n\nbob:b\nbad\nann:a";
	static const int want[] = { 0, 0, 1, -1, 1 };
	struct wire_in file = { (const uint8_t *)text, sizeof(text) - 1,
		false };
	struct authn_passwd_line line;
	struct wire_bytes raw;
	int said;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(authn_passwd_next(&file, &raw, &said, &line));
		assert_int_equal(said, want[i]);
	}
	assert_string_equal(line.user, "ann");
	assert_int_equal(raw.len, 5);
	assert_false(authn_passwd_next(&file, &raw, &said, &line));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_user_and_a_hash),
		cmocka_unit_test(what_is_no_line_is_refused),
		cmocka_unit_test(nul_bytes_do_not_end_a_name_early),
		cmocka_unit_test(parts_that_do_not_fit_are_refused),
		cmocka_unit_test(lines_come_one_after_another),
	};

	return cmocka_run_group_tests_name("authn/authn_passwd_line", tests,
	    NULL, NULL);
}
