#ifndef SIGNETD_SIGNER_GATE_H
#define SIGNETD_SIGNER_GATE_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"
#include "conf/conf.h"
#include "x509/authority.h"
#include "x509/key.h"
#include "x509/key_hash.h"

#include <stdbool.h>
#include <time.h>

/*
 * The last gate: CAs and their keys, and what each may sign.  Nothing is
 * signed that tbs_check or tbs_crl_step has not understood to the last byte.
 * A key in a token signs elsewhere: then the gate makes the digest of what it
 * has understood, and sees that what comes back is the CA's signature on it.
 */
struct fault;
struct gate;

#define GATE_CAS_MAX CONF_LIST_MAX

CHECKED struct gate *gate_new(struct fault *f);
void gate_free(struct gate *gate);

/**
 * gate_add(gate, conf, cert, key, phrase, old, f):
 * One more CA, from the texts of its ca.conf, certificate and key, and the pass
 * phrase of an encrypted key (FAULT_LOGIN if it is wrong).  An empty
 * ${key} means the key that ${old} has for a CA with the same public key: a
 * certificate is renewed without its key being read again.  FAULT_CONFIG if
 * key and certificate do not belong together, or the name is taken.  If its
 * key is in a token, ${key} is not looked at, and the certificate's key must be
 * that of ${old}.
 */
CHECKED int gate_add(struct gate *gate, struct wire_bytes conf,
    struct wire_bytes cert, struct wire_bytes key, struct wire_bytes phrase,
    const struct gate *old, struct fault *f);

/* Move what gate_add took from ${old} out of it, so that ${old} can go. */
void gate_take_over(struct gate *gate, struct gate *old);

size_t gate_count(const struct gate *gate);

/**
 * gate_sign(gate, ca, tbs, now, signature, f):
 * Append to ${signature} that of the CA named ${ca} over ${tbs}, a certificate,
 * if it may sign that.  FAULT_DENIED says which rule forbids it.
 */
CHECKED int gate_sign(const struct gate *gate, const char *ca,
    struct wire_bytes tbs, time_t now, struct buf *signature, struct fault *f);

/* Whether the key of CA n, in the order of gate_add, is in a token; what that
 * CA is called; and the number of the one called so, or -1. */
bool gate_in_token(const struct gate *gate, size_t n);
const char *gate_name(const struct gate *gate, size_t n);
int gate_find(const struct gate *gate, const char *name);

/* What a token signs. */
struct gate_digest {
	uint8_t data[KEY_HASH_MAX];
	size_t len;
};

/* If CA ${n} may sign the certificate ${tbs}: its digest.  FAULT_DENIED says
 * which rule forbids it. */
CHECKED int gate_digest(const struct gate *gate, size_t n,
    struct wire_bytes tbs, time_t now, struct gate_digest *digest,
    struct fault *f);

/* Whether ${signature} on ${digest} is that of CA ${n}'s key. */
CHECKED int gate_verify(const struct gate *gate, size_t n,
    const struct gate_digest *digest, struct wire_bytes signature,
    struct fault *f);

/* For gate_list.c: the CA named ${ca} and its key, borrowed; NULL if there is
 * none, or if it is in a token. */
const struct authority *gate_authority(const struct gate *gate,
    const char *name);
const struct key *gate_key(const struct gate *gate, const char *name);

OWN_FREE_STRUCT(gate, gate_free)

#endif
