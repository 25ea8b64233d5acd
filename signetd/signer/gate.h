#ifndef SIGNETD_SIGNER_GATE_H
#define SIGNETD_SIGNER_GATE_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"
#include "conf/conf.h"
#include "x509/authority.h"
#include "x509/key.h"

#include <stdbool.h>
#include <time.h>

/*
 * The last gate: CAs and their keys, and what each may sign.  Nothing is
 * signed that tbs_check or tbs_crl_step has not understood to the last byte.
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
 * key and certificate do not belong together, or the name is taken.
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

/* For gate_list.c: the CA named ${ca} and its key, borrowed; NULL if there is
 * none. */
const struct authority *gate_authority(const struct gate *gate,
    const char *name);
const struct key *gate_key(const struct gate *gate, const char *name);

OWN_FREE_STRUCT(gate, gate_free)

#endif
