/* What we show is what OpenSSL shows, for names of many kinds. */
#include "base/fault.h"
#include "base/unit.h"
#include "x509/dn.h"
#include "x509/own_ssl.h"

#include <stdlib.h>
#include <string.h>

#define MANY 4000

static const int nids[] = { NID_domainComponent, NID_organizationName,
	NID_organizationalUnitName, NID_commonName, NID_countryName,
	NID_localityName, NID_stateOrProvinceName, NID_pkcs9_emailAddress,
	NID_userId, NID_surname, NID_givenName, NID_serialNumber, NID_title,
	NID_streetAddress, NID_postalCode, NID_dnQualifier, NID_pseudonym,
	NID_description, NID_sha256 };

#define NIDS (sizeof(nids) / sizeof(nids[0]))

static const struct {
	int type;
	const char *value;
	int len;
} values[] = {
	{ V_ASN1_PRINTABLESTRING, "Plain Name", 10 },
	{ V_ASN1_UTF8STRING, "caf\xc3\xa9", 5 },
	{ V_ASN1_UTF8STRING, "\xe2\x82\xac\xf0\x9f\x98\x80", 7 },
	{ V_ASN1_UTF8STRING, "a,b+c\"d\\e<f>g;h=i#j", 19 },
	{ V_ASN1_UTF8STRING, "#first", 6 },
	{ V_ASN1_UTF8STRING, " ", 1 },
	{ V_ASN1_UTF8STRING, " blanks  ", 9 },
	{ V_ASN1_UTF8STRING, "host/a.org", 10 },
	{ V_ASN1_T61STRING, "caf\xe9", 4 },
	{ V_ASN1_T61STRING, "\xe9", 1 },
	{ V_ASN1_BMPSTRING, "\0a\x20\xac\0,\0 ", 8 },
	{ V_ASN1_UNIVERSALSTRING, "\0\0\0#\0\x01\xf6\0", 8 },
	{ V_ASN1_IA5STRING, "a@b.org", 7 },
	{ V_ASN1_NUMERICSTRING, "12 3", 4 },
};

/* A name of one to five attributes, some in one RDN; always the same ones. */
static X509_NAME *
any_name(void)
{
	X509_NAME *made = X509_NAME_new();
	size_t first = (size_t)rand() % NIDS;
	int count = 1 + rand() % 5;

	assert_non_null(made);
	for (int i = 0; i < count; i++) {
		/* Different types: an RDN has no attribute twice. */
		size_t n = (first + (size_t)i) % NIDS;
		size_t v =
		    (size_t)rand() % (sizeof(values) / sizeof(values[0]));
		OWN(ASN1_OBJECT) type = i == 0 && first % 8 == 0
		    ? OBJ_txt2obj("1.3.6.1.4.1.99999.7", 1)
		    : OBJ_dup(OBJ_nid2obj(nids[n]));

		assert_non_null(type);
		/* What it does not take (a long country) is left out. */
		(void)X509_NAME_add_entry_by_OBJ(made, type, values[v].type,
		    (const unsigned char *)values[v].value, values[v].len, -1,
		    rand() % 4 == 0 ? -1 : 0);
	}
	return made;
}

static void
compare(X509_NAME *made)
{
	struct fault f = { 0 };
	OWN(BIO) bio = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(made, &der);
	const unsigned char *at = der;
	/* Read again, since encoding sorts the members of an RDN. */
	OWN(X509_NAME) oracle = d2i_X509_NAME(NULL, &at, len);
	char slash[8192], ours[8192], *text;
	struct dn dn;

	assert_non_null(oracle);
	if (dn_read_der(&dn, (struct wire_bytes){ der, (size_t)len }, &f) < 0)
		fail_msg("%s", f.text);
	OPENSSL_free(der);
	assert_non_null(X509_NAME_oneline(oracle, slash, sizeof(slash)));
	assert_int_equal(dn_show_slash(&dn, ours, sizeof(ours)), 0);
	assert_string_equal(ours, slash);
	assert_int_equal(dn_show_slash(&dn, ours, strlen(slash) + 1), 0);
	assert_int_equal(dn_show_slash(&dn, ours, strlen(slash)), -1);
	assert_string_equal(ours, "");

	assert_true(X509_NAME_print_ex(bio, oracle, 0, XN_FLAG_RFC2253) >= 0);
	assert_int_equal(BIO_write(bio, "", 1), 1);
	assert_true(BIO_get_mem_data(bio, &text) > 0);
	assert_int_equal(dn_show_rfc2253(&dn, ours, sizeof(ours)), 0);
	assert_string_equal(ours, text);
	assert_int_equal(dn_show_rfc2253(&dn, ours, strlen(text)), -1);
	assert_string_equal(ours, "");
}

