#ifndef TOKEN_MAKE_H
#define TOKEN_MAKE_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/secret.h"
#include "base/wire.h"
#include "token/token.h"

/*
 * What is put into a token: a key that is made there and never leaves it, and
 * the certificate that belongs to it.  Both log in once with ${pin} (see
 * token_login for what may go wrong) and out again; the token must not be in
 * use.
 */
struct fault;

/**
 * token_make_key(token, pin, what, spki, f):
 * Make a key pair of the kind ${what}: "rsa:2048", "rsa:3072", "rsa:4096",
 * "ec:P-256", "ec:P-384" (FAULT_USAGE for others); append its
 * SubjectPublicKeyInfo.  The private key is sensitive, cannot be extracted and
 * does nothing but sign: seen to be so, else it is destroyed again and
 * FAULT_UNSUPPORTED.  Its label is the object of the token's URI; its CKA_ID
 * the id of that, else SHA-1 of the key (RFC 5280 4.2.1.2).  FAULT_DENIED if
 * a private key has that label or id already: nothing is replaced.  FAULT_USAGE
 * if the URI has neither.
 */
CHECKED int token_make_key(struct token *token, struct secret *pin,
    const char *what, struct buf *spki, struct fault *f);

/* Put the certificate ${der} beside the key, which must be its key
 * (FAULT_CONFIG); one that is there already stays if it is the same
 * (FAULT_DENIED if it is another). */
CHECKED int token_put_certificate(struct token *token, struct secret *pin,
    struct wire_bytes der, struct fault *f);

/* Append the SubjectPublicKeyInfo of the key that is there. */
CHECKED int token_show_key(struct token *token, struct secret *pin,
    struct buf *spki, struct fault *f);

#endif
