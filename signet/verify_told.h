#ifndef SIGNET_VERIFY_TOLD_H
#define SIGNET_VERIFY_TOLD_H

#include "base/checked.h"

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

/*
 * What the verifier says of a chain, as one JSON object:
 *
 *   accepted, what, trust_dir, time, purpose; identity, proxy, limited and
 *   not_after if it is accepted, else error;
 *   path: of each certificate subject, issuer, serial, kind, not_before,
 *   not_after, signed_by ("the next", "itself", null: nobody known), anchor
 *   (the file that makes it trusted, or null), crl (number, this_update,
 *   next_update, entries; null: it has none here), rules (rule, kept, text).
 */
struct cert_list;
struct fault;
struct trust_store;

struct verify_question {
	const char *what; /* the file, or "host:port" */
	const char *host; /* NULL: no name is asked for */
	const char *purpose;
	time_t time;
	unsigned flags;
};

/**
 * verify_told(store, chain, q, why, f):
 * Judge ${chain}.  ${why} is FAULT_NONE if it is accepted.  NULL and ${f} if
 * memory is short.  json_decref() the result.
 */
CHECKED json_t *verify_told(const struct trust_store *store,
    const struct cert_list *chain, const struct verify_question *q,
    struct fault *why, struct fault *f);

/* The same for people. */
void verify_print(const json_t *told, bool colour);

#endif
