#include "x509/cert.h"
#include "x509/cert_probe.h"

static void
serials_show_as_openssl_shows_them(void **state)
{
	static const struct {
		long serial;
		const char *text;
	} cases[] = { { 0, "00" }, { 1, "01" }, { 0x80, "80" },
		{ 0xabcdef, "abcdef" }, { 0x123, "0123" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cert_probe p = { .serial = cases[i].serial };
		OWN_STRUCT(cert) cert = cert_probe_cert(&p);
		char text[CERT_SERIAL_TEXT];

		cert_serial_text(cert, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void
the_longest_serial_fits_its_text(void **state)
{
	struct cert cert = { .serial_len = CERT_SERIAL_MAX + 1 };
	char text[CERT_SERIAL_TEXT];

	(void)state;
	memset(cert.serial, 0xff, sizeof(cert.serial));
	cert_serial_text(&cert, text);
	assert_int_equal(strlen(text), CERT_SERIAL_TEXT - 1);
}

/* The names of ${tag}, with commas between them. */
static void
names_of(const struct cert *cert, unsigned tag, char *text, size_t size)
{
	struct wire_bytes name;
	size_t at = 0, len = 0;
	int more;

	text[0] = '\0';
	while ((more = cert_alt_name(cert, tag, &at, &name)) == 1)
		len += (size_t)snprintf(text + len, size - len, "%.*s,",
		    (int)name.len, (const char *)name.data);
	assert_int_equal(more, 0);
	assert_int_equal(cert_alt_name(cert, tag, &at, &name), 0);
}

static void
alternative_names_come_by_kind_and_in_order(void **state)
{
	struct cert_probe p = {
		.ext = { { "subjectAltName",
		    "DNS:a.org,email:x@a.org,DNS:*.b.org,URI:https://c.org/d,"
		    "IP:65.66.67.68,otherName:1.2.3.4;UTF8:y" } }
	};
	OWN_STRUCT(cert) cert = cert_probe_cert(&p);
	char text[128];

	(void)state;
	names_of(cert, 2, text, sizeof(text));
	assert_string_equal(text, "a.org,*.b.org,");
	names_of(cert, 1, text, sizeof(text));
	assert_string_equal(text, "x@a.org,");
	names_of(cert, 6, text, sizeof(text));
	assert_string_equal(text, "https://c.org/d,");
	names_of(cert, 7, text, sizeof(text));
	assert_string_equal(text, "ABCD,");
}

static void
a_certificate_without_them_has_none(void **state)
{
	struct cert_probe p = { .serial = 1 };
	OWN_STRUCT(cert) cert = cert_probe_cert(&p);
	char text[8];

	(void)state;
	names_of(cert, 2, text, sizeof(text));
	assert_string_equal(text, "");
}

static void
a_host_name_with_a_nul_or_a_blank_in_it_is_malformed(void **state)
{
	static const char *const bad[] = {
		"DER:30098207612e6f72670062", /* "a.org\0b" */
		"DER:30078205612e206f72",     /* "a. or" */
		"DER:30028200",		      /* "" */
		"DER:30078205612e6fc3a9",     /* not ASCII */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cert_probe p = { .ext = {
					    { "subjectAltName", bad[i] } } };
		OWN_STRUCT(cert) cert = cert_probe_cert(&p);
		struct wire_bytes name;
		size_t at = 0;

		assert_int_equal(cert_alt_name(cert, 2, &at, &name), -1);
		at = 0;
		assert_int_equal(cert_alt_name(cert, 1, &at, &name), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serials_show_as_openssl_shows_them),
		cmocka_unit_test(the_longest_serial_fits_its_text),
		cmocka_unit_test(alternative_names_come_by_kind_and_in_order),
		cmocka_unit_test(a_certificate_without_them_has_none),
		cmocka_unit_test(
		    a_host_name_with_a_nul_or_a_blank_in_it_is_malformed),
	};

	return cmocka_run_group_tests_name("x509/cert_show", tests, NULL, NULL);
}
