#include "office/name.h"

#include "base/unit.h"
#include "office/asked.h"
#include "office/office_probe.h"

static void
expect(int result, const struct fault *f, const char *says)
{
	assert_int_equal(result, -1);
	if (strstr(f->text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", f->text, says);
}

static void
host_names_are_those_of_rfc_1123(void **state)
{
	static const char *const good[] = { "a", "gw.example.org", "1a.b",
		"xn--bcher-kva.example", "A-1.Example.ORG" };
	static const struct {
		const char *name;
		const char *says;
	} bad[] = {
		{ "", "empty" },
		{ "a..b", "no host name" },
		{ ".a", "no host name" },
		{ "a.", "no host name" },
		{ "-a.b", "no host name" },
		{ "a-.b", "no host name" },
		{ "a_b.c", "no host name" },
		{ "*.example.org", "wildcards" },
		{ "10.0.0.1", "address" },
		{ "a.123", "digits" },
		{ "a b", "no host name" },
		{ "a\tb", "a control character (U+0009), at byte 2" },
		{ "a\x7f", "a control character" },
		{ " a", "a blank at its beginning" },
		{ "p\xd0\xb0ypal.org", "may look like another (U+0430)" },
		{ "a\xe2\x80\x8b.org", "invisible character (U+200B)" },
		{ "a\xe2\x80\xae.org", "turns the direction of text (U+202E)" },
		{ "a\xef\xbb\xbf", "invisible character (U+FEFF)" },
		{ "a\xff", "no UTF-8" },
		{ "a\xc0\x80", "no UTF-8" },
		{ "a\xe2\x80", "no UTF-8" },
		{ "\xf0\x9d\x90\x9a.org", "(U+1D41A)" },
	};
	struct fault f = { 0 };
	char label[66], host[256];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (name_host_check(good[i], &f) < 0)
			fail_msg("%s", f.text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(name_host_check(bad[i].name, &f), &f, bad[i].says);
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_int_equal(name_host_check(label, &f), 0);
	label[63] = 'a';
	label[64] = '\0';
	expect(name_host_check(label, &f), &f, "no host name");
	memset(host, 'a', sizeof(host));
	for (size_t i = 50; i < 250; i += 50)
		host[i] = '.';
	host[254] = '\0';
	expect(name_host_check(host, &f), &f, "253 are the most");
	host[253] = '\0';
	assert_int_equal(name_host_check(host, &f), 0);
}

static void
a_nul_is_seen(void **state)
{
	static const uint8_t text[] = "a.org\0.example.org";
	struct fault f = { 0 };

	(void)state;
	expect(name_bytes_check("host name",
		   (struct wire_bytes){ text, sizeof(text) - 1 }, &f),
	    &f, "a NUL (U+0000), at byte 6");
}

static void
words_are_of_any_script_and_all_seen(void **state)
{
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(name_words_check("reason", "", &f), 0);
	assert_int_equal(name_words_check("reason",
			     "Gr\xc3\xbc\xc3\x9f"
			     "e \xe2\x9c\x93",
			     &f),
	    0);
	expect(name_words_check("reason",
		   "a\xe2\x80\xae"
		   "b",
		   &f),
	    &f, "turns the direction of text (U+202E), at byte 2");
	expect(name_words_check("reason", "\xe2\x80\x8b", &f), &f, "invisible");
	expect(name_words_check("reason", "\x1b[2J", &f), &f, "a control");
	expect(name_words_check("reason", "a\xff", &f), &f, "no UTF-8");
}

static void
mail_addresses_are_dot_strings_at_hosts(void **state)
{
	static const char *const bad[] = { "", "a", "@b", "a@", ".a@b", "a.@b",
		"a..b@c", "a b@c", "a@b@c", "a@-b", "a,b@c", "\"a\"@b",
		"a@*.org", "-oQ/tmp@b.org", "|/bin/sh@b.org", "`id`@b.org" };
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(name_mail_check("ann.other+x@example.org", &f), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(name_mail_check(bad[i], &f), -1);
}

static struct profile *
a_profile(const char *text)
{
	struct profile *p = calloc(1, sizeof(*p));
	struct fault f = { 0 };

	assert_non_null(p);
	if (profile_read(p, "it", text, strlen(text), &f) < 0)
		fail_msg("%s", f.text);
	return p;
}

#define HOST "usage digitalSignature\npurpose serverAuth\npurpose clientAuth\n"
#define ROBOT "usage digitalSignature\npurpose clientAuth\n"
#define CA "usage keyCertSign\nusage cRLSign\nca yes\npath-length 0\n"
#define PERSON "subject /O=a/CN={user}\n" ROBOT

static void
each_profile_has_its_names(void **state)
{
	static const struct {
		const char *profile;
		const char *subject;
		const char *dns;
		const char *mail;
		const char *says; /* NULL: it is good */
	} table[] = {
		{ HOST, "/O=a/CN=b.org", "b.org", NULL, NULL },
		{ HOST, "/O=a/CN=b.org", "B.ORG", "a@b.org", NULL },
		{ HOST, "/O=a/CN=ldap/b.org", "b.org", NULL, NULL },
		{ HOST, "/O=a/CN=b.org", "c.org", NULL, "not among the names" },
		{ HOST, "/O=a/CN=b.org", NULL, NULL, "not among the names" },
		{ HOST, "/O=a/CN=a b/b.org", "b.org", NULL, "no service" },
		{ HOST, "/O=a/CN=\\/b.org", "b.org", NULL, "no service" },
		{ HOST, "/O=a/CN=a/b/c", "c", NULL, "no host name" },
		{ HOST, "/O=a/CN=b.org", "*.b.org", NULL, "wildcards" },
		{ HOST, "/O=a/CN=b.org/OU=c", "b.org", NULL, "is no CN" },
		{ HOST, "/O=\xc3\xa9/CN=b.org", "b.org", NULL, "U+00E9" },
		{ HOST, "/O=a/CN=b.org/emailAddress=a@b", "b.org", NULL,
		    "emailAddress" },
		{ HOST, "/O=a/CN=b.org/CN=proxy", "b.org", NULL,
		    "for proxy certificates" },
		{ ROBOT, "/O=a/CN=Robot: transfer - ann", NULL, "a@b.org",
		    NULL },
		{ HOST, "/O=a/CN=c.org/CN=b.org", "b.org", NULL, "2 CNs" },
		{ ROBOT, "/O=a/CN=Robot: transfer", NULL, "a@b.org",
		    "Robot: purpose - contact" },
		{ ROBOT, "/O=a/CN=transfer", NULL, "a@b.org",
		    "Robot: purpose - contact" },
		{ ROBOT, "/O=a/CN=Robot:  - ", NULL, "a@b.org", "a blank" },
		{ ROBOT, "/O=a/CN=Robot: transfer - ann", NULL, NULL,
		    "who answers for it" },
		{ ROBOT, "/O=a/CN=Robot: transfer - ann", "b.org", "a@b.org",
		    "no host name" },
		{ CA, "/O=a/CN=CA 1", NULL, NULL, NULL },
		{ CA, "/O=a/CN=CA 1", "b.org", NULL, "neither" },
		{ PERSON, "/O=a/CN=ann", NULL, NULL, "for persons" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct profile *p = a_profile(table[i].profile);
		const char *const dns[] = { table[i].dns, NULL };
		const char *const mail[] = { table[i].mail, NULL };
		struct fault f = { 0 };
		struct dn subject;
		int result;

		if (dn_read_slash(&subject, table[i].subject, &f) < 0)
			fail_msg("%s", f.text);
		result = name_profile_check(p, &subject, dns, mail, &f);
		free(p);
		if (table[i].says != NULL)
			expect(result, &f, table[i].says);
		else if (result < 0)
			fail_msg("%zu: %s", i, f.text);
	}
}

/* An Extension of ${oid} with ${value}. */
static void
put_extension(struct buf *out, const char *oid, const void *value, size_t len)
{
	size_t one = der_open(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	der_put(out, DER_OCTET_STRING, value, len);
	der_close(out, one);
}

static int
ask(const struct key *key, const char *oid, const char *value, size_t len,
    struct fault *f)
{
	OWN_STRUCT(request) r = probe_request();
	OWN_BUF(list, CSR_MAX);
	OWN_BUF(file, REQUEST_FILE_MAX);
	struct profile *p = a_profile(HOST);
	size_t mark = der_open(&list, DER_SEQUENCE);
	struct dn subject;
	int result;

	put_extension(&list, oid, value, len);
	der_close(&list, mark);
	if (dn_read_slash(&subject, r->subject, f) < 0 ||
	    csr_write(&subject, key, (struct wire_bytes){ list.data, list.len },
		&r->der, f) < 0 ||
	    request_write(r, NULL, &file, f) < 0)
		fail_msg("%s", f->text);
	result = name_request_check(r, p, f);
	free(p);
	return result;
}

#define ASK(oid, value) ask(key, oid, value, sizeof(value) - 1, &f)

static void
what_the_pkcs10_asks_for_is_judged(void **state)
{
	OWN_STRUCT(key) key = probe_key("ec:P-256");
	struct fault f = { 0 };

	(void)state;
	/* subjectAltName: what was asked for, in other letters; something
	 * else; an address; a NUL. */
	assert_int_equal(ASK("2.5.29.17", "\x30\x10\x82\x0eGW.example.org"), 0);
	expect(ASK("2.5.29.17",
		   "\x30\x07\x82\x05"
		   "b.org"),
	    &f, "names b.org, which was not asked for");
	expect(ASK("2.5.29.17", "\x30\x06\x87\x04\x7f\x00\x00\x01"), &f,
	    "GeneralName [7]");
	expect(ASK("2.5.29.17",
		   "\x30\x07\x82\x05"
		   "a\0.org"),
	    &f, "malformed");
	expect(ASK("2.5.29.17",
		   "\x30\x07\x82\x05"
		   "a\0.or"),
	    &f, "a NUL");
	/* basicConstraints. */
	assert_int_equal(ASK("2.5.29.19", "\x30\x00"), 0);
	assert_int_equal(ASK("2.5.29.19", "\x30\x03\x01\x01\x00"), 0);
	expect(ASK("2.5.29.19", "\x30\x03\x01\x01\xff"), &f, "CA:TRUE");
	/* keyUsage. */
	assert_int_equal(ASK("2.5.29.15", "\x03\x02\x07\x80"), 0);
	expect(ASK("2.5.29.15", "\x03\x02\x02\x04"), &f, "keyCertSign");
	/* extKeyUsage: clientAuth, codeSigning, emailProtection. */
	assert_int_equal(ASK("2.5.29.37",
			     "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03"
			     "\x02"),
	    0);
	expect(ASK("2.5.29.37",
		   "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x03"),
	    &f, "the purpose 1.3.6.1.5.5.7.3.3");
	expect(ASK("2.5.29.37",
		   "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04"),
	    &f, "extendedKeyUsage");
	/* subjectKeyIdentifier is made anew; others are not given. */
	assert_int_equal(ASK("2.5.29.14", "\x04\x01\x00"), 0);
	expect(ASK("2.5.29.30", "\x30\x00"), &f, "the extension 2.5.29.30");
	expect(ASK("2.5.29.19", "\x30\x00\x00"), &f, "malformed");
}

static void
our_own_requests_pass(void **state)
{
	OWN_STRUCT(key) key = probe_key("rsa:2048");
	OWN_STRUCT(request) r = probe_request();
	OWN_BUF(file, REQUEST_FILE_MAX);
	struct profile *p = a_profile(HOST "key rsa:2048\n");
	struct profile *more = a_profile(HOST "key rsa:3072 ec:P-256\n");
	struct fault f = { 0 };

	(void)state;
	if (request_write(r, key, &file, &f) < 0 ||
	    name_request_check(r, p, &f) < 0)
		fail_msg("%s", f.text);
	expect(name_request_check(r, more, &f), &f, "3072 are the least");
	free(p);
	free(more);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_names_are_those_of_rfc_1123),
		cmocka_unit_test(a_nul_is_seen),
		cmocka_unit_test(words_are_of_any_script_and_all_seen),
		cmocka_unit_test(mail_addresses_are_dot_strings_at_hosts),
		cmocka_unit_test(each_profile_has_its_names),
		cmocka_unit_test(what_the_pkcs10_asks_for_is_judged),
		cmocka_unit_test(our_own_requests_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
