#ifndef X509_SPKI_EC_H
#define X509_SPKI_EC_H

#include "base/wire.h"

#include <stdbool.h>

/*
 * ECDSA for spki.c, without the objects of EVP: to make one for a public key
 * that is used once costs OpenSSL 3.0 an eighth of the verification.
 */

/**
 * spki_ec_verify(nid, point, digest, signature, on_curve):
 * Whether ${signature} (DER, RFC 3279 2.2.3) is that of the holder of
 * ${point}, uncompressed and on the curve ${nid}, over ${digest}.  *${on_curve}
 * says whether it is on it.  What went wrong is left in OpenSSL's queue.
 */
bool spki_ec_verify(int nid, struct wire_bytes point, struct wire_bytes digest,
    struct wire_bytes signature, bool *on_curve);

#endif
