#ifndef KEEPER_RENEWAL_H
#define KEEPER_RENEWAL_H

#include "base/checked.h"
#include "ledger/ledger.h"

#include <time.h>

struct fault;

/* What was shown by who renews. */
struct renewal {
	const char *ca;	    /* whose certificate; NULL: none of ours */
	const char *serial; /* hexadecimal */
	int64_t limit;	    /* seconds from the login; 0: none */
};

/**
 * renewal_login(l, intent, shown, now, f):
 * Set ${intent->login} to the login that the certificate came from.
 * FAULT_DENIED with a limit if that is longer ago, or if the certificate is not
 * in the ledger.  Who proves himself otherwise is not concerned.
 */
CHECKED int renewal_login(struct ledger *l, struct ledger_intent *intent,
    const struct renewal *shown, time_t now, struct fault *f);

/**
 * renewal_allowed(l, intent, now, f):
 * Whoever renews proves who he is by a certificate.  If one of the same subject
 * is revoked or held and would still be valid at ${now}, that proof is worth
 * nothing: its key, or one that came from it by renewal, may be a thief's.
 * FAULT_DENIED then, at once and before any CRL says so; whoever proves himself
 * otherwise is not concerned.
 */
CHECKED int renewal_allowed(struct ledger *l,
    const struct ledger_intent *intent, time_t now, struct fault *f);

#endif
