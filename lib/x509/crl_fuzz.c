/* A CRL that is read says to OpenSSL what it says to us, and walking its
 * entries never fails. */
#include "x509/crl.h"

#include "x509/tbs_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static void
check_entries(const struct crl *crl, X509_CRL *theirs)
{
	STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(theirs);
	struct crl_entry entry;

	must((sk_X509_REVOKED_num(list) > 0) == (crl->revoked.len > 0));
	for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
		const X509_REVOKED *r = sk_X509_REVOKED_value(list, i);
		const ASN1_INTEGER *n = X509_REVOKED_get0_serialNumber(r);
		struct wire_bytes serial = { ASN1_STRING_get0_data(n),
			(size_t)ASN1_STRING_length(n) };

		/* OpenSSL holds zero as one octet, we as none. */
		if (serial.len == 1 && serial.data[0] == 0)
			serial.len = 0;
		must(crl_find(crl, serial, &entry) == 1);
	}
	must(crl_find(crl, (struct wire_bytes){ (const uint8_t *)"\xff", 1 },
		 &entry) >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	struct crl crl;
	const uint8_t *at = data, *issuer = NULL;
	size_t len = 0;
	X509_CRL *theirs;

	if (size > 16384 ||
	    crl_read(&crl, (struct wire_bytes){ data, size }, &f) < 0)
		return 0;
	theirs = d2i_X509_CRL(NULL, &at, (long)size);
	must(theirs != NULL && at == data + size);
	must(X509_NAME_get0_der(X509_CRL_get_issuer(theirs), &issuer, &len) ==
	    1);
	must(len == crl.issuer.len && memcmp(issuer, crl.issuer.der, len) == 0);
	must(probe_time(X509_CRL_get0_lastUpdate(theirs)) == crl.this_update);
	if (X509_CRL_get0_nextUpdate(theirs) != NULL)
		must(probe_time(X509_CRL_get0_nextUpdate(theirs)) ==
		    crl.next_update);
	check_entries(&crl, theirs);
	X509_CRL_free(theirs);
	return 0;
}
