#include "anchor/cadesc.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

#define NAME "5889db0d.alpha.cadesc"
#define SUBJECT "/DC=org/DC=example/CN=Alpha Root"
#define MD5 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"
#define SHA1 MD5 ":00:11:22:33"
#define SHA256 MD5 ":" MD5

/* A good file in its usual order, of lines that tests leave out or change. */
static const char *const good[] = {
	"CA_NAME             Test alpha\n",
	"HASH                5889db0d\n",
	"SUBJECT             " SUBJECT "\n",
	"MAY_SIGN            /DC=org/DC=example/*\n",
	"CERTIFICATE_MD5     " MD5 "\n",
	"CERTIFICATE_SHA1    " SHA1 "\n",
	"CERTIFICATE_URL     http://a.example/alpha.pem\n",
	"SIGNING_POLICY_URL  ?\n",
	"CRL_URL             http://a.example/alpha.crl\n",
};

/* The good file without the lines of ${without}, and with ${more} at its end.
 */
static struct anchor_want *
read_changed(const char *without, const char *more)
{
	struct fault f = { 0 };
	struct anchor_want *want = want_new(WANT_CADESC, NAME, &f);
	char alias[WANT_ALIAS_MAX];
	OWN_BUF(text, CADESC_MAX + 2);

	assert_non_null(want);
	assert_int_equal(cadesc_name(NAME, want->hash, alias), 0);
	assert_int_equal(want_set(&want->alias, alias, &f), 0);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		size_t len = strcspn(good[i], " ");

		if (strlen(without) != len ||
		    strncmp(good[i], without, len) != 0)
			buf_text(&text, good[i]);
	}
	buf_text(&text, more);
	assert_false(text.failed);
	assert_int_equal(cadesc_read(want, (const char *)text.data, text.len,
			     &f),
	    0);
	return want;
}

static void
a_good_file_is_read(void **state)
{
	struct anchor_want *want = read_changed("",
	    "# comment\n\n  HOMEPAGE http://a.example/ # data\n"
	    "MAY_SIGN /O=Grid/USERID=*\nCRL_URL https://b.example/x.crl\n"
	    "ALLOW_MISSING_CRL yes\nCERTIFICATE_SHA256 " SHA256 "\n");

	(void)state;
	assert_int_equal(want->wrong.count, 0);
	assert_int_equal(want->notes.count, 0);
	assert_string_equal(want->title, "Test alpha");
	assert_string_equal(want->subject, SUBJECT);
	assert_null(want->issuer);
	assert_int_equal(want->may_sign.count, 2);
	assert_string_equal(want->may_sign.item[1], "/O=Grid/UID=*");
	assert_string_equal(want->page, "http://a.example/ # data");
	assert_int_equal(want->crls, 1);
	assert_int_equal(want->crl[0].urls.count, 2);
	assert_string_equal(want->crl[0].urls.item[1],
	    "https://b.example/x.crl");
	assert_true(want->allow_missing_crl);
	assert_string_equal(want->pin[WANT_SHA256], SHA256);
	want_free(want);
}

static void
what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *without, *more, *said;
	} cases[] = {
		{ "HASH", "HASH 5889DB0D\n", "Invalid HASH" },
		{ "HASH", "HASH 00000001\n", "that of the file's name" },
		{ "SUBJECT", "", "No value for SUBJECT" },
		{ "MAY_SIGN", "", "No value for MAY_SIGN" },
		{ "CERTIFICATE_MD5", "", "No value for CERTIFICATE_MD5" },
		{ "CERTIFICATE_SHA1", "", "No value for CERTIFICATE_SHA1" },
		{ "CERTIFICATE_URL", "CERTIFICATE_URL /etc/ca.pem\n",
		    "Bad value for CERTIFICATE_URL (must be a URL)" },
		{ "CRL_URL", "CRL_URL file:///etc/ca.crl\n",
		    "Bad value for CRL_URL (must be a URL)" },
		{ "", "CERTIFICATE_FORM pem\n",
		    "Value for CERTIFICATE_FORM must be \"PEM\", \"DER\", or "
		    "\"NET\"" },
		{ "", "CRL_FORM NET\n",
		    "Value for CRL_FORM must be \"PEM\" or \"DER\"" },
		{ "", "DISABLE maybe\n",
		    "Value for DISABLE must be \"yes\" or \"no\"" },
		{ "", "FROBNICATE yes\n", "Unrecognized key FROBNICATE" },
		{ "", "ca_name x\n", "Unrecognized key ca_name" },
		{ "", "this: is no line\n",
		    "Syntax error at line 10 of " NAME },
		{ "", "CONTACT\n", "Missing value at line 10 of " NAME },
		{ "", "SUBJECT /CN=x\n", "SUBJECT is given more than once" },
		{ "", "SIGNED_BY " SUBJECT "\n", "should be \"self\"" },
		{ "MAY_SIGN", "MAY_SIGN /O=\"x\"\n", "no name in slash form" },
		{ "SUBJECT", "SUBJECT CN=x\n", "no name in slash form" },
		{ "", "CONTACT a\001b\n", "Syntax error at line 10" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct anchor_want *want =
		    read_changed(cases[i].without, cases[i].more);

		if (want->wrong.count != 1 ||
		    strstr(want->wrong.item[0], cases[i].said) == NULL)
			fail_msg("%s: %zu %s", cases[i].said, want->wrong.count,
			    want->wrong.count > 0 ? want->wrong.item[0] : "");
		want_free(want);
	}
}

