#ifndef AUTHN_AUTHN_KEY_H
#define AUTHN_AUTHN_KEY_H

#include "base/checked.h"
#include "base/wire.h"
#include "trust/verify.h"

#include <stdbool.h>
#include <time.h>

/* The certificate challenge (facts: PROTOCOL 5.2): sign these 32 hex digits. */
struct fault;

/* Check the client's answer (u32 length, signature, count byte, certificates)
 * to ${challenge}: signature with the leaf's key (SHA-256, or SHA-1 with
 * ${sha1}), chain against ${store}.  The verdict's identity is who it is. */
CHECKED int authn_key_check(const struct trust_store *store,
    const char *challenge, bool sha1, struct wire_bytes answer, time_t now,
    struct trust_verdict *verdict, struct fault *f);

#endif
