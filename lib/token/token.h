#ifndef TOKEN_H
#define TOKEN_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/fault.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/wire.h"
#include "token/token_uri.h"
#include "x509/key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A CA's key in a PKCS#11 token: find the token, log in, see that the key is
 * the CA's, sign with it, and notice when it is not there any more.
 *
 * One struct token serves one key.  Every function may be called from any
 * thread, except token_open and token_close.  token_sign goes on in as many
 * threads as there are sessions; login, recovery and looks wait for one
 * another.  A call into the module may never come back, and the module may
 * crash: the process that holds it holds nothing else, and somebody asks
 * token_longest() and ends it.
 */
struct token;

enum token_state {
	TOKEN_ABSENT,	 /* no token matches; or it was taken out */
	TOKEN_NEEDS_PIN, /* it is there: token_login() */
	TOKEN_READY,	 /* logged in, the key is the CA's, it signs */
	TOKEN_BROKEN	 /* it, or its module, does not do what it should */
};

const char *token_state_name(enum token_state state);

/* The token as it was last seen; fields are UTF-8 without padding. */
struct token_info {
	char label[33];
	char manufacturer[33];
	char model[17];
	char serial[17];
	uint64_t slot;
	bool pin_low;	/* a wrong PIN was given since the last right one */
	bool pin_final; /* one more locks it: it is not tried any more */
	bool pin_locked;
	bool pin_pad;	/* the PIN may be entered at the reader */
	bool each_time; /* CKA_ALWAYS_AUTHENTICATE: known after token_login */
	bool threads;	/* the module may be called by several at once */
	bool events;	/* the module tells of its slots: token_wait works */
	unsigned sessions; /* open now: so many signatures at once */
};

/* RSA of 4096 bits. */
#define TOKEN_SIGNATURE_MAX 512
#define TOKEN_DIGEST_MAX 48

struct token_signature {
	uint8_t data[TOKEN_SIGNATURE_MAX]; /* as X.509 wants it */
	size_t len;	/* 0: the token gave none that verifies */
	uint64_t epoch; /* in which it was asked for */
};

/**
 * token_open(which, ca, f):
 * Load the module that ${which} names and look for the token.  That there is
 * none is no fault: the state says so.  ${ca} is the CA's public key (copied):
 * RSA of 2048 to 4096 bits, P-256 or P-384, else FAULT_KEY; it may be NULL for
 * a token in which a key is to be made or looked at (then whatever key is
 * there will do).  Sessions: what ${which} says, else 4, at most what token and
 * module allow.  See token_module.h for what the caller does before, and for
 * the faults.  token_close() it.
 */
CHECKED struct token *token_open(const struct token_uri *which,
    const struct spki *ca, struct fault *f);

/* Nobody may be inside another call.  Nothing happens if ${token} is NULL. */
void token_close(struct token *token);

/* How it is; ${why} (may be NULL) is filled with the fault that made it so,
 * and is FAULT_NONE for TOKEN_READY.  Asks nobody, never waits for the
 * module. */
enum token_state token_state(struct token *token, struct fault *why);

/* Counts whatever may mean that it is not the same insertion any more: codes
 * of devices, tokens and sessions, slot events, token_lost, and logins. */
uint64_t token_epoch(struct token *token);

/* As last seen; never waits for the module. */
void token_info(struct token *token, struct token_info *info);

/* Milliseconds for which the longest call that is under way has lasted, 0 if
 * there is none (the waiting of token_wait is not counted). */
int64_t token_longest(struct token *token);

