/* Certificates: the walk.  cert_ext.c reads extensions, cert_kind.c tells
 * proxies, CAs and end entities apart, cert_show.c answers questions. */
#include "x509/cert.h"

#include "base/fault.h"
#include "x509/cert_part.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>

/* AlgorithmIdentifier (RFC 5280 4.1.1.2), whole. */
static struct wire_bytes
get_algorithm(struct der_in *in)
{
	struct wire_bytes whole = der_get_whole(in, DER_SEQUENCE);
	struct der_in outer = DER_IN(whole.data, whole.len);
	struct der_in inner = der_enter(&outer, DER_SEQUENCE);

	(void)der_get_oid(&inner);
	if (inner.left > 0)
		(void)der_get_whole(&inner, 0);
	if (!der_ended(&inner))
		in->failed = true;
	return whole;
}

/* Version, and what must follow from it. */
static unsigned
get_version(struct der_in *tbs)
{
	struct der_in inner;
	uint64_t version;

	if (!der_maybe(tbs, DER_CONTEXT_C(0), &inner))
		return 1;
	version = der_get_u64(&inner);
	/* v1 is the default, which DER leaves out. */
	if (!der_ended(&inner) || version < 1 || version > 2) {
		tbs->failed = true;
		return 0;
	}
	return (unsigned)version + 1;
}

static int
get_serial(struct cert *cert, struct der_in *tbs, struct fault *f)
{
	struct wire_bytes serial = der_get_unsigned(tbs);

	if (tbs->failed || serial.len > CERT_SERIAL_MAX)
		return fault_set(f, FAULT_INPUT,
		    "RFC 5280 4.1.2.2: serial number negative or of more than "
		    "%d octets",
		    CERT_SERIAL_MAX);
	if (serial.len > 0)
		memcpy(cert->serial, serial.data, serial.len);
	cert->serial_len = serial.len;
	return 0;
}

static int
get_name(struct dn *dn, struct der_in *tbs, const char *which, struct fault *f)
{
	struct wire_bytes name = der_get_whole(tbs, DER_SEQUENCE);

	if (dn_read_der(dn, name, f) < 0)
		return fault_wrap(f, "%s", which);
	return 0;
}

static int
get_validity(struct cert *cert, struct der_in *tbs, struct fault *f)
{
	struct der_in validity = der_enter(tbs, DER_SEQUENCE);

	cert->not_before = der_get_time(&validity);
	cert->not_after = der_get_time(&validity);
	if (!der_ended(&validity))
		return fault_set(f, FAULT_INPUT,
		    "RFC 5280 4.1.2.5: malformed validity");
	return 0;
}

/* A unique identifier (RFC 5280 4.1.2.8): out of use, and of no meaning to us,
 * but an IMPLICIT BIT STRING all the same. */
static void
pass_unique_id(struct der_in *tbs, uint8_t n)
{
	struct wire_bytes bits;
	unsigned padding;

	if (der_peek(tbs) != DER_CONTEXT(n))
		return;
	bits = der_get(tbs, DER_CONTEXT(n));
	padding = bits.len > 0 ? bits.data[0] : 8;
	/* X.690 11.2.1: padding is zero. */
	if (padding > 7 || (padding > 0 && bits.len == 1) ||
	    (bits.data[bits.len - 1] & ((1u << padding) - 1)) != 0)
		tbs->failed = true;
}

/* What is optional and follows the key. */
static int
get_rest(struct cert *cert, struct der_in *tbs, struct cert_proxy_info *info,
    struct fault *f)
{
	struct der_in tagged = { NULL, 0, false };
	struct der_in extensions = { NULL, 0, false };

	for (uint8_t n = 1; n <= 2; n++)
		pass_unique_id(tbs, n);
	if (der_maybe(tbs, DER_CONTEXT_C(3), &tagged)) {
		extensions = der_enter(&tagged, DER_SEQUENCE);
		if (cert->version != 3 || !der_ended(&tagged) ||
		    extensions.left == 0)
			return fault_set(f, FAULT_INPUT,
			    "RFC 5280 4.1.2.9: malformed extensions");
	}
	if (!der_ended(tbs))
		return fault_set(f, FAULT_INPUT,
		    "RFC 5280 4.1: malformed TBSCertificate");
	return cert_read_extensions(cert, extensions, info, f);
}

