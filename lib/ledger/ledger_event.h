#ifndef LEDGER_LEDGER_EVENT_H
#define LEDGER_LEDGER_EVENT_H

#include "ledger/ledger.h"

/*
 * What has happened in the office, for those who are to be told: requests,
 * decisions, the certificates that came of them, and every revocation and
 * release.  Logins are no events.
 */
struct fault;

/* Texts are borrowed until the next step, and "" where there is nothing. */
struct ledger_event {
	uint64_t entry;
	time_t when;
	const char *kind; /* "asked", "approved", "rejected", "withdrawn",
			   * "issued", "revoked", "held", "released" */
	const char *ca;
	const char *request;
	const char *who;     /* did it */
	const char *asked;   /* whose request or certificate it is */
	const char *subject; /* slash form */
	const char *profile;
	const char *serial; /* hexadecimal */
	const char *text;   /* of a decision */
};

/* Call ${fn} for each event after the entry ${after}, oldest first, at most
 * ${limit} times, until it returns non-zero, which is returned. */
typedef int ledger_event_fn(void *arg, const struct ledger_event *e);
CHECKED int ledger_event_each(struct ledger *l, uint64_t after, uint64_t limit,
    ledger_event_fn *fn, void *arg, struct fault *f);

/* The number of the book's last entry, as it is on the disk. */
CHECKED int ledger_event_last(struct ledger *l, uint64_t *last,
    struct fault *f);

#endif
