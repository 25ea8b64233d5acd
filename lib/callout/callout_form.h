#ifndef CALLOUT_CALLOUT_FORM_H
#define CALLOUT_CALLOUT_FORM_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/rand.h"
#include "base/wire.h"

#include <stdbool.h>

/*
 * What signet-issue and signetd's intake say to one another: one request, one
 * answer, by a socket or as files, the same bytes.  No secret is in either: the
 * pass phrase that a MyProxy server tells its call-out stops at signet-issue.
 */
struct fault;

#define CALLOUT_USERNAME_SIZE 256
#define CALLOUT_PROFILE_SIZE 64
#define CALLOUT_CSR_MAX 16384
#define CALLOUT_CERTIFICATE_MAX 16384
#define CALLOUT_CHAIN_MAX 32768

/* No request and no answer is longer, in bytes. */
#define CALLOUT_REQUEST_MAX ((size_t)20480)
#define CALLOUT_ANSWER_MAX ((size_t)53248)

struct callout_request {
	char username[CALLOUT_USERNAME_SIZE]; /* as the server has it */
	char profile[CALLOUT_PROFILE_SIZE];   /* "": the first */
	uint32_t lifetime;		      /* seconds; 0: the profile's */
	struct wire_bytes csr;		      /* DER */
};

struct callout_answer {
	uint32_t fault; /* of fault.def; 0 with a certificate */
	char ref[RAND_REF_SIZE];
	struct wire_bytes certificate; /* DER */
	struct wire_bytes chain;       /* DER after DER, may be empty */
};

/* Append ${r} to ${out}, which is failed after that if it does not fit. */
void callout_request_write(const struct callout_request *r, struct buf *out);
void callout_answer_write(const struct callout_answer *a, struct buf *out);

/**
 * callout_request_read(r, data, len, f):
 * Read all ${len} bytes at ${data}, from which ${r} borrows.  FAULT_INPUT for
 * what callout_request_write would not write: a cut or longer one, a name that
 * is empty or has a control character, a request without a CSR.
 */
CHECKED int callout_request_read(struct callout_request *r, const void *data,
    size_t len, struct fault *f);

/* The same for an answer: a fault that fault.def has, or a certificate, and not
 * both; a reference of twelve hexadecimal digits, or none. */
CHECKED int callout_answer_read(struct callout_answer *a, const void *data,
    size_t len, struct fault *f);

#endif
