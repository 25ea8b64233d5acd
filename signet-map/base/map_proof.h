#ifndef SIGNET_MAP_BASE_MAP_PROOF_H
#define SIGNET_MAP_BASE_MAP_PROOF_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <sys/types.h>

#include <time.h>

/*
 * Proof that who asks holds a certificate's key.  Both sides make the text that
 * is signed from what each knows itself, so that neither can have the other
 * sign or take anything else: the host, for who is root elsewhere could hand a
 * challenge on; the uid that the kernel says; account and name.  The nonce is
 * the desk's, is random, and good for one answer.
 */
struct fault;
struct key;
struct spki;

#define MAP_PROOF_NONCE 33 /* 32 hexadecimal digits and a NUL */

struct map_proof {
	const char *nonce;
	const char *time; /* as the desk said it */
	uid_t uid;
	const char *account;
	const char *name; /* of the certificate, without its proxies */
};

/* The text of this host that is signed; FAULT_INPUT if a part holds what could
 * be taken for another, or is missing. */
CHECKED int map_proof_text(const struct map_proof *p, struct buf *text,
    struct fault *f);

/* Sign it; append base64. */
CHECKED int map_proof_sign(const struct map_proof *p, const struct key *key,
    struct buf *signature, struct fault *f);

/* Whether ${signature}, base64, was made so with the key of ${spki}:
 * FAULT_UNTRUSTED if not. */
CHECKED int map_proof_check(const struct map_proof *p, const struct spki *spki,
    struct wire_bytes signature, struct fault *f);

#endif
