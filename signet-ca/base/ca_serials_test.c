#include "ca_serials.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>
#include <unistd.h>

static void
serials_are_read_as_people_write_them(void **state)
{
	static const char *const good[][2] = {
		{ "1", "01" },
		{ "3E8", "03e8" },
		{ "0003e8", "03e8" },
		{ "0x3e8", "03e8" },
		{ "00:A1:b2", "a1b2" },
		{ "ffffffffffffffffffffffffffffffffffffffff",
		    "ffffffffffffffffffffffffffffffffffffffff" },
	};
	static const char *const bad[] = { "", "0", "00:00", "0x", "g", "3e 8",
		"-1", "1ffffffffffffffffffffffffffffffffffffffff" };
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char text[2 * CA_SERIAL_SIZE + 1];
		OWN_SERIALS(s);

		assert_int_equal(ca_serials_add(&s, good[i][0], &f), 0);
		ca_serial_text(&s.item[0], text);
		assert_string_equal(text, good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWN_SERIALS(s);

		assert_int_equal(ca_serials_add(&s, bad[i], &f), -1);
		assert_int_equal(f.code, FAULT_USAGE);
		assert_int_equal(s.count, 0);
	}
}

static int
read_text(struct ca_serials *s, const char *text, struct fault *f)
{
	char path[] = "/tmp/ca_serials.XXXXXX";
	int fd = mkstemp(path), result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
	result = ca_serials_read(s, path, f);
	assert_int_equal(unlink(path), 0);
	return result;
}

static void
a_file_has_one_a_line_and_comments(void **state)
{
	struct fault f = { 0 };
	char text[2 * CA_SERIAL_SIZE + 1];
	OWN_SERIALS(s);
	OWN_SERIALS(none);

	(void)state;
	assert_int_equal(read_text(&s,
			     "# a leak\n3e9\n\n 3e8 # Ann's\r\n03E9\n3eA", &f),
	    0);
	assert_int_equal(s.count, 4);
	ca_serials_sort(&s);
	assert_int_equal(s.count, 3);
	ca_serial_text(&s.item[0], text);
	assert_string_equal(text, "03e8");
	ca_serial_text(&s.item[2], text);
	assert_string_equal(text, "03ea");
	ca_serials_sort(&none);
	assert_int_equal(none.count, 0);
	assert_int_equal(read_text(&none, "3e8\nAnn\n", &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_non_null(strstr(f.text, ":2: no serial"));
	assert_int_equal(ca_serials_read(&none, "/nonexistent/x", &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serials_are_read_as_people_write_them),
		cmocka_unit_test(a_file_has_one_a_line_and_comments),
	};

	return cmocka_run_group_tests_name("signet-ca/ca_serials", tests, NULL,
	    NULL);
}
