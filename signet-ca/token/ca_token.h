#ifndef SIGNET_CA_CA_TOKEN_H
#define SIGNET_CA_CA_TOKEN_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/wire.h"
#include "token/token_uri.h"
#include "x509/key.h"

#include <stdbool.h>

/*
 * A CA's key in a token.  The PKCS#11 module is other people's code: it runs in
 * a process of its own (ca_token_serve.c), which is this program started anew,
 * with nothing open but a socket to us.  Digests go in, signatures come out,
 * and what comes out is held against the public key here (key_foreign).
 *
 * A module that crashes is FAULT_SYSTEM, one that does not come back within the
 * time limit FAULT_TIMEOUT: its process is ended then, and every later call
 * fails.  SIGNET_TOKEN_TIMEOUT says how many seconds (1 to 3600); 30 if it does
 * not, and ten minutes for the making of a key.
 */
struct fault;
struct ca_token;

struct ca_token_info {
	char label[33];
	char manufacturer[33];
	char model[17];
	char serial[17];
	bool pin_low; /* a wrong PIN was given since the last right one */
	bool pin_final;
	bool pin_locked;
	bool pin_pad; /* the PIN may be entered at the reader */
};

/* Start the process, load the module and look for the token.  FAULT_ABSENT if
 * it is not there.  ca_token_close() it. */
CHECKED struct ca_token *ca_token_open(const struct token_uri *which,
    struct fault *f);
void ca_token_close(struct ca_token *token);

/* What was found. */
const struct ca_token_info *ca_token_info(const struct ca_token *token);

/**
 * ca_token_ask(token, what, keep, f):
 * Ask for the PIN at the terminal, saying which token it is of and ${what} for,
 * and hand it on; here it is wiped.  With ${keep} it is kept there until
 * ca_token_close(), for what needs more than one login.  FAULT_DENIED, without
 * asking, for a token that is locked or has one try left.
 */
CHECKED int ca_token_ask(struct ca_token *token, const char *what, bool keep,
    struct fault *f);

/* The same with the PIN at hand. */
CHECKED int ca_token_give(struct ca_token *token, const struct secret *pin,
    bool keep, struct fault *f);

/* Log in, and see that the key there is ${ca}'s: see token_login for the
 * faults.  The PIN that was given is gone then, unless it is kept, or the key
 * wants it each time. */
CHECKED int ca_token_login(struct ca_token *token, const struct spki *ca,
    struct fault *f);

/* The key that was logged in to, for key_sign.  It borrows ${token}; key_free()
 * it first. */
CHECKED struct key *ca_token_key(struct ca_token *token, struct fault *f);

/* Make a key of the kind ${what} in it, or look at the one that is there;
 * append its SubjectPublicKeyInfo.  Needs the PIN. */
CHECKED int ca_token_make(struct ca_token *token, const char *what,
    struct buf *spki, struct fault *f);
CHECKED int ca_token_show(struct ca_token *token, struct buf *spki,
    struct fault *f);

/* Put the certificate ${der} beside its key.  Needs the PIN, and ends the login
 * of before. */
CHECKED int ca_token_put(struct ca_token *token, struct wire_bytes der,
    struct fault *f);

/* The other side: serve on descriptor ${fd} until it is closed.  For main(),
 * under the name CA_TOKEN_SERVER. */
#define CA_TOKEN_SERVER "signet-ca-token"
#define CA_TOKEN_FD 3
CHECKED int ca_token_serve(int fd, struct fault *f);

OWN_FREE_STRUCT(ca_token, ca_token_close)

#endif
