#include "base/fault.h"
#include "base/unit.h"
#include "x509/dn.h"

#include <stdlib.h>
#include <string.h>

/* Read ${text} from memory that ends with its NUL; the fault's code, or
 * FAULT_NONE. */
static enum fault_code
reads(const char *text, struct dn *dn)
{
	struct fault f = { 0 };
	char *copy = strdup(text);

	assert_non_null(copy);
	if (dn_read_slash(dn, copy, &f) < 0)
		assert_int_not_equal(f.code, FAULT_NONE);
	free(copy);
	return f.code;
}

static void
names_are_encoded_as_grid_software_expects(void **state)
{
	static const struct {
		const char *text;
		uint8_t tag;
	} cases[] = {
		{ "/DC=org", DER_IA5 },
		{ "/emailAddress=a@b.org", DER_IA5 },
		{ "/Email=a@b.org", DER_IA5 },
		{ "/E=a@b.org", DER_IA5 },
		{ "/C=US", DER_PRINTABLE },
		{ "/serialNumber=12", DER_PRINTABLE },
		{ "/CN=Albert Einstein", DER_PRINTABLE },
		{ "/CN=albert.einstein@LIGO.ORG", DER_UTF8 },
		{ "/CN=caf\xc3\xa9", DER_UTF8 },
		{ "/CN=caf\\xC3\\xa9", DER_UTF8 },
		{ "/O=a_b", DER_UTF8 },
		{ "/UID=x", DER_PRINTABLE },
		{ "/USERID=x", DER_PRINTABLE },
		{ "/street=1 Way", DER_PRINTABLE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dn dn;
		struct dn_walk walk;
		struct dn_ava ava;

		assert_int_equal(reads(cases[i].text, &dn), FAULT_NONE);
		walk = dn_walk(&dn);
		assert_true(dn_walk_next(&walk, &ava));
		assert_int_equal(ava.tag, cases[i].tag);
		assert_true(ava.first);
		assert_false(dn_walk_next(&walk, &ava));
	}
}

static void
a_slash_without_an_attribute_type_after_it_is_part_of_a_value(void **state)
{
	struct dn dn;
	char cn[64];

	(void)state;
	assert_int_equal(reads("/DC=org/CN=host/a.example.org", &dn),
	    FAULT_NONE);
	assert_int_equal(dn_depth(&dn), 2);
	assert_int_equal(dn_cn(&dn, cn, sizeof(cn)), 0);
	assert_string_equal(cn, "host/a.example.org");
	assert_int_equal(reads("/CN=a//b/", &dn), FAULT_NONE);
	assert_int_equal(dn_depth(&dn), 1);
	assert_int_equal(reads("/CN=https://a.org/b?c=d", &dn), FAULT_NONE);
	assert_int_equal(dn_depth(&dn), 1);
	assert_int_equal(reads("/CN=a=b", &dn), FAULT_NONE);
	assert_int_equal(reads("/CN=host\\/OU=a\\+b", &dn), FAULT_NONE);
	assert_int_equal(dn_depth(&dn), 1);
	assert_int_equal(dn_cn(&dn, cn, sizeof(cn)), 0);
	assert_string_equal(cn, "host/OU=a+b");
}

static void
bad_names_are_refused(void **state)
{
	static const char *const bad[] = { "", "/", "CN=a", " /CN=a",
		"/CN=", "/CN=a/O=", "/CN", "/=a", "/XX=a", "/CN=a/XX=b",
		"/CN=a/1.2.3=b", "/cn=a", "/CN=a\nb", "/CN=a\\x0ab",
		"/CN=a\\x00b", "/CN=\xc3", "/CN=\\xE9", "/DC=caf\xc3\xa9",
		"/C=caf\xc3\xa9", "/C=A_", "/serialNumber=a@b", "//CN=a",
		"/CN=a\x7f" };
	struct dn dn;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (reads(bad[i], &dn) != FAULT_INPUT)
			fail_msg("%s was read", bad[i]);
}

static void
a_backslash_that_names_no_byte_is_itself(void **state)
{
	static const char *const texts[] = { "/CN=a\\", "/CN=a\\x", "/CN=a\\x4",
		"/CN=a\\xg1", "/CN=a\\n", "/CN=a\\\\" };
	struct dn dn;
	char cn[16];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(reads(texts[i], &dn), FAULT_NONE);
		assert_int_equal(dn_cn(&dn, cn, sizeof(cn)), 0);
		assert_string_equal(cn, texts[i] + 4);
	}
	assert_int_equal(reads("/CN=\\x41\\x2f", &dn), FAULT_NONE);
	assert_int_equal(dn_cn(&dn, cn, sizeof(cn)), 0);
	assert_string_equal(cn, "A/");
}

static void
a_name_may_be_as_long_as_it_can_be_held(void **state)
{
	char text[DN_MAX + 64] = "/CN=";
	struct dn dn;

	(void)state;
	memset(text + 4, 'a', DN_MAX - 21);
	assert_int_equal(reads(text, &dn), FAULT_NONE);
	assert_int_equal(dn.len, DN_MAX);
	memset(text + 4, 'a', DN_MAX - 20);
	assert_int_equal(reads(text, &dn), FAULT_INPUT);
	memset(text + 4, 'a', DN_MAX + 50);
	assert_int_equal(reads(text, &dn), FAULT_INPUT);
}

/* Fill a template with a principal; the fault's code, or FAULT_NONE. */
static enum fault_code
fills(const char *template, const char *principal, struct dn *dn)
{
	struct fault f = { 0 };
	const struct dn_value values[] = { { "principal", principal },
		{ "realm", "LIGO.ORG" }, { NULL, NULL } };

	if (dn_fill(dn, template, values, &f) < 0)
		assert_int_not_equal(f.code, FAULT_NONE);
	return f.code;
}

