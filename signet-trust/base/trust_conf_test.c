#include "trust_conf.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static int
parse(struct trust_conf *c, const char *text, struct fault *f)
{
	return trust_conf_parse(c, text, strlen(text), f);
}

static void
what_is_not_said_has_a_value(void **state)
{
	struct trust_conf c;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(parse(&c, "", &f), 0);
	assert_int_equal(c.file_mode, 0444);
	assert_false(c.old_hash);
	assert_false(c.owned);
	assert_string_not_equal(c.cache, "");
}

static void
modes_and_styles_are_read(void **state)
{
	struct trust_conf c;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(parse(&c,
			     "mode 640\nhash-style new\nhash-style old\n"
			     "cache-dir /tmp/x\nowner root:root\n",
			     &f),
	    0);
	assert_int_equal(c.file_mode, 0640);
	assert_true(c.old_hash);
	assert_true(c.owned);
	assert_int_equal(c.uid, 0);
	assert_string_equal(c.cache, "/tmp/x");
}

static void
what_makes_no_sense_is_refused(void **state)
{
	static const char *const texts[] = { "mode 999\n", "mode 044\n",
		"mode 777\n", "mode 666\n", "mode 464\n", "mode x44\n",
		"hash-style odd\n", "owner root\n",
		"owner nobody-of-that-name:root\n", "ip 5\n", "frob 1\n",
		"target /a/b\ncache-dir /a/b\n" };
	struct trust_conf c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fault f = { 0 };

		if (parse(&c, texts[i], &f) != -1)
			fail_msg("%s", texts[i]);
		assert_int_equal(f.code, FAULT_CONFIG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said_has_a_value),
		cmocka_unit_test(modes_and_styles_are_read),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
