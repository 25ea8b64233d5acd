#ifndef X509_KEY_SSL_H
#define X509_KEY_SSL_H

/* Keys as OpenSSL holds them.  Only rooms that link libcrypto include this. */

#include "x509/key.h"

#include <openssl/evp.h>

/* A key of ours from ${pkey}, which is taken over, on failure too.  FAULT_KEY
 * if it is of a kind we do not use. */
CHECKED struct key *key_take(EVP_PKEY *pkey, struct fault *f);

/* ${key} as OpenSSL holds it: borrowed.  NULL if it is a foreign one. */
EVP_PKEY *key_pkey(const struct key *key);

/* A public key that OpenSSL can use, without its decoders; EVP_PKEY_free() it.
 * NULL and FAULT_KEY if the point is not on its curve, or for KEY_OTHER. */
CHECKED EVP_PKEY *spki_pkey(const struct spki *spki, struct fault *f);

/* The digest of a signature ${algorithm} that spki_verify knows; else NULL. */
const EVP_MD *spki_digest(struct wire_bytes algorithm);

#endif
