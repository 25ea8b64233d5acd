/* Whatever is taken for a certificate, OpenSSL takes for one too, and the two
 * agree about what it says. */
#include "x509/cert.h"

#include "base/fault.h"
#include "x509/own_ssl.h"

#include <openssl/err.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
check_name(const struct dn *dn, const X509_NAME *name)
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(name, &der);

	must(len >= 0 && (size_t)len == dn->len &&
	    memcmp(der, dn->der, dn->len) == 0);
	OPENSSL_free(der);
}

static void
check_time(time_t when, const ASN1_TIME *time)
{
	struct tm tm;

	must(ASN1_TIME_to_tm(time, &tm) == 1 && timegm(&tm) == when);
}

static void
check_serial(const struct cert *cert, X509 *oracle)
{
	OWN(BIGNUM) number =
	    ASN1_INTEGER_to_BN(X509_get_serialNumber(oracle), NULL);
	uint8_t octets[CERT_SERIAL_MAX];

	must(number != NULL && !BN_is_negative(number) &&
	    (size_t)BN_num_bytes(number) == cert->serial_len);
	(void)BN_bn2bin(number, octets);
	must(memcmp(octets, cert->serial, cert->serial_len) == 0);
}

static void
check_rights(const struct cert *cert, X509 *oracle)
{
	uint32_t flags = X509_get_extension_flags(oracle);
	uint32_t usage = X509_get_key_usage(oracle), ours = 0;

	/* It looks into extensions that we do not read. */
	if ((flags & EXFLAG_INVALID) != 0)
		return;
	for (unsigned i = 0; i < 9; i++)
		if (cert->key_usage & 1u << i)
			ours |= i < 8 ? 0x80u >> i : 0x8000u;
	must(cert->has_key_usage == (usage != UINT32_MAX));
	must(!cert->has_key_usage || usage == ours);
	if (cert->version == 3) {
		must(cert->ca == ((flags & EXFLAG_CA) != 0));
		must(!cert->ca ||
		    cert->path_length == (int)X509_get_pathlen(oracle));
	}
	must(((flags & EXFLAG_PROXY) == 0) ||
	    (cert_is_proxy(cert) && cert->kind <= CERT_PROXY_RESTRICTED));
}

static void
check_alt_names(const struct cert *cert)
{
	for (unsigned tag = 0; tag < 9; tag++) {
		struct wire_bytes name;
		size_t at = 0, before = 0;

		while (cert_alt_name(cert, tag, &at, &name) == 1) {
			must(at > before && at <= cert->alt_names.len);
			before = at;
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	const uint8_t *at = data;
	OWN_STRUCT(cert) cert =
	    cert_read((struct wire_bytes){ data, size }, &f);
	OWN(X509) oracle = NULL;
	char text[CERT_SERIAL_TEXT];

	if (cert == NULL)
		return 0;
	oracle = d2i_X509(NULL, &at, (long)size);
	ERR_clear_error();
	/* Parameters of algorithms that are not ours we do not look into. */
	if (oracle == NULL &&
	    (cert->spki.kind == KEY_OTHER || cert->algorithm.len > 12))
		return 0;
	must(oracle != NULL && at == data + size);
	check_name(&cert->subject, X509_get_subject_name(oracle));
	check_name(&cert->issuer, X509_get_issuer_name(oracle));
	check_time(cert->not_before, X509_get0_notBefore(oracle));
	check_time(cert->not_after, X509_get0_notAfter(oracle));
	check_serial(cert, oracle);
	check_rights(cert, oracle);
	check_alt_names(cert);
	cert_serial_text(cert, text);
	must(strlen(text) >= 2);
	return 0;
}
