#include "anchor/spelling.h"

#include "base/unit.h"

static void
each_spelling_is_made_of_each_other(void **state)
{
	static const char *const in[] = { "/O=A/USERID=u/Email=u@a",
		"/O=A/UID=u/E=u@a", "/O=A/UID=u/emailAddress=u@a",
		"/O=A/0.9.2342.19200300.100.1.1=u/EMAIL=u@a" };

	(void)state;
	for (int how = 0; how < SPELLING_COUNT; how++)
		for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
			OWN_BUF(out, 256);

			spelling_put(&out, (enum spelling)how, in[i]);
			assert_string_equal(buf_cstr(&out), in[how]);
		}
}

static void
only_attribute_names_are_translated(void **state)
{
	OWN_BUF(out, 256);

	(void)state;
	spelling_put(&out, SPELLING_GT4, "/CN=E=mc2 USERID=/OU=x/e=y/EE=z");
	assert_string_equal(buf_cstr(&out), "/CN=E=mc2 USERID=/OU=x/e=y/EE=z");
}

static void
slashes_in_values_are_marked(void **state)
{
	OWN_BUF(out, 256);

	(void)state;
	assert_false(spelling_has_marks("/DC=org/O=A b/CN=*"));
	assert_true(spelling_has_marks("/O=A/CN=host/*"));
	assert_true(spelling_has_marks("/O=A/CN=a+b"));
	assert_false(spelling_has_marks("/DC=org/O=A/*"));
	assert_true(spelling_has_marks("/DC=org/O=A/B"));
	spelling_mark(&out, "/O=A/CN=host\\\\/*/CN=a+b\\x", "\\");
	assert_string_equal(buf_cstr(&out), "/O=A/CN=host\\/*/CN=a\\+b\\x");
	buf_clear(&out);
	spelling_mark(&out, "/O=A/CN=host\\/a", "");
	assert_string_equal(buf_cstr(&out), "/O=A/CN=host/a");
}

static void
names_are_the_same_however_spelt(void **state)
{
	(void)state;
	assert_true(spelling_same("/O=A/USERID=u/CN=host/a",
	    "/O=A/UID=u/CN=host\\/a"));
	assert_true(spelling_same("", ""));
	assert_false(spelling_same("/O=A/CN=a", "/O=A/CN=A"));
	assert_false(spelling_same("/O=A/CN=a", "/O=A/CN=ab"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_spelling_is_made_of_each_other),
		cmocka_unit_test(only_attribute_names_are_translated),
		cmocka_unit_test(slashes_in_values_are_marked),
		cmocka_unit_test(names_are_the_same_however_spelt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
