#ifndef X509_SPKI_ONCE_H
#define X509_SPKI_ONCE_H

#include "base/wire.h"
#include "x509/spki_rsa.h"

#include <stdbool.h>

/*
 * For spki.c: one verification with a key that is not used again.  The objects
 * that EVP needs for it cost OpenSSL 3.0 an eighth of a verification with
 * P-256 and a third of one with RSA.  Both functions leave what went wrong in
 * OpenSSL's queue; *${usable} says whether there could be such a key.
 */

/**
 * spki_once_ec(nid, point, digest, signature, usable):
 * Whether ${signature} (DER, RFC 3279 2.2.3) over ${digest} is that of
 * ${point}, uncompressed and on the curve ${nid}.
 */
bool spki_once_ec(int nid, struct wire_bytes point, struct wire_bytes digest,
    struct wire_bytes signature, bool *usable);

/**
 * spki_once_rsa(nid, rsa, digest, signature, usable):
 * Whether ${signature} (RFC 8017 8.2) over ${digest}, made with the hash
 * function ${nid}, is that of ${rsa}.
 */
bool spki_once_rsa(int nid, const struct spki_rsa *rsa,
    struct wire_bytes digest, struct wire_bytes signature, bool *usable);

#endif