static void
names_of_many_kinds_show_as_in_openssl(void **state)
{
	int compared = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < MANY; i++) {
		OWN(X509_NAME) oracle = any_name();

		if (X509_NAME_entry_count(oracle) == 0)
			continue;
		compare(oracle);
		compared++;
	}
	assert_true(compared > MANY / 2);
}

static void
the_last_cn_is_the_common_name(void **state)
{
	struct fault f = { 0 };
	struct dn dn;
	char cn[16];

	(void)state;
	assert_int_equal(dn_read_slash(&dn, "/CN=a/OU=b/CN=caf\xc3\xa9/O=d",
			     &f),
	    0);
	assert_int_equal(dn_cn(&dn, cn, sizeof(cn)), 0);
	assert_string_equal(cn, "caf\xc3\xa9");
	assert_int_equal(dn_cn(&dn, cn, 6), 0);
	assert_int_equal(dn_cn(&dn, cn, 5), -1);
	assert_string_equal(cn, "");
	assert_int_equal(dn_read_slash(&dn, "/OU=b", &f), 0);
	assert_int_equal(dn_cn(&dn, cn, sizeof(cn)), 0);
	assert_string_equal(cn, "");
}

static void
values_of_other_alphabets_become_utf8(void **state)
{
	static const struct {
		struct dn_ava ava;
		const char *text;
	} cases[] = {
		{ { .tag = DER_T61, .value = { (const uint8_t *)"\xe9", 1 } },
		    "\xc3\xa9" },
		{ { .tag = DER_BMP,
		      .value = { (const uint8_t *)"\0a\x20\xac", 4 } },
		    "a\xe2\x82\xac" },
		{ { .tag = DER_UNIVERSAL,
		      .value = { (const uint8_t *)"\0\x01\xf6\0", 4 } },
		    "\xf0\x9f\x98\x80" },
		{ { .tag = DER_IA5, .value = { (const uint8_t *)"a@b", 3 } },
		    "a@b" },
	};
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(dn_ava_text(&cases[i].ava, text, sizeof(text)),
		    0);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(dn_ava_text(&cases[i].ava, text,
				     strlen(cases[i].text)),
		    -1);
	}
}

static void
the_one_line_form_reads_back_as_the_same_name(void **state)
{
	static const char *const texts[] = {
		"/DC=org/DC=ligo/O=LIGO/OU=People/CN=albert.einstein@LIGO.ORG",
		"/C=DE/ST=B/L=K/street=a 1/UID=u/SN=s/GN=g/title=t/CN=x",
		"/O=\\xC3\\xA9/serialNumber=12/emailAddress=a@b"
	};
	struct fault f = { 0 };
	struct dn dn;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(dn_read_slash(&dn, texts[i], &f), 0);
		assert_int_equal(dn_show_slash(&dn, text, sizeof(text)), 0);
		assert_string_equal(text, texts[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_many_kinds_show_as_in_openssl),
		cmocka_unit_test(the_last_cn_is_the_common_name),
		cmocka_unit_test(values_of_other_alphabets_become_utf8),
		cmocka_unit_test(the_one_line_form_reads_back_as_the_same_name),
	};

	return cmocka_run_group_tests_name("x509/dn_show", tests, NULL, NULL);
}
