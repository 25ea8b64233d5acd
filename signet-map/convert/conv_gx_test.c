#include "conv_gx.h"

#include "base/fault.h"
#include "base/unit.h"
#include "conv_out.h"
#include "conv_tag.h"

#include <stdio.h>
#include <string.h>

#define STAMP "timestamp 1163000000.5 Wed 2006-11-08 15:33:20 UTC\n"

static int
read_one(const char *text, struct gx_record *r)
{
	size_t at = 0, line = 0;
	struct fault f = { 0 };

	return gx_read(text, strlen(text), &at, &line, r, &f);
}

static void
a_record_is_read(void **state)
{
	struct gx_record r;

	(void)state;
	assert_int_equal(read_one("\n{\n\tdn   \"/O=x y/CN=a\"\n"
				  "\tunknown key\n\toperation add\n\t" STAMP
				  "\tusername ann\n\tcomment one\n"
				  "\tcomment two\n\trequested_by_name bob\n}\n",
			     &r),
	    1);
	assert_int_equal(r.verb, MAP_REQUEST_ADD);
	assert_string_equal(r.dn, "/O=x y/CN=a");
	assert_string_equal(r.account, "ann");
	assert_string_equal(r.by, "bob");
	assert_string_equal(r.comment, "one; two");
	assert_int_equal(r.seconds, 1163000000);
	assert_int_equal(r.micros, 500000);
	assert_int_equal(r.line, 2);
}

static void
what_is_no_record_is_passed(void **state)
{
	static const char *const bad[] = {
		"x\n", "{\n", "{\n}\n", "{\noperation add\n" STAMP "}\n",
		"{\noperation remove-dn\n" STAMP "username a\n}\n",
		"{\noperation fly\n" STAMP "username a\ndn \"/CN=a\"\n}\n",
		"{\noperation remove-user\nusername a\n}\n",
		"{\noperation remove-user\ntimestamp -1\nusername a\n}\n",
		"{\noperation remove-user\ntimestamp 1.1234567\nusername a\n}\n"
	};
	struct gx_record r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_one(bad[i], &r), -1);
	assert_int_equal(read_one("\n\n", &r), 0);
	assert_int_equal(read_one("{\noperation remove-user\n" STAMP
				  "username a\n}",
			     &r),
	    1);
}

static void
tags_are_read_and_nothing_else(void **state)
{
	static const char text[] = "<?xml?><!-- <no a='1'/> -->\n<a b='x&amp;y'"
				   "\n c = \"d\"/>text</a><e>";
	size_t at = 0, line = 1;
	struct conv_tag tag;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(tag_read(text, sizeof(text) - 1, &at, &line, &tag, &f),
	    1);
	assert_string_equal(tag.name, "a");
	assert_string_equal(tag_get(&tag, "b"), "x&y");
	assert_string_equal(tag_get(&tag, "c"), "d");
	assert_string_equal(tag_get(&tag, "z"), "");
	assert_int_equal(tag.line, 2);
	assert_int_equal(tag_read(text, sizeof(text) - 1, &at, &line, &tag, &f),
	    1);
	assert_string_equal(tag.name, "e");
	assert_int_equal(tag_read(text, sizeof(text) - 1, &at, &line, &tag, &f),
	    0);
}

static void
values_are_quoted_or_refused(void **state)
{
	OWN_BUF(out, 256);

	(void)state;
	assert_true(conv_quote(&out, "a=b"));
	assert_true(conv_quote(&out, "a b"));
	assert_true(conv_quote(&out, "a#b"));
	assert_false(conv_quote(&out, "a\"b"));
	assert_false(conv_quote(&out, "a\nb"));
	assert_false(conv_quote(&out, ""));
	assert_string_equal(buf_cstr(&out), "a=b\"a b\"\"a#b\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read),
		cmocka_unit_test(what_is_no_record_is_passed),
		cmocka_unit_test(tags_are_read_and_nothing_else),
		cmocka_unit_test(values_are_quoted_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
