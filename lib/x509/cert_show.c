/* Answers about a certificate. */
#include "base/fault.h"
#include "base/text.h"
#include "x509/cert.h"
#include "x509/der.h"

#include <string.h>

#define TAG_ADDRESS 7

int
cert_check_signature(const struct cert *cert, const struct cert *issuer,
    struct fault *f)
{
	return spki_verify(&issuer->spki, cert->algorithm, cert->tbs,
	    cert->signature, f);
}

void
cert_serial_text(const struct cert *cert, char text[CERT_SERIAL_TEXT])
{
	static const uint8_t zero = 0;

	if (cert->serial_len == 0)
		text_hex(&zero, 1, text);
	else
		text_hex(cert->serial, cert->serial_len, text);
}

/* Whether all of it is printable ASCII: a NUL or a blank in a host name is
 * there to deceive. */
static bool
is_plain(struct wire_bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] <= 0x20 || name.data[i] >= 0x7f)
			return false;
	return name.len > 0;
}

int
cert_alt_name(const struct cert *cert, unsigned tag, size_t *at,
    struct wire_bytes *name)
{
	struct der_in in;

	while (*at < cert->alt_names.len) {
		in = DER_IN(cert->alt_names.data + *at,
		    cert->alt_names.len - *at);
		if (der_peek(&in) != (uint8_t)DER_CONTEXT(tag)) {
			(void)der_get_whole(&in, 0);
			if (in.failed)
				return -1;
			*at = cert->alt_names.len - in.left;
			continue;
		}
		*name = der_get(&in, (uint8_t)DER_CONTEXT(tag));
		if (in.failed || (tag != TAG_ADDRESS && !is_plain(*name)))
			return -1;
		*at = cert->alt_names.len - in.left;
		return 1;
	}
	return 0;
}
