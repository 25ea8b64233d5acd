#include "x509/csr.h"

#include "base/fault.h"
#include "x509/der.h"

#include <string.h>

#define VERSION 0
#define EXTENSION_REQUEST "1.2.840.113549.1.9.14" /* RFC 2985 5.4.2 */

/* Attributes: a SET OF SEQUENCE { type, SET OF value } (RFC 2986 4.1). */
static bool
attributes_are_good(struct der_in set)
{
	while (set.left > 0) {
		struct der_in one = der_enter(&set, DER_SEQUENCE);
		struct der_in values;

		(void)der_get_oid(&one);
		values = der_enter(&one, DER_SET);
		while (values.left > 0 && !values.failed)
			(void)der_get_whole(&values, 0);
		if (!der_ended(&one) || !der_ended(&values))
			return false;
	}
	return !set.failed;
}

/* CertificationRequestInfo, from its contents. */
static int
read_info(struct csr *csr, struct der_in *info, struct fault *f)
{
	uint64_t version = der_get_u64(info);
	struct wire_bytes subject = der_get_whole(info, DER_SEQUENCE);
	struct wire_bytes spki = der_get_whole(info, DER_SEQUENCE);
	struct der_in attributes;

	/* The attributes are not optional, but some leave them out if there
	 * are none. */
	(void)der_maybe(info, DER_CONTEXT_C(0), &attributes);
	if (!der_ended(info) || version != VERSION ||
	    !attributes_are_good(attributes))
		return fault_set(f, FAULT_INPUT,
		    "malformed certificate request: RFC 2986 4.1");
	csr->attributes.data = attributes.at;
	csr->attributes.len = attributes.left;
	if (dn_read_der(&csr->subject, subject, f) < 0)
		return fault_wrap(f, "subject");
	return spki_read(&csr->spki, spki, f);
}

int
csr_read(struct csr *csr, struct wire_bytes der, struct fault *f)
{
	struct der_in in = DER_IN(der.data, der.len);
	struct der_in request = der_enter(&in, DER_SEQUENCE);
	struct wire_bytes whole = der_get_whole(&request, DER_SEQUENCE);
	struct wire_bytes algorithm = der_get_whole(&request, DER_SEQUENCE);
	struct wire_bytes signature = der_get_bits(&request);
	struct der_in outer = DER_IN(whole.data, whole.len);
	struct der_in info = der_enter(&outer, DER_SEQUENCE);

	if (der.len > CSR_MAX)
		return fault_set(f, FAULT_INPUT,
		    "a certificate request of %zu bytes; %d is the most",
		    der.len, CSR_MAX);
	if (!der_ended(&request) || !der_ended(&in))
		return fault_set(f, FAULT_INPUT,
		    "malformed certificate request: RFC 2986 4.2");
	if (read_info(csr, &info, f) < 0 ||
	    spki_verify(&csr->spki, algorithm, whole, signature, f) < 0)
		return fault_wrap(f, "certificate request");
	return 0;
}

long
csr_length(const uint8_t *data, size_t len, size_t max)
{
	size_t octets, n = 0;

	if (len > 0 && data[0] != DER_SEQUENCE)
		return -1;
	if (len < 2)
		return 0;
	octets = data[1] < 0x80 ? 0 : data[1] & 0x7fu;
	if (octets == 0)
		n = data[1];
	if (octets > 4 || data[1] == 0x80)
		return -1;
	if (len < 2 + octets)
		return 0;
	for (size_t i = 0; i < octets; i++)
		n = n << 8 | data[2 + i];
	/* X.690 10.1: the fewest octets. */
	if (octets > 0 && (n < 0x80 || n >> 8 * (octets - 1) == 0))
		return -1;
	n += 2 + octets;
	return n > max ? -1 : (long)n;
}

/* The extensionRequest attribute, inside [0]. */
static void
put_extensions(struct buf *out, struct wire_bytes extensions)
{
	size_t attribute, values;

	if (extensions.len == 0)
		return;
	attribute = der_open(out, DER_SEQUENCE);
	der_put_oid(out, EXTENSION_REQUEST);
	values = der_open(out, DER_SET);
	buf_put(out, extensions.data, extensions.len);
	der_close(out, values);
	der_close(out, attribute);
}

int
csr_write(const struct dn *subject, const struct key *key,
    struct wire_bytes extensions, struct buf *out, struct fault *f)
{
	OWN_BUF(info, CSR_MAX);
	OWN_BUF(signature, CSR_MAX);
	struct wire_bytes spki = key_spki(key)->der;
	struct wire_bytes algorithm = key_signature_algorithm(key_kind_of(key));
	size_t mark = der_open(&info, DER_SEQUENCE), attributes;

	der_put_u64(&info, VERSION);
	buf_put(&info, subject->der, subject->len);
	buf_put(&info, spki.data, spki.len);
	attributes = der_open(&info, DER_CONTEXT_C(0));
	put_extensions(&info, extensions);
	der_close(&info, attributes);
	der_close(&info, mark);
	if (info.failed)
		return fault_set(f, FAULT_INPUT,
		    "a certificate request of more than %d bytes", CSR_MAX);
	if (key_sign(key, (struct wire_bytes){ info.data, info.len },
		&signature, f) < 0)
		return -1;
	mark = der_open(out, DER_SEQUENCE);
	buf_put(out, info.data, info.len);
	buf_put(out, algorithm.data, algorithm.len);
	der_put_bits(out, signature.data, signature.len);
	der_close(out, mark);
	if (out->failed)
		return fault_set(f, FAULT_INPUT,
		    "no room for a certificate request");
	return 0;
}
