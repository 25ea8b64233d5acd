/* Certificates that are read and written are read again, each by itself. */
#include "anchor/anchor_body.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
again(const struct cert *cert)
{
	struct fault f = { 0 };
	struct cert_list list = { 0 };
	OWN_BUF(pem, 4 * CERT_MAX);

	body_cert_put(&pem, cert);
	if (pem.failed ||
	    body_certs(&list, (struct wire_bytes){ pem.data, pem.len }, &f) <
		0 ||
	    list.count != 1 || list.cert[0]->len != cert->len ||
	    memcmp(list.cert[0]->der, cert->der, cert->len) != 0)
		abort();
	cert_list_free(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_bytes body = { data, size }, der = { NULL, 0 };
	struct cert_list list = { 0 };
	struct fault f = { 0 };
	OWN_BUF(decoded, 1u << 20);

	if (body_certs(&list, body, &f) == 0) {
		for (size_t i = 0; i < list.count; i++)
			again(list.cert[i]);
		cert_list_free(&list);
	}
	if (body_crl(body, &decoded, &der, &f) == 0 && der.len > size)
		abort();
	return 0;
}
