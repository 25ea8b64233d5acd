#include "x509/cert.h"

#include "x509/cert_probe.h"
#include "x509/der.h"
#include "x509/pem.h"

#include <openssl/pem.h>

static void
what_a_certificate_says_is_what_openssl_reads_in_it(void **state)
{
	static const char *const keys[] = { "RSA", "P-256", "P-384" };
	static const enum key_kind kinds[] = { KEY_RSA, KEY_P256, KEY_P384 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct cert_probe p = { .key = keys[i],
			.serial = 0x80ff01,
			.subject = "/DC=org/DC=ligo/CN=a@b" };
		OWN(X509) x = cert_probe_make(&p);
		unsigned char *der = NULL;
		int len = i2d_X509(x, &der);
		struct fault f = { 0 };
		OWN_STRUCT(cert) cert = cert_probe_read(der, (size_t)len, &f);
		const ASN1_BIT_STRING *signature;
		char text[256], expected[256];

		assert_non_null(cert);
		assert_int_equal(cert->version, 3);
		assert_int_equal(cert->len, len);
		assert_memory_equal(cert->der, der, cert->len);
		OPENSSL_free(der);
		assert_int_equal(dn_show_slash(&cert->subject, text,
				     sizeof(text)),
		    0);
		X509_NAME_oneline(X509_get_subject_name(x), expected,
		    sizeof(expected));
		assert_string_equal(text, expected);
		assert_int_equal(dn_show_slash(&cert->issuer, text,
				     sizeof(text)),
		    0);
		assert_string_equal(text, "/DC=org/CN=CA");
		assert_int_equal(cert->not_before, PROBE_FROM);
		assert_int_equal(cert->not_after, PROBE_TO);
		assert_int_equal(cert->serial_len, 3);
		assert_memory_equal(cert->serial, "\x80\xff\x01", 3);
		assert_int_equal(cert->spki.kind, kinds[i]);
		X509_get0_signature(&signature, NULL, x);
		assert_int_equal(cert->signature.len, signature->length);
		assert_memory_equal(cert->signature.data, signature->data,
		    cert->signature.len);
		assert_int_equal(cert_check_signature(cert, cert, &f), 0);
		assert_int_equal(cert->path_length, -1);
		assert_false(cert->has_key_usage || cert->has_eku || cert->ca ||
		    cert->unknown_critical);
		assert_int_equal(cert->kind, CERT_EEC);
	}
}

static void
a_certificate_with_a_key_of_another_kind_is_read_and_verifies_nothing(void *
	*state)
{
	static const char *const keys[] = { "ED25519", "P-521" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct cert_probe p = { .key = keys[i] };
		struct fault f = { 0 };
		OWN_STRUCT(cert) cert = cert_probe_cert(&p);

		assert_int_equal(cert->spki.kind, KEY_OTHER);
		assert_int_equal(cert_check_signature(cert, cert, &f), -1);
	}
}

static void
another_key_did_not_make_the_signature(void **state)
{
	struct cert_probe p = { .serial = 1 };
	OWN_STRUCT(cert) cert = cert_probe_cert(&p);
	OWN_STRUCT(cert) other = cert_probe_cert(&p);
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(cert_check_signature(cert, cert, &f), 0);
	assert_int_equal(cert_check_signature(cert, other, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
}

static void
every_cut_and_every_excess_is_refused(void **state)
{
	struct cert_probe p = { .ext = {
				    { "basicConstraints", "critical,CA:TRUE" },
				    { "subjectAltName", "DNS:a.org" } } };
	OWN(X509) x = cert_probe_make(&p);
	unsigned char *der = NULL;
	size_t len = (size_t)i2d_X509(x, &der);
	OWN_BUF(longer, 4096);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		struct fault f = { 0 };

		assert_null(cert_probe_read(der, cut, &f));
		assert_int_equal(f.code, FAULT_INPUT);
	}
	buf_put(&longer, der, len);
	buf_put_u8(&longer, 0);
	OPENSSL_free(der);
	{
		struct fault f = { 0 };

		assert_null(cert_probe_read(longer.data, longer.len, &f));
	}
}

/* The parts of a TBSCertificate as they stand. */
enum part {
	VERSION,
	SERIAL,
	ALGORITHM,
	ISSUER,
	VALIDITY,
	SUBJECT,
	SPKI,
	REST,
	PARTS
};

static const char sha256_rsa[] =
    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
static const char sha384_rsa[] =
    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00";
#define A_NAME "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
#define A_TIME     \
	"\x17\x0d" \
	"260101000000Z"
#define AN_EXT(oid) "\x30\x09\x06\x03\x55\x1d" oid "\x04\x02\x05\x00"

struct piece {
	const char *data;
	size_t len;
};
#define PIECE(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct piece good[PARTS] = {
	[VERSION] = PIECE("\xa0\x03\x02\x01\x02"),
	[SERIAL] = PIECE("\x02\x01\x01"),
	[ALGORITHM] = PIECE(sha256_rsa),
	[ISSUER] = PIECE(A_NAME "i"),
	[VALIDITY] = PIECE("\x30\x1e" A_TIME A_TIME),
	[SUBJECT] = PIECE(A_NAME "s"),
	[SPKI] = PIECE("\x30\x0a\x30\x05\x06\x03\x2b\x65\x70\x03\x01\x00"),
	[REST] = PIECE("\xa3\x0d\x30\x0b" AN_EXT("\x63")),
};

