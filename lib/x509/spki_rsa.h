#ifndef X509_SPKI_RSA_H
#define X509_SPKI_RSA_H

#include "base/checked.h"
#include "base/wire.h"

/* For spki.c and spki_check.c: the numbers of an RSA key. */
struct spki_rsa {
	struct wire_bytes n; /* magnitudes, borrowed */
	struct wire_bytes e;
};

/* From the contents of the BIT STRING (RFC 3279 2.3.1); -1 if malformed. */
CHECKED int spki_rsa(struct wire_bytes bits, struct spki_rsa *rsa);

#endif
