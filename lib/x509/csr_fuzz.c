/*
 * Whatever is taken for a request, OpenSSL takes for one too, of the same
 * subject and key, and finds its signature good.
 */
#include "x509/csr.h"

#include "base/fault.h"
#include "x509/own_ssl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

OWN_FREE(X509_REQ, X509_REQ_free)

static void
check(const struct csr *csr, const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	OWN(X509_REQ) oracle = d2i_X509_REQ(NULL, &at, (long)size);
	unsigned char *name = NULL, *key = NULL;
	int name_len, key_len;

	if (oracle == NULL || at != data + size ||
	    X509_REQ_verify(oracle, X509_REQ_get0_pubkey(oracle)) != 1)
		abort();
	name_len = i2d_X509_NAME(X509_REQ_get_subject_name(oracle), &name);
	key_len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(oracle), &key);
	if (name_len < 0 || (size_t)name_len != csr->subject.len ||
	    memcmp(name, csr->subject.der, csr->subject.len) != 0 ||
	    key_len < 0 || (size_t)key_len != csr->spki.der.len ||
	    memcmp(key, csr->spki.der.data, csr->spki.der.len) != 0)
		abort();
	OPENSSL_free(name);
	OPENSSL_free(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	struct csr csr;
	long length = csr_length(data, size, CSR_MAX);

	if (csr_read(&csr, (struct wire_bytes){ data, size }, &f) < 0)
		return 0;
	if (length != (long)size)
		abort();
	check(&csr, data, size);
	return 0;
}
