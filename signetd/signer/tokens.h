#ifndef SIGNETD_SIGNER_TOKENS_H
#define SIGNETD_SIGNER_TOKENS_H

#include "base/checked.h"
#include "base/fault.h"
#include "base/own.h"
#include "ipc/channel.h"
#include "signetd/signer/gate.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The processes that have tokens, and what waits for a signature of theirs.
 * Each is asked by a digest and answers when it is done; one that goes has
 * signed nothing of what it was asked, as far as anyone will know.
 */
struct tokens;

/* In all; more are FAULT_BUSY. */
#define TOKENS_WAITS_MAX 2048u

/* What waits: a certificate of the issuer's ${id}, or the list ${number}. */
struct tokens_wait {
	size_t ca; /* number, as the gate counts */
	bool list;
	uint32_t id;
	uint64_t number;
	char ref[16];
	struct gate_digest digest;
};

/* An answer as it came, not verified: with a fault and a signature, it was made
 * when the token may have been away. */
typedef void tokens_done_fn(void *arg, const struct tokens_wait *wait,
    enum fault_code fault, struct wire_bytes signature);
/* CA ${ca} signs from now on, or does not. */
typedef void tokens_ready_fn(void *arg, size_t ca, bool ready);

CHECKED struct tokens *tokens_new(tokens_done_fn *done, tokens_ready_fn *ready,
    void *arg, struct fault *f);
void tokens_free(struct tokens *t);

/* The process of CA ${ca} has come, or one in its place: what the one before
 * had is answered FAULT_SUSPENDED.  ${ch} stays the caller's. */
void tokens_attach(struct tokens *t, size_t ca, struct channel *ch);
/* ${ch} has gone. */
void tokens_gone(struct tokens *t, const struct channel *ch);

bool tokens_ready(const struct tokens *t, size_t ca);

/* Ask for ${what}, which is copied.  FAULT_SUSPENDED, at once, if that token is
 * not ready. */
CHECKED int tokens_ask(struct tokens *t, const struct tokens_wait *what,
    struct fault *f);

/* Tell the token of CA ${ca} that a signature of its was wrong: it is lost, and
 * begins anew. */
void tokens_wrong(struct tokens *t, size_t ca);

/* What came by ${ch}: TOKEN_READY or TOKEN_SIGNED. */
void tokens_heard(struct tokens *t, const struct channel *ch,
    const struct msg *m);

OWN_FREE_STRUCT(tokens, tokens_free)

#endif