/* Whether the certificate with ${piece} in place of ${part} is read. */
static bool
reads_with(enum part part, const struct piece *piece)
{
	OWN_BUF(der, CERT_MAX);
	OWN_STRUCT(cert) cert = NULL;
	struct fault f = { 0 };
	size_t outer = der_open(&der, DER_SEQUENCE);
	size_t tbs = der_open(&der, DER_SEQUENCE);

	for (int i = 0; i < PARTS; i++)
		if (i == (int)part)
			buf_put(&der, piece->data, piece->len);
		else
			buf_put(&der, good[i].data, good[i].len);
	der_close(&der, tbs);
	buf_put(&der, sha256_rsa, sizeof(sha256_rsa) - 1);
	der_put_bits(&der, "sig", 3);
	der_close(&der, outer);
	assert_false(der.failed);
	cert = cert_probe_read(der.data, der.len, &f);
	if (cert == NULL)
		assert_int_equal(f.code, FAULT_INPUT);
	return cert != NULL;
}

static void
each_part_has_its_forms(void **state)
{
	static const struct {
		enum part part;
		struct piece piece;
		bool good;
	} cases[] = {
		{ VERSION, PIECE("\xa0\x03\x02\x01\x02"), true },
		{ VERSION, PIECE(""), false }, /* v1 with extensions */
		{ VERSION, PIECE("\xa0\x03\x02\x01\x00"), false },
		{ VERSION, PIECE("\xa0\x03\x02\x01\x01"), false },
		{ VERSION, PIECE("\xa0\x03\x02\x01\x03"), false },
		{ VERSION, PIECE("\xa0\x06\x02\x01\x02\x02\x01\x02"), false },
		{ SERIAL, PIECE("\x02\x01\x00"), true },
		{ SERIAL,
		    PIECE("\x02\x14\x7f"
			  "0123456789012345678"),
		    true },
		{ SERIAL,
		    PIECE("\x02\x15\x00\xff"
			  "0123456789012345678"),
		    true },
		{ SERIAL,
		    PIECE("\x02\x15\x7f"
			  "01234567890123456789"),
		    false },
		{ SERIAL, PIECE("\x02\x01\x81"), false },
		{ SERIAL, PIECE("\x02\x02\x00\x01"), false },
		{ SERIAL, PIECE("\x02\x00"), false },
		{ ALGORITHM, PIECE(sha384_rsa), false },
		{ ALGORITHM, PIECE("\x30\x00"), false },
		{ ISSUER, PIECE("\x30\x00"), false },
		{ ISSUER, PIECE("\x30\x02\x31\x00"), false },
		{ SUBJECT, PIECE("\x30\x00"), true },
		{ SUBJECT, PIECE("\x30\x02\x31\x00"), false },
		{ VALIDITY, PIECE("\x30\x0f" A_TIME), false },
		{ VALIDITY, PIECE("\x30\x20" A_TIME A_TIME "\x05\x00"), false },
		{ VALIDITY,
		    PIECE("\x30\x20" A_TIME "\x18\x0f"
			  "20260101000000Z"),
		    false },
		{ VALIDITY,
		    PIECE("\x30\x20" A_TIME "\x18\x0f"
			  "20500101000000Z"),
		    true },
		{ SPKI, PIECE("\x30\x00"), false },
		{ SPKI, PIECE("\x30\x02\x30\x00"), false },
		{ REST, PIECE(""), true },
		{ REST, PIECE("\x81\x02\x00x\x82\x02\x00y"), true },
		{ REST, PIECE("\x82\x02\x00y\x81\x02\x00x"), false },
		{ REST, PIECE("\x81\x02\x04\xf0"), true },
		{ REST, PIECE("\x81\x02\x04\xf8"), false },
		{ REST, PIECE("\x81\x02\x08x"), false },
		{ REST, PIECE("\x81\x01\x00"), true },
		{ REST, PIECE("\x81\x01\x01"), false },
		{ REST, PIECE("\x82\x00"), false },
		{ REST, PIECE("\xa3\x02\x30\x00"), false },
		{ REST, PIECE("\xa3\x00"), false },
		{ REST, PIECE("\xa3\x18\x30\x16" AN_EXT("\x63") AN_EXT("\x64")),
		    true },
		{ REST, PIECE("\xa3\x18\x30\x16" AN_EXT("\x63") AN_EXT("\x63")),
		    false },
		{ REST, PIECE("\xa3\x0d\x30\x0b" AN_EXT("\x63") "\x05\x00"),
		    false },
		{ REST, PIECE("\x05\x00"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (reads_with(cases[i].part, &cases[i].piece) != cases[i].good)
			fail_msg("case %zu", i);
}

static void
more_extensions_than_anyone_has_are_refused(void **state)
{
	(void)state;
	for (unsigned count = 64; count <= 65; count++) {
		OWN_BUF(rest, CERT_MAX);
		size_t tagged = der_open(&rest, DER_CONTEXT_C(3));
		size_t list = der_open(&rest, DER_SEQUENCE);
		struct piece piece;

		for (unsigned i = 0; i < count; i++) {
			size_t one = der_open(&rest, DER_SEQUENCE);
			uint8_t oid[] = { 0x2a, 0x03, (uint8_t)i };

			der_put(&rest, DER_OID, oid, sizeof(oid));
			der_put(&rest, DER_OCTET_STRING, "x", 1);
			der_close(&rest, one);
		}
		der_close(&rest, list);
		der_close(&rest, tagged);
		/* The value is DER, whatever it means. */
		piece = (struct piece){ (const char *)rest.data, rest.len };
		assert_int_equal(reads_with(REST, &piece), count == 64);
	}
}

/* Append ${count} certificates as PEM. */
static void
put_pem(struct buf *pem, const char *label, int count)
{
	struct cert_probe p = { .serial = 7 };
	OWN_STRUCT(cert) cert = cert_probe_cert(&p);

	for (int i = 0; i < count; i++)
		pem_put(pem, label,
		    (struct wire_bytes){ cert->der, cert->len });
}

static void
certificates_are_picked_out_of_a_file_in_order(void **state)
{
	OWN_BUF(pem, 1 << 20);
	struct fault f = { 0 };
	struct cert_list list;

	(void)state;
	put_pem(&pem, "CERTIFICATE", 1);
	buf_text(&pem,
	    "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"
	    "\ntext\n");
	put_pem(&pem, "X509 CERTIFICATE", 1);
	assert_int_equal(cert_list_read_pem(&list, pem.data, pem.len, &f), 0);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.cert[1]->serial[0], 7);
	cert_list_free(&list);
	assert_int_equal(list.count, 0);
	assert_int_equal(cert_list_read_pem(&list, "", 0, &f), 0);
	assert_int_equal(list.count, 0);
}

static void
a_file_with_a_bad_or_one_certificate_too_many_is_refused(void **state)
{
	OWN_BUF(full, 1 << 20);
	OWN_BUF(bad, 1 << 20);
	struct fault f = { 0 };
	struct cert_list list;

	(void)state;
	put_pem(&full, "CERTIFICATE", CERT_LIST_MAX);
	assert_int_equal(cert_list_read_pem(&list, full.data, full.len, &f), 0);
	assert_int_equal(list.count, CERT_LIST_MAX);
	cert_list_free(&list);
	put_pem(&full, "CERTIFICATE", 1);
	assert_int_equal(cert_list_read_pem(&list, full.data, full.len, &f),
	    -1);
	assert_int_equal(list.count, 0);
	put_pem(&bad, "CERTIFICATE", 1);
	buf_text(&bad,
	    "-----BEGIN CERTIFICATE-----\nMAA=\n"
	    "-----END CERTIFICATE-----\n");
	assert_int_equal(cert_list_read_pem(&list, bad.data, bad.len, &f), -1);
	assert_int_equal(list.count, 0);
	assert_non_null(strstr(f.text, "certificate 2"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_a_certificate_says_is_what_openssl_reads_in_it),
		cmocka_unit_test(
		    a_certificate_with_a_key_of_another_kind_is_read_and_verifies_nothing),
		cmocka_unit_test(another_key_did_not_make_the_signature),
		cmocka_unit_test(every_cut_and_every_excess_is_refused),
		cmocka_unit_test(each_part_has_its_forms),
		cmocka_unit_test(more_extensions_than_anyone_has_are_refused),
		cmocka_unit_test(
		    certificates_are_picked_out_of_a_file_in_order),
		cmocka_unit_test(
		    a_file_with_a_bad_or_one_certificate_too_many_is_refused),
	};

	return cmocka_run_group_tests_name("x509/cert", tests, NULL, NULL);
}
