#ifndef SIGNET_ISSUE_SERVER_ASK_H
#define SIGNET_ISSUE_SERVER_ASK_H

#include "base/buf.h"
#include "base/checked.h"
#include "callout/callout_form.h"

/*
 * What a MyProxy server writes to its certificate_issuer_program: lines of
 * key=value, an empty line, the PEM of a certificate request (facts: FEATURES
 * 4).  A value that is not set is the word NULL.
 */
struct fault;

/* A server pastes its fields into 16 kB without looking; ours are read though
 * they are longer.  A stock server sends a tenth of that. */
#define SERVER_ASK_MAX ((size_t)262144)

struct server_ask {
	char username[CALLOUT_USERNAME_SIZE];
	char profile[CALLOUT_PROFILE_SIZE]; /* the credential's name, or "" */
	uint32_t lifetime; /* seconds, the least that was said; 0: none was */
	struct buf csr;	   /* DER */
};

/**
 * server_ask_read(ask, data, len, f):
 * Read the ${len} bytes at ${data}, among which is the user's pass phrase:
 * they are wiped before this returns, whatever it returns, and no fault quotes
 * any of them.  Keys that are not known are passed over.  FAULT_INPUT for a
 * line that is no key=value, a NUL, a key of ours given twice or a value of
 * ours that does not fit; for no user name; for no certificate request, or two.
 * buf_free() the csr in any case.
 */
CHECKED int server_ask_read(struct server_ask *ask, uint8_t *data, size_t len,
    struct fault *f);

#endif
