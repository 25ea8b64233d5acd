#include "x509/cert_text.h"

#include "x509/cert.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"

#include <limits.h>

int
cert_text(const struct cert *cert, bool tight, FILE *out, struct fault *f)
{
	const unsigned long names =
	    tight ? XN_FLAG_COMPAT : XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB;
	const unsigned char *at = cert->der;
	OWN(X509) x = NULL;

	if (cert->len > LONG_MAX ||
	    (x = d2i_X509(NULL, &at, (long)cert->len)) == NULL)
		return ossl_fault(f, FAULT_INPUT, "the certificate");
	if (X509_print_ex_fp(out, x, names, X509_FLAG_COMPAT) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "writing the certificate");
	return 0;
}
