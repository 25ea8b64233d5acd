#include "anchor/anchor_body.h"

#include "anchor/anchor_probe.h"

#include <openssl/pkcs7.h>

static X509 *
root(struct pki *p)
{
	pki_init(p);
	pki_make(p);
	return p->cert[ROOT];
}

/* How many certificates ${body} has; -1 if it is refused. */
static int
count(struct wire_bytes body)
{
	struct cert_list list = { 0 };
	struct fault f = { 0 };
	int result = -1;

	if (body_certs(&list, body, &f) == 0)
		result = (int)list.count;
	else
		assert_int_equal(f.code, FAULT_INPUT);
	cert_list_free(&list);
	return result;
}

static void
every_form_is_read(void **state)
{
	struct pki p;
	X509 *x = root(&p);
	PKCS7 *bundle = PKCS7_new();
	unsigned char *der = NULL, *p7 = NULL;
	int len = i2d_X509(x, &der), p7_len;
	OWN_BUF(out, 65536);
	size_t mark;

	(void)state;
	assert_int_equal(count((struct wire_bytes){ der, (size_t)len }), 1);
	/* One octet more is no certificate. */
	buf_put(&out, der, (size_t)len);
	buf_put_u8(&out, 0);
	assert_int_equal(count((struct wire_bytes){ out.data, out.len }), -1);
	buf_clear(&out);
	mark = der_open(&out, DER_SEQUENCE);
	der_put(&out, DER_OCTET_STRING, "certificate", 11);
	buf_put(&out, der, (size_t)len);
	der_close(&out, mark);
	assert_int_equal(count((struct wire_bytes){ out.data, out.len }), 1);
	assert_int_equal(PKCS7_set_type(bundle, NID_pkcs7_signed), 1);
	assert_int_equal(PKCS7_content_new(bundle, NID_pkcs7_data), 1);
	assert_int_equal(PKCS7_add_certificate(bundle, x), 1);
	assert_int_equal(PKCS7_add_certificate(bundle, p.cert[SUB]), 1);
	assert_true((p7_len = i2d_PKCS7(bundle, &p7)) > 0);
	assert_int_equal(count((struct wire_bytes){ p7, (size_t)p7_len }), 2);
	OPENSSL_free(der);
	OPENSSL_free(p7);
	PKCS7_free(bundle);
	pki_free(&p);
}

static void
what_is_no_certificate_is_refused(void **state)
{
	static const char short_one[] =
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	static const char *const bodies[] = { "", " ", "<html></html>",
		short_one, "-----BEGIN CERTIFICATE-----\n", "0",
		"\x30\x03\x06\x01\x01" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(count((struct wire_bytes){
				     (const uint8_t *)bodies[i],
				     strlen(bodies[i]) }),
		    -1);
}

static void
exactly_one_list_is_taken(void **state)
{
	static const char one[] =
	    "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
	OWN_BUF(text, 4096);
	OWN_BUF(decoded, 4096);
	struct wire_bytes der = { NULL, 0 };
	struct fault f = { 0 };

	(void)state;
	buf_text(&text, one);
	assert_int_equal(body_crl((struct wire_bytes){ text.data, text.len },
			     &decoded, &der, &f),
	    0);
	assert_int_equal(der.len, 2);
	buf_text(&text, one);
	buf_clear(&decoded);
	assert_int_equal(body_crl((struct wire_bytes){ text.data, text.len },
			     &decoded, &der, &f),
	    -1);
	assert_int_equal(body_crl((struct wire_bytes){ NULL, 0 }, &decoded,
			     &der, &f),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(what_is_no_certificate_is_refused),
		cmocka_unit_test(exactly_one_list_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