/**
 * token_login(token, pin, f):
 * Recover if that is due; find the token anew; log in with ${pin}, once; find
 * the one private key, compare it, and the certificate that may lie beside it,
 * with the CA's key; make a test signature; open the sessions; begin a new
 * epoch.  Then it is TOKEN_READY.
 *
 * The caller wipes ${pin} afterwards, unless info.each_time: then token_sign
 * wants it again.  NULL: it is entered at the reader, if info.pin_pad.
 *
 * FAULT_LOGIN: the PIN is wrong (or of a length that this token cannot have:
 * that was not tried).  FAULT_DENIED: the token is locked, or has one try left,
 * which is the operator's and not ours.  FAULT_ABSENT: no token.  FAULT_CONFIG:
 * no such key, more than one, or not the CA's.  FAULT_TIMEOUT: a call of before
 * has not come back: end this process.  Others are what the module answered.
 * In all these cases nobody is logged in.
 */
CHECKED int token_login(struct token *token, struct secret *pin,
    struct fault *f);

/* One of several: ${digest} goes in and stays the caller's. */
struct token_job {
	struct wire_bytes digest;
	struct token_signature signature;
};

/**
 * token_sign(token, pin, digest, signature, f):
 * Sign ${digest}: of SHA-256 for RSA and P-256, of SHA-384 for P-384.  Waits
 * for a session if all are in use.  ${pin} is used only if info.each_time.
 *
 * 0: ${signature} verifies with the CA's key (unless that is seen to
 * elsewhere), and after it was made the token
 * was seen to be the same in the same insertion.  FAULT_SUSPENDED: the token
 * is not ready, or was lost before, while, or after signing.  If then
 * signature->len is not 0, there is a signature which nobody may be given: the
 * caller records and revokes what it stands on.  FAULT_USAGE: a digest of
 * another length.
 */
CHECKED int token_sign(struct token *token, struct secret *pin,
    struct wire_bytes digest, struct token_signature *signature,
    struct fault *f);

/**
 * token_sign_all(token, pin, jobs, count, f):
 * As token_sign for each of the ${count} ${jobs}, one after the other in one
 * session, and the token is seen to be the same once, after the last of them:
 * what is confirmed then holds for all that was made before.  None of them may
 * be given to anybody before this returns 0.  At the first that fails, or when
 * a loss is seen, no more are made; then all are FAULT_SUSPENDED, those that
 * were made with their signature.  FAULT_USAGE: a digest of another length;
 * nothing was signed.
 */
CHECKED int token_sign_all(struct token *token, struct secret *pin,
    struct token_job *jobs, size_t count, struct fault *f);

/**
 * token_poll(token):
 * Look whether it is still there and the same, or there again; how it is now.
 * To be called each second or so, by a thread that may be kept waiting.  What
 * was lost is recovered, as soon as nobody is inside a call, to the point where
 * a PIN is needed.
 */
enum token_state token_poll(struct token *token);

/* Something else (USB, say) saw it go: what is being signed is suspended. */
void token_lost(struct token *token, const char *why);

/**
 * token_verified_elsewhere(token):
 * From now on token_sign's caller has each signature verified by somebody who
 * believes no other, before anything is done with it, and says token_wrong() if
 * one is not the key's: then it is as if token_sign had found that.  So a
 * process that is not believed does not verify in vain.  That of a login is
 * verified here all the same.
 */
void token_verified_elsewhere(struct token *token);
void token_wrong(struct token *token);

/**
 * token_wait(token, block, f):
 * Slot events of the module: a token that was in use is lost.  1: something
 * happened, call token_poll; 0: nothing did (never if ${block}).
 * FAULT_UNSUPPORTED: the module has no events or no threads, do not ask again.
 * With ${block} for a thread of its own; it returns when an event comes, and
 * when the module is started anew or closed, so look before asking again.
 */
CHECKED int token_wait(struct token *token, bool block, struct fault *f);

/**
 * token_recover(token, ms, f):
 * Whatever the state: no new signatures; wait up to ${ms} for those under way;
 * close all sessions, finalise, initialise, find the token (facts: PKCS11, 5).
 * Afterwards it is TOKEN_NEEDS_PIN or TOKEN_ABSENT.  FAULT_TIMEOUT: a call did
 * not come back, and this process should end.
 */
CHECKED int token_recover(struct token *token, int ms, struct fault *f);

OWN_FREE_STRUCT(token, token_close)

#endif
