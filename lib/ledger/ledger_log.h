#ifndef LEDGER_LEDGER_LOG_H
#define LEDGER_LEDGER_LOG_H

#include "ledger/ledger.h"

/* Every entry of the book, one after the other, for those who audit it. */
struct fault;

/* Texts are borrowed until the next step, NULL where there is none. */
struct ledger_record {
	uint64_t entry;
	time_t when;
	const char *kind; /* "reserve", "issue", ... */
	uint64_t about;	  /* the entry it is about; 0 if none */
	const char *ca;
	const char *serial; /* hexadecimal; of the certificate it is about */
	const char *request;
	const char *who;
	const char *principal;
	const char *method;
	const char *peer;
	const char *ref;
	const char *subject; /* of the certificate or request it is about */
	const char *profile;
	const char *text; /* of a decision */
	int reason;	  /* of a revocation, or -1 */
	int verdict;	  /* of a decision: enum ledger_verdict; else 0 */
	time_t revoked;
	time_t not_before; /* of an intent: of the certificate */
	time_t not_after;
	uint64_t number; /* of CRL and FILED, or RESTORE's floor */
	uint64_t bytes;	 /* of a certificate, list, or request file */
};

/* What to list; NULL and 0 match all. */
struct ledger_log_filter {
	const char *ca;
	const char *kind;    /* whole */
	const char *who;     /* whole: user name or principal */
	const char *subject; /* in it */
	const char *request; /* whole: all that came of it */
	const char *serial;  /* whole: all that is about it */
	time_t since;
	time_t until;
	uint64_t limit;
};

/* Oldest first, until ${fn} returns non-zero, which is returned.  FAULT_USAGE
 * for a kind that there is not. */
typedef int ledger_record_fn(void *arg, const struct ledger_record *r);
CHECKED int ledger_log_each(struct ledger *l,
    const struct ledger_log_filter *filter, ledger_record_fn *fn, void *arg,
    struct fault *f);

#endif
