#ifndef X509_KEY_HASH_H
#define X509_KEY_HASH_H

#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"
#include "x509/key.h"

#include <stdbool.h>

/*
 * A signature over what is too long to be hashed at once: its digest is made
 * piece by piece, then signed or checked.  The same as key_sign and
 * spki_verify with the algorithm of key_signature_algorithm.
 */
struct fault;
struct key_hash;

#define KEY_HASH_MAX 64

/* The digest that a key of ${kind} signs: SHA-384 for P-384, else SHA-256. */
CHECKED struct key_hash *key_hash_new(enum key_kind kind, struct fault *f);
/* The digest of a signature ${algorithm}: FAULT_UNSUPPORTED for one that
 * spki_verify does not know. */
CHECKED struct key_hash *key_hash_for(struct wire_bytes algorithm,
    struct fault *f);
void key_hash_free(struct key_hash *hash);

void key_hash_add(struct key_hash *hash, struct wire_bytes data);

/* The digest; ${hash} takes no more. */
CHECKED int key_hash_end(struct key_hash *hash, uint8_t digest[KEY_HASH_MAX],
    size_t *len, struct fault *f);

/* Append ${key}'s signature over all that was added; or see that ${signature}
 * is that of ${spki}'s key (FAULT_INPUT if it is not).  ${hash} takes no
 * more. */
CHECKED int key_hash_sign(struct key_hash *hash, const struct key *key,
    struct buf *signature, struct fault *f);
CHECKED int key_hash_verify(struct key_hash *hash, const struct spki *spki,
    struct wire_bytes signature, struct fault *f);

/* The same of a digest that was made before. */
CHECKED int key_digest_verify(const struct spki *spki, struct wire_bytes digest,
    struct wire_bytes signature, struct fault *f);

OWN_FREE_STRUCT(key_hash, key_hash_free)

#endif
