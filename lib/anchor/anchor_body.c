#include "anchor/anchor_body.h"

#include "base/fault.h"
#include "x509/der.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"
#include "x509/pem.h"

#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include <string.h>

OWN_FREE(PKCS7, PKCS7_free)

static int
add_cert(struct cert_list *list, struct wire_bytes der, struct fault *f)
{
	if (list->count == CERT_LIST_MAX)
		return fault_set(f, FAULT_INPUT, "more than %d certificates",
		    CERT_LIST_MAX);
	if ((list->cert[list->count] = cert_read(der, f)) == NULL)
		return -1;
	list->count++;
	return 0;
}

/* The certificates of a PKCS#7 bundle ("degenerate", RFC 2315 9.1). */
static int
add_pkcs7(struct cert_list *list, struct wire_bytes der, struct fault *f)
{
	const unsigned char *at = der.data;
	OWN(PKCS7) bundle = d2i_PKCS7(NULL, &at, (long)der.len);
	STACK_OF(X509) *certs = NULL;

	ERR_clear_error();
	if (bundle == NULL || at != der.data + der.len)
		return fault_set(f, FAULT_INPUT, "malformed PKCS#7");
	if (PKCS7_type_is_signed(bundle) && bundle->d.sign != NULL)
		certs = bundle->d.sign->cert;
	for (int i = 0; certs != NULL && i < sk_X509_num(certs); i++) {
		unsigned char *copy = NULL;
		int len = i2d_X509(sk_X509_value(certs, i), &copy);
		int result = -1;

		if (len > 0)
			result = add_cert(list,
			    (struct wire_bytes){ copy, (size_t)len }, f);
		else
			(void)ossl_fault(f, FAULT_INPUT, "PKCS#7");
		OPENSSL_free(copy);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* SEQUENCE { OCTET STRING "certificate", Certificate }: the content, if ${der}
 * is such. */
static bool
netscape(struct wire_bytes der, struct wire_bytes *content)
{
	struct der_in outer = DER_IN(der.data, der.len);
	struct der_in in = der_enter(&outer, DER_SEQUENCE);
	struct wire_bytes word = der_get(&in, DER_OCTET_STRING);

	*content = der_get_whole(&in, DER_SEQUENCE);
	return der_ended(&in) && der_ended(&outer) && word.len == 11 &&
	    memcmp(word.data, "certificate", 11) == 0;
}

/* Whether the first thing inside is an OID, as in PKCS#7's ContentInfo. */
static bool
content_info(struct wire_bytes der)
{
	struct der_in outer = DER_IN(der.data, der.len);
	struct der_in in = der_enter(&outer, DER_SEQUENCE);

	return der_peek(&in) == DER_OID;
}

static int
add_der(struct cert_list *list, struct wire_bytes der, struct fault *f)
{
	struct wire_bytes content;

	if (netscape(der, &content))
		return add_cert(list, content, f);
	return content_info(der) ? add_pkcs7(list, der, f)
				 : add_cert(list, der, f);
}

static int
add_pem(struct cert_list *list, struct wire_bytes body, struct fault *f)
{
	struct pem_block block;
	size_t at = 0;
	int more;

	while ((more = pem_find(body.data, body.len, &at, &block, f)) == 1) {
		OWN_BUF(der, ANCHOR_CERT_BODY_MAX);
		bool bundle = strcmp(block.label, "PKCS7") == 0;
		size_t within = 0;

		if (!bundle && strcmp(block.label, "CERTIFICATE") != 0 &&
		    strcmp(block.label, "X509 CERTIFICATE") != 0)
			continue;
		if (pem_next(block.whole.data, block.whole.len, &within, NULL,
			&der, f) < 0)
			return -1;
		if ((bundle ? add_pkcs7 : add_cert)(list,
			(struct wire_bytes){ der.data, der.len }, f) < 0)
			return -1;
	}
	return more;
}

/* Servers that have lost a file like to send a page instead. */
static bool
looks_like_page(struct wire_bytes body)
{
	size_t at = 0;

	while (at < body.len && strchr(" \t\r\n", body.data[at]) != NULL &&
	    body.data[at] != '\0')
		at++;
	return at < body.len && body.data[at] == '<';
}

int
body_certs(struct cert_list *list, struct wire_bytes body, struct fault *f)
{
	struct cert_list made = { 0 };
	int result;

	if (body.len > ANCHOR_CERT_BODY_MAX)
		return fault_set(f, FAULT_INPUT, "larger than %d bytes",
		    ANCHOR_CERT_BODY_MAX);
	result = body.len > 0 && body.data[0] == DER_SEQUENCE
	    ? add_der(&made, body, f)
	    : add_pem(&made, body, f);
	if (result == 0 && made.count == 0)
		result = fault_set(f, FAULT_INPUT, "no certificate%s",
		    looks_like_page(body) ? ", but a page" : "");
	if (result < 0) {
		cert_list_free(&made);
		return -1;
	}
	*list = made;
	return 0;
}

void
body_cert_put(struct buf *out, const struct cert *cert)
{
	pem_put(out, "CERTIFICATE",
	    (struct wire_bytes){ cert->der, cert->len });
}

int
body_crl(struct wire_bytes body, struct buf *decoded, struct wire_bytes *der,
    struct fault *f)
{
	struct pem_block block;
	size_t at = 0;
	int found;

	if (body.len > 0 && body.data[0] == DER_SEQUENCE) {
		*der = body;
		return 0;
	}
	found = pem_next(body.data, body.len, &at, "X509 CRL", decoded, f);
	if (found == 0)
		return fault_set(f, FAULT_INPUT, "no CRL%s",
		    looks_like_page(body) ? ", but a page" : "");
	if (found < 0)
		return -1;
	while ((found = pem_find(body.data, body.len, &at, &block, f)) == 1)
		if (strcmp(block.label, "X509 CRL") == 0)
			return fault_set(f, FAULT_INPUT, "more than one CRL");
	*der = (struct wire_bytes){ decoded->data, decoded->len };
	return found;
}