static int
read_tbs(struct cert *cert, struct fault *f)
{
	struct der_in in = DER_IN(cert->tbs.data, cert->tbs.len);
	struct der_in tbs = der_enter(&in, DER_SEQUENCE);
	struct cert_proxy_info info = { .path_length = -1 };
	struct wire_bytes algorithm;

	cert->version = get_version(&tbs);
	if (get_serial(cert, &tbs, f) < 0)
		return -1;
	algorithm = get_algorithm(&tbs);
	if (!der_bytes_equal(algorithm, cert->algorithm))
		return fault_set(f, FAULT_INPUT,
		    "RFC 5280 4.1.1.2: two different signature algorithms");
	if (get_name(&cert->issuer, &tbs, "issuer", f) < 0 ||
	    get_validity(cert, &tbs, f) < 0 ||
	    get_name(&cert->subject, &tbs, "subject", f) < 0 ||
	    spki_read_any(&cert->spki, der_get_whole(&tbs, DER_SEQUENCE), f) <
		0 ||
	    get_rest(cert, &tbs, &info, f) < 0)
		return -1;
	if (dn_depth(&cert->issuer) == 0)
		return fault_set(f, FAULT_INPUT,
		    "RFC 5280 4.1.2.4: no issuer name");
	return cert_set_kind(cert, &info, f);
}

static int
read_cert(struct cert *cert, struct fault *f)
{
	struct der_in in = DER_IN(cert->der, cert->len);
	struct der_in outer = der_enter(&in, DER_SEQUENCE);

	cert->tbs = der_get_whole(&outer, DER_SEQUENCE);
	cert->algorithm = get_algorithm(&outer);
	cert->signature = der_get_bits(&outer);
	if (!der_ended(&outer) || !der_ended(&in))
		return fault_set(f, FAULT_INPUT,
		    "RFC 5280 4.1: malformed certificate");
	return read_tbs(cert, f);
}

struct cert *
cert_read(struct wire_bytes der, struct fault *f)
{
	OWN_STRUCT(cert) cert = NULL;

	if (der.len == 0 || der.len > CERT_MAX) {
		(void)fault_set(f, FAULT_INPUT, "a certificate of %zu bytes",
		    der.len);
		return NULL;
	}
	if ((cert = calloc(1, sizeof(*cert))) == NULL ||
	    (cert->der = malloc(der.len)) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a certificate");
		return NULL;
	}
	memcpy(cert->der, der.data, der.len);
	cert->len = der.len;
	cert->path_length = -1;
	if (read_cert(cert, f) < 0) {
		/* Whose it is does not matter to the caller's rules. */
		f->code = f->code == FAULT_MEMORY ? FAULT_MEMORY : FAULT_INPUT;
		return NULL;
	}
	return TAKE(cert);
}

void
cert_free(struct cert *cert)
{
	if (cert == NULL)
		return;
	free(cert->der);
	free(cert);
}

/* Add the certificate of ${block} to ${list}. */
static int
add_block(struct cert_list *list, const struct pem_block *block,
    struct fault *f)
{
	OWN_BUF(der, CERT_MAX);
	size_t at = 0;

	if (list->count == CERT_LIST_MAX)
		return fault_set(f, FAULT_INPUT,
		    "more than %d certificates in one file", CERT_LIST_MAX);
	if (pem_next(block->whole.data, block->whole.len, &at, NULL, &der, f) !=
	    1)
		return -1;
	list->cert[list->count] =
	    cert_read((struct wire_bytes){ der.data, der.len }, f);
	if (list->cert[list->count] == NULL)
		return fault_wrap(f, "certificate %zu", list->count + 1);
	list->count++;
	return 0;
}

int
cert_list_read_pem(struct cert_list *list, const void *pem, size_t len,
    struct fault *f)
{
	struct pem_block block;
	size_t at = 0;
	int found;

	memset(list, 0, sizeof(*list));
	while ((found = pem_find(pem, len, &at, &block, f)) == 1) {
		if (strcmp(block.label, "CERTIFICATE") != 0 &&
		    strcmp(block.label, "X509 CERTIFICATE") != 0)
			continue;
		if ((found = add_block(list, &block, f)) < 0)
			break;
	}
	if (found < 0)
		cert_list_free(list);
	return found;
}

void
cert_list_free(struct cert_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		cert_free(list->cert[i]);
	list->count = 0;
}
