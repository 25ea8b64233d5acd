#ifndef AUTHN_AUTHN_KEY_H
#define AUTHN_AUTHN_KEY_H

#include "base/checked.h"
#include "base/wire.h"
#include "trust/verify.h"

#include <stdbool.h>
#include <time.h>

/*
 * The certificate challenge of MyProxy: the holder of a credential signs 32
 * hexadecimal digits that were made for this conversation alone.
 */
struct fault;

#define AUTHN_KEY_SIGNATURE_MAX 2048
#define AUTHN_KEY_CERTS_MAX 16

/* The client's answer taken apart; borrowed bytes. */
struct authn_key_answer {
	struct wire_bytes signature;
	size_t count;
	struct wire_bytes cert[AUTHN_KEY_CERTS_MAX]; /* DER, leaf first */
};

/**
 * authn_key_read(answer, bytes, f):
 * Take apart the client's answer: a 32-bit length, that many bytes of
 * signature, a count byte, that many certificates in DER.  Nothing may be left
 * over.  FAULT_INPUT if it is anything else.
 */
CHECKED int authn_key_read(struct authn_key_answer *answer,
    struct wire_bytes bytes, struct fault *f);

/**
 * authn_key_check(store, challenge, sha1, answer, now, verdict, f):
 * Check the client's answer to ${challenge}: the signature over its digits by
 * the leaf's key (SHA-256, or SHA-1 with ${sha1}), and the chain against
 * ${store}.  The verdict's identity is who it is; whether a limited proxy is
 * good enough is for the caller to say.  FAULT_INPUT for a malformed answer,
 * FAULT_LOGIN for a wrong signature, else what trust_verify() found.
 */
CHECKED int authn_key_check(const struct trust_store *store,
    const char *challenge, bool sha1, struct wire_bytes answer, time_t now,
    struct trust_verdict *verdict, struct fault *f);

#endif