static void
a_template_is_filled(void **state)
{
	struct dn dn, expected;

	(void)state;
	assert_int_equal(fills("/DC=org/OU={realm}/CN=Robot: {principal} - x",
			     "a/b c {realm} caf\xc3\xa9", &dn),
	    FAULT_NONE);
	assert_int_equal(reads("/DC=org/OU=LIGO.ORG/CN=Robot: a/b c {realm} "
			       "caf\xc3\xa9 - x",
			     &expected),
	    FAULT_NONE);
	assert_true(dn_equal(&dn, &expected));
}

static void
a_value_cannot_add_an_rdn_nor_look_as_if(void **state)
{
	static const char *const bad[] = { "x/CN=root", "x/OU=Admins/CN=y",
		"/CN=root", "x/unknown=y", "\\x41", "x\\x2fCN=root",
		"x\\/CN=root", "", " a", "a ", "a\nb", "a\x7f", "\xc3", "\xff",
		"a\xc2\x85" };
	char huge[DN_MAX + 1];
	struct dn dn;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fills("/O=a/CN={principal}", bad[i], &dn) != FAULT_DENIED)
			fail_msg("\"%s\" was filled in", bad[i]);
	assert_int_equal(fills("/DC={principal}", "caf\xc3\xa9", &dn),
	    FAULT_DENIED);
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(fills("/CN={principal}", huge, &dn), FAULT_NAME);
	assert_int_equal(fills("/UID={principal}", huge, &dn), FAULT_DENIED);
	assert_int_equal(fills("/CN={principal}{principal}", huge, &dn),
	    FAULT_DENIED);
}

/* RFC 5280 appendix A.1: ub-common-name and its like. */
static void
what_we_name_keeps_to_the_upper_bounds(void **state)
{
	char name[70], text[80];
	const struct dn_value values[] = { { "principal", name },
		{ NULL, NULL } };
	struct fault f = { 0 };
	struct dn dn;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	assert_int_equal(dn_fill(&dn, "/CN={principal}", values, &f), 0);
	assert_int_equal(dn_fill(&dn, "/O={principal}", values, &f), 0);
	/* Characters, not bytes. */
	memcpy(name + 62, "\xc3\xa9\xc3\xa9", 5);
	assert_int_equal(dn_fill(&dn, "/CN={principal}", values, &f), 0);
	memcpy(name + 62, "aaa", 4);
	assert_int_equal(dn_fill(&dn, "/CN={principal}", values, &f), -1);
	assert_int_equal(f.code, FAULT_NAME);
	assert_non_null(strstr(f.text, "more than 64 characters"));
	assert_int_equal(dn_fill(&dn, "/OU={principal}", values, &f), -1);
	assert_int_equal(dn_fill(&dn, "/L={principal}", values, &f), 0);
	memcpy(name, "DEU", 4);
	assert_int_equal(dn_fill(&dn, "/C={principal}/CN=x", values, &f), -1);
	/* What others have named is read as it is. */
	memset(name, 'a', 65);
	name[65] = '\0';
	snprintf(text, sizeof(text), "/CN=%s", name);
	assert_int_equal(dn_read_slash(&dn, text, &f), 0);
}

static void
a_bad_template_is_not_the_strangers_fault(void **state)
{
	static const char *const bad[] = { "", "CN={principal}", "/CN={nobody}",
		"/CN={principal", "/XX={principal}", "/CN={}" };
	struct dn dn;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(fills(bad[i], "a", &dn), FAULT_INPUT);
}

static void
a_proxy_name_is_the_issuers_and_one_cn(void **state)
{
	struct fault f = { 0 };
	struct dn dn, expected;
	char huge[DN_MAX + 2];

	(void)state;
	assert_int_equal(reads("/O=a/CN=b", &dn), FAULT_NONE);
	assert_int_equal(dn_add_cn(&dn, "2005028519", &f), 0);
	assert_int_equal(reads("/O=a/CN=b/CN=2005028519", &expected),
	    FAULT_NONE);
	assert_true(dn_equal(&dn, &expected));
	assert_int_equal(dn_add_cn(&dn, "", &f), -1);
	assert_int_equal(dn_add_cn(&dn, "a\nb", &f), -1);
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(dn_add_cn(&dn, huge, &f), -1);
	huge[DN_MAX - 20] = '\0';
	assert_int_equal(dn_add_cn(&dn, huge, &f), -1);
	assert_true(dn_equal(&dn, &expected));
	memset(&dn, 0, sizeof(dn));
	assert_int_equal(dn_add_cn(&dn, "a", &f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_encoded_as_grid_software_expects),
		cmocka_unit_test(
		    a_slash_without_an_attribute_type_after_it_is_part_of_a_value),
		cmocka_unit_test(bad_names_are_refused),
		cmocka_unit_test(a_backslash_that_names_no_byte_is_itself),
		cmocka_unit_test(a_name_may_be_as_long_as_it_can_be_held),
		cmocka_unit_test(a_template_is_filled),
		cmocka_unit_test(a_value_cannot_add_an_rdn_nor_look_as_if),
		cmocka_unit_test(what_we_name_keeps_to_the_upper_bounds),
		cmocka_unit_test(a_bad_template_is_not_the_strangers_fault),
		cmocka_unit_test(a_proxy_name_is_the_issuers_and_one_cn),
	};

	return cmocka_run_group_tests_name("x509/dn_text", tests, NULL, NULL);
}
