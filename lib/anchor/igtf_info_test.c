#include "anchor/igtf_info.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static struct anchor_want *
read_info(const char *alias, const char *text)
{
	struct fault f = { 0 };
	struct anchor_want *want = want_new(WANT_IGTF, "A.info", &f);

	assert_non_null(want);
	assert_int_equal(want_set(&want->alias, alias, &f), 0);
	assert_int_equal(igtf_info_read(want, text, strlen(text), &f), 0);
	return want;
}

static void
a_cas_file_is_read(void **state)
{
	struct anchor_want *want = read_info("A",
	    "#\n# @(#)$Id$\nalias = A\nurl = http://a.example/\r\n"
	    "crl_url = http://a.example/a.crl; http://b.example/a.crl\n"
	    "crl_url.1 = http://a.example/b.crl\n"
	    "status = accredited:classic\nversion = 1.1\nfuture = x\n"
	    "sha1fp.0 = aa:bb\nsubjectdn = \"/C=NL/O=A/Email=x@a\"\n"
	    "requires = Root = 1.1, \\\n   Other\nobsoletes = Old\n");
	char alias[WANT_ALIAS_MAX];
	const char *version;

	(void)state;
	assert_int_equal(want->wrong.count, 0);
	assert_false(want->meta);
	assert_string_equal(want->page, "http://a.example/");
	assert_int_equal(want->crls, 2);
	assert_int_equal(want->crl[0].urls.count, 2);
	assert_string_equal(want->crl[0].urls.item[1],
	    "http://b.example/a.crl");
	assert_string_equal(want->pin[WANT_SHA1], "AA:BB");
	assert_string_equal(want->subject, "/C=NL/O=A/emailAddress=x@a");
	assert_int_equal(want->requires.count, 2);
	assert_int_equal(igtf_item(want->requires.item[0], alias, &version), 0);
	assert_string_equal(alias, "Root");
	assert_string_equal(version, "1.1");
	assert_int_equal(igtf_item(want->requires.item[1], alias, &version), 0);
	assert_null(version);
	assert_int_equal(want->obsoletes.count, 1);
	want_free(want);
}

static void
a_package_of_cas_is_known(void **state)
{
	struct anchor_want *want = read_info("policy-igtf-x",
	    "alias = policy-igtf-x\nrequires = A = 1, \\\n B = 1\n"
	    "subjectdn = \"/C=NL\", \\\n \"/C=DE\"\n");

	(void)state;
	assert_true(want->meta);
	assert_int_equal(want->requires.count, 2);
	assert_null(want->subject);
	want_free(want);
	want = read_info("policy-igtf-y", "requires = A\n");
	assert_true(want->meta);
	want_free(want);
}

static void
what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "alias\n", "line 1 is no" },
		{ "", "says nothing of a CA" },
		{ "# x\nfuture = 1\n", "says nothing of a CA" },
		{ "subjectdn = /C=NL\n", "double quotes" },
		{ "subjectdn = \"\"\n", "double quotes" },
		{ "crl_url = a.crl\n", "no address of a CRL" },
		{ "crl_url = http://a b\n", "no address of a CRL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct anchor_want *want = read_info("A", cases[i].text);

		if (want->wrong.count != 1 ||
		    strstr(want->wrong.item[0], cases[i].said) == NULL)
			fail_msg("%s", cases[i].text);
		want_free(want);
	}
}

static void
a_crl_url_file_is_of_mirrors(void **state)
{
	static const char text[] = "# ours\nhttp://a.example/a.crl\r\n\n"
				   "  file:///var/a.crl  \n";
	struct anchor_want *want = read_info("A", "alias = A\n");
	struct want_list list = { 0 };
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(igtf_crl_url_read(want, &list, text, strlen(text), &f),
	    0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.item[1], "file:///var/a.crl");
	assert_int_equal(want->wrong.count, 0);
	want_list_clear(&list);
	want_free(want);
}

static void
items_are_aliases_with_or_without_version(void **state)
{
	char alias[WANT_ALIAS_MAX];
	const char *version;

	(void)state;
	assert_int_equal(igtf_item("", alias, &version), -1);
	assert_int_equal(igtf_item("= 1", alias, &version), -1);
	assert_int_equal(igtf_item("A B", alias, &version), -1);
	assert_int_equal(igtf_item("A=2", alias, &version), 0);
	assert_string_equal(version, "2");
}

/* Of one CA, which must not end the run of all. */
static void
too_much_of_a_kind_and_nul_bytes_are_wrong(void **state)
{
	struct anchor_want *want;
	struct want_list list = { 0 };
	struct fault f = { 0 };
	char text[4 * (WANT_LIST_MAX + 2)];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "a\nb\n"[i % 4];
	want = want_new(WANT_IGTF, "A.info", &f);
	assert_int_equal(igtf_info_read(want, text, sizeof(text), &f), 0);
	assert_int_equal(want->wrong.count, WANT_LIST_MAX);
	assert_int_equal(igtf_crl_url_read(want, &list, text, sizeof(text), &f),
	    0);
	assert_int_equal(list.count, WANT_LIST_MAX);
	want_list_clear(&list);
	want_free(want);
	want = want_new(WANT_IGTF, "A.info", &f);
	assert_int_equal(igtf_info_read(want, "", 1, &f), 0);
	assert_string_equal(want->wrong.item[0], "holds a NUL byte");
	assert_int_equal(igtf_crl_url_read(want, &list, "http://a/\0b", 11, &f),
	    0);
	assert_int_equal(list.count, 0);
	want_free(want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cas_file_is_read),
		cmocka_unit_test(a_package_of_cas_is_known),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_crl_url_file_is_of_mirrors),
		cmocka_unit_test(items_are_aliases_with_or_without_version),
		cmocka_unit_test(too_much_of_a_kind_and_nul_bytes_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
