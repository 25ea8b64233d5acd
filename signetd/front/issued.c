#include "signetd/front/issued.h"

#include "base/fault.h"
#include "x509/der.h"

#include <stdint.h>

/* Whether issuer and subject are the same bytes: a root, which the other end
 * must have already or should not trust. */
static bool
is_root(struct wire_bytes cert)
{
	struct der_in in = DER_IN(cert.data, cert.len);
	struct der_in outer = der_enter(&in, DER_SEQUENCE);
	struct der_in tbs = der_enter(&outer, DER_SEQUENCE);
	struct wire_bytes issuer, subject;

	if (der_peek(&tbs) == DER_CONTEXT_C(0))
		(void)der_get(&tbs, DER_CONTEXT_C(0));
	(void)der_get(&tbs, DER_INTEGER);
	(void)der_get(&tbs, DER_SEQUENCE);
	issuer = der_get_whole(&tbs, DER_SEQUENCE);
	(void)der_get(&tbs, DER_SEQUENCE);
	subject = der_get_whole(&tbs, DER_SEQUENCE);
	return !tbs.failed && der_bytes_equal(issuer, subject);
}

/* Whether the message ${out}, from ${start} on, holds ${cert} already. */
static bool
is_there(const struct buf *out, size_t start, struct wire_bytes cert)
{
	struct der_in in = DER_IN(out->data + start, out->len - start);

	while (der_peek(&in) != 0)
		if (der_bytes_equal(der_get_whole(&in, DER_SEQUENCE), cert))
			return true;
	return false;
}

int
issued_write(struct wire_bytes certificate, struct wire_bytes chain,
    struct buf *out, struct fault *f)
{
	struct der_in leaf = DER_IN(certificate.data, certificate.len);
	struct der_in in = DER_IN(chain.data, chain.len);
	size_t count_at = out->len;
	unsigned count = 1;

	(void)der_get_whole(&leaf, DER_SEQUENCE);
	buf_put_u8(out, 0);
	buf_put(out, certificate.data, certificate.len);
	while (der_peek(&in) != 0 && !out->failed) {
		struct wire_bytes cert = der_get_whole(&in, DER_SEQUENCE);

		if (in.failed || is_root(cert) ||
		    is_there(out, count_at + 1, cert))
			continue;
		buf_put(out, cert.data, cert.len);
		count++;
	}
	if (!der_ended(&leaf) || !der_ended(&in) || out->failed ||
	    count > UINT8_MAX)
		return fault_set(f, FAULT_INTERNAL,
		    "what the issuer sent are no certificates");
	out->data[count_at] = (uint8_t)count;
	return 0;
}