static void
all_that_is_wrong_is_said(void **state)
{
	struct anchor_want *want =
	    read_changed("SUBJECT", "FROBNICATE x\nDISABLE maybe\n");

	(void)state;
	assert_int_equal(want->wrong.count, 3);
	want_free(want);
}

static void
a_disabled_ca_is_not_looked_at_further(void **state)
{
	struct anchor_want *want =
	    read_changed("SUBJECT", "DISABLE YES\nFROBNICATE x\n");

	(void)state;
	assert_true(want->disabled);
	assert_int_equal(want->wrong.count, 0);
	want_free(want);
	want = read_changed("", "DISABLE no\n");
	assert_false(want->disabled);
	assert_int_equal(want->wrong.count, 0);
	want_free(want);
}

static void
old_digests_alone_are_noted(void **state)
{
	struct anchor_want *want = read_changed("", "");

	(void)state;
	assert_int_equal(want->wrong.count, 0);
	assert_int_equal(want->notes.count, 1);
	want_free(want);
	/* With a better one they may be absent. */
	want = read_changed("CERTIFICATE_MD5", "CERTIFICATE_SHA384 aabb\n");
	assert_int_equal(want->wrong.count, 0);
	assert_string_equal(want->pin[WANT_SHA384], "AA:BB");
	want_free(want);
}

static void
what_is_unknown_is_no_fault(void **state)
{
	struct anchor_want *want = read_changed("CRL_URL",
	    "HOMEPAGE ?\nCONTACT ?\nCRL_URL ?\nMAY_SIGN ?\n");

	(void)state;
	assert_int_equal(want->wrong.count, 0);
	assert_true(want->may_sign_unknown);
	assert_int_equal(want->crls, 0);
	assert_null(want->page);
	want_free(want);
	/* Nor is what gx-map's manual calls optional. */
	want = read_changed("SIGNING_POLICY_URL", "");
	assert_int_equal(want->wrong.count, 0);
	want_free(want);
	want = read_changed("CRL_URL", "");
	assert_int_equal(want->wrong.count, 0);
	want_free(want);
}

static void
names_of_files_say_hash_and_alias(void **state)
{
	char hash[9], alias[WANT_ALIAS_MAX];

	(void)state;
	assert_int_equal(cadesc_name("0a1b2c3d.my.ca.cadesc", hash, alias), 0);
	assert_string_equal(hash, "0a1b2c3d");
	assert_string_equal(alias, "my.ca");
	assert_int_equal(cadesc_name("00000000.template.cadesc", hash, alias),
	    1);
	assert_int_equal(cadesc_name("bad-name.cadesc", hash, alias), -1);
	assert_int_equal(cadesc_name("0A1B2C3D.x.cadesc", hash, alias), -1);
	assert_int_equal(cadesc_name("0a1b2c3d..cadesc", hash, alias), -1);
	assert_int_equal(cadesc_name("0a1b2c3d.cadesc", hash, alias), -1);
	assert_int_equal(cadesc_name("0a1b2c3d.x", hash, alias), -1);
}

static void
it_is_written_and_read_again(void **state)
{
	struct anchor_want *want = read_changed("",
	    "SIGNED_BY /O=Root\nCRL_URL https://b.example/x.crl\nCRL_FORM "
	    "DER\n");
	struct fault f = { 0 };
	OWN_BUF(text, CADESC_MAX);
	struct anchor_want *again = want_new(WANT_CADESC, NAME, &f);

	(void)state;
	assert_int_equal(cadesc_write(want, &text, &f), 0);
	assert_non_null(again);
	memcpy(again->hash, want->hash, sizeof(again->hash));
	assert_int_equal(cadesc_read(again, (const char *)text.data, text.len,
			     &f),
	    0);
	assert_int_equal(again->wrong.count, 0);
	assert_string_equal(again->issuer, "/O=Root");
	assert_int_equal(again->crl[0].form, WANT_DER);
	assert_int_equal(again->crl[0].urls.count, 2);
	want_free(want);
	want_free(again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_is_read),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(all_that_is_wrong_is_said),
		cmocka_unit_test(a_disabled_ca_is_not_looked_at_further),
		cmocka_unit_test(old_digests_alone_are_noted),
		cmocka_unit_test(what_is_unknown_is_no_fault),
		cmocka_unit_test(names_of_files_say_hash_and_alias),
		cmocka_unit_test(it_is_written_and_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
