/* publish.conf: what is taken and what is not. */
#include "ca_publish_conf.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

#define LEAST                                                   \
	"url http://ca.example.org\nca A a\npackage-name cas\n" \
	"package-version 1.0\n"
#define BOTH LEAST "package-maintainer A B <a@b>\npackage-licence CC0-1.0\n"

static int
parse(const char *text, struct publish_conf *c, struct fault *f)
{
	return publish_conf_parse(c, text, strlen(text), "/etc", f);
}

static void
what_is_least_is_enough(void **state)
{
	struct publish_conf c;
	struct fault f = { 0 };
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(parse(BOTH, &c, &f), 0);
	assert_string_equal(c.url, "http://ca.example.org/");
	assert_string_equal(c.home_page, c.url);
	assert_true(c.new_hash && c.old_hash && c.deb && c.rpm);
	assert_int_equal(publish_conf_path(&c, "x", path, &f), 0);
	assert_string_equal(path, "/etc/x");
	assert_int_equal(publish_conf_path(&c, "/y", path, &f), 0);
	assert_string_equal(path, "/y");
	assert_int_equal(parse(LEAST "package-format none\nhash-style new\n",
			     &c, &f),
	    0);
	assert_false(c.old_hash || c.deb || c.rpm);
}

static void
slips_are_named(void **state)
{
	static const struct {
		const char *text;
		const char *word;
	} slips[] = {
		{ "ca A a\n", "url" },
		{ "url http://x.org/\n", "no ca" },
		{ "url https://x.org/\nca A a\n", "plain http" },
		{ "url http://x.org/<b>\nca A a\n", "plain http" },
		{ BOTH "hash-style sha\n", "hash-style" },
		{ BOTH "package-format msi\n", "package-format" },
		{ BOTH "package-format none\npackage-format deb\n", "alone" },
		{ BOTH "contact-mail nobody\n", "contact-mail" },
		{ BOTH "request-mail a@b@c\n", "request-mail" },
		{ BOTH "policy-arc 1..2\n", "policy-arc" },
		{ BOTH "document-date 22.11.2026\n", "document-date" },
		{ BOTH "organisation a\001b\n", "control" },
		{ LEAST, "package-maintainer" },
		{ LEAST "package-maintainer A <a@b>\n", "package-licence" },
		{ LEAST "package-maintainer %(id) <a@b>\n",
		    "package-maintainer" },
		{ BOTH "organisation 100 %(id)\n", "%" },
		{ "url http://x.org/\nca A a\npackage-name Up\n",
		    "package-name" },
		{ "url http://x.org/\nca A a\npackage-name cas\n"
		  "package-version 1.0-2\n",
		    "package-version" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++) {
		struct publish_conf c;
		struct fault f = { 0 };

		assert_int_equal(parse(slips[i].text, &c, &f), -1);
		assert_int_equal(f.code, FAULT_CONFIG);
		assert_non_null(strstr(f.text, slips[i].word));
	}
}

static void
a_pair_is_an_alias_and_a_path(void **state)
{
	static const char *const bad[] = { "A", "A ", " a", "../A a", "A/ a",
		"1 a" };
	struct fault f = { 0 };
	char alias[64];
	const char *path;

	(void)state;
	assert_int_equal(publish_conf_pair("LIGO-1 \t/a path", alias, &path,
			     &f),
	    0);
	assert_string_equal(alias, "LIGO-1");
	assert_string_equal(path, "/a path");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(publish_conf_pair(bad[i], alias, &path, &f),
		    -1);
}

static void
fields_are_settings(void **state)
{
	struct publish_conf c;
	struct fault f = { 0 };
	OWN_BUF(value, 1000);

	(void)state;
	assert_int_equal(parse(BOTH "pen 32473\n", &c, &f), 0);
	assert_int_equal(publish_conf_field(&c, "pen", &value), 1);
	assert_string_equal(buf_cstr(&value), "32473");
	assert_int_equal(publish_conf_field(&c, "organisation", &value), 0);
	assert_int_equal(publish_conf_field(&c, "ca", &value), -1);
	assert_int_equal(publish_conf_field(&c, "nothing", &value), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_least_is_enough),
		cmocka_unit_test(slips_are_named),
		cmocka_unit_test(a_pair_is_an_alias_and_a_path),
		cmocka_unit_test(fields_are_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
