#include "x509/cert_text.h"

#include "x509/cert.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"

#include <openssl/err.h>

#include <limits.h>

/* OpenSSL is told the names of Globus's OIDs, once, as Globus's tools do. */
static void
name_policies(void)
{
	static const struct {
		const char *oid;
		const char *name;
	} names[] = {
		{ "1.3.6.1.4.1.3536.1.1.1.9", "GSI limited proxy" },
		{ "1.3.6.1.4.1.3536.1.222",
		    "Proxy Certificate Info Extension (old OID)" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (OBJ_txt2nid(names[i].oid) == NID_undef)
			(void)OBJ_create(names[i].oid, NULL, names[i].name);
	ERR_clear_error();
}

int
cert_text(const struct cert *cert, bool tight, FILE *out, struct fault *f)
{
	const unsigned long names =
	    tight ? XN_FLAG_COMPAT : XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB;
	const unsigned char *at = cert->der;
	OWN(X509) x = NULL;

	if (tight)
		name_policies();
	if (cert->len > LONG_MAX ||
	    (x = d2i_X509(NULL, &at, (long)cert->len)) == NULL)
		return ossl_fault(f, FAULT_INPUT, "the certificate");
	if (X509_print_ex_fp(out, x, names, X509_FLAG_COMPAT) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "writing the certificate");
	return 0;
}
