#ifndef LEDGER_LEDGER_REQUEST_H
#define LEDGER_LEDGER_REQUEST_H

#include "ledger/ledger.h"

/*
 * Requests for certificates that people decide on: what was asked for, who
 * decided what, and what came of it.  They are entries of the book like all
 * else.  A request is known by the CA it is for and its identifier, which
 * comes from the request file; it is signed at most once: ledger_reserve()
 * with ${intent->request} refuses one that is rejected, withdrawn, issued, or
 * has an intent that is not void.  All that reads works on a ledger that was
 * opened to read, too.
 */
struct fault;

enum ledger_verdict {
	LEDGER_APPROVE = 1,
	LEDGER_REJECT,
	LEDGER_WITHDRAW /* by who asked */
};

enum ledger_request_state {
	LEDGER_REQUEST_OPEN, /* waits for decisions, however many it has */
	LEDGER_REQUEST_REJECTED,
	LEDGER_REQUEST_WITHDRAWN,
	LEDGER_REQUEST_SIGNING, /* a serial is reserved */
	LEDGER_REQUEST_ISSUED
};

#define LEDGER_REQUEST_MAX 49152 /* bytes of a request file */
#define LEDGER_DECISION_MAX 4096 /* bytes of a decision's text */

/* Texts are borrowed: from the caller when filing, from the ledger until the
 * next step when read back. */
struct ledger_request {
	const char *ca;
	const char *id;	     /* of the request file */
	const char *who;     /* the administrator who asked */
	const char *method;  /* how that was known: "uid 1000", "kerberos" */
	const char *peer;    /* from where */
	const char *subject; /* slash form */
	const char *profile;
	struct wire_bytes file; /* the request file as it came */
	/* Read back only. */
	uint64_t entry;
	time_t when;
	enum ledger_request_state state;
	unsigned approvals; /* by how many persons */
	const char *serial; /* hexadecimal, once reserved; else NULL */
};

struct ledger_decision {
	enum ledger_verdict verdict;
	const char *who;
	const char *method;
	const char *text; /* the reason, or on whose permission; may be "" */
	time_t when;	  /* read back only */
};

/* Inside a transaction: write the request down.  The same bytes under the same
 * identifier again are no fault, and nothing is written (a command that was
 * interrupted is run again); other bytes are FAULT_DENIED.  FAULT_INPUT for a
 * file that is empty or too long, or an empty id. */
CHECKED int ledger_request_put(struct ledger *l, const struct ledger_request *r,
    struct fault *f);

/* Inside a transaction: write a decision down.  FAULT_ABSENT if there is no
 * such request; FAULT_DENIED if it has come to its end, or another than who
 * asked withdraws it; FAULT_BUSY while a serial is reserved for it; FAULT_INPUT
 * for a text that is too long.  The same verdict of the same person again is no
 * fault, and nothing is written; a rejection after one's own approval counts.
 */
CHECKED int ledger_request_decide(struct ledger *l, const char *ca,
    const char *id, const struct ledger_decision *d, struct fault *f);

/* 1 and ${fn} called once if there is such a request, 0 if not.  ${ca} NULL: of
 * whichever CA, the oldest. */
typedef int ledger_request_fn(void *arg, const struct ledger_request *r);
CHECKED int ledger_request_find(struct ledger *l, const char *ca,
    const char *id, ledger_request_fn *fn, void *arg, struct fault *f);

/* What to list; NULL, 0 and false match all. */
struct ledger_request_filter {
	const char *ca;
	const char *who;
	const char *text; /* in subject, id or who */
	bool open_only;
	time_t since;
	time_t until;
	uint64_t after; /* only those after this entry */
	uint64_t limit;
};
/* Oldest first, until ${fn} returns non-zero, which is returned. */
CHECKED int ledger_request_each(struct ledger *l,
    const struct ledger_request_filter *filter, ledger_request_fn *fn,
    void *arg, struct fault *f);

/* The decisions on a request, oldest first. */
typedef int ledger_decision_fn(void *arg, const struct ledger_decision *d);
CHECKED int ledger_request_decisions(struct ledger *l, const char *ca,
    const char *id, ledger_decision_fn *fn, void *arg, struct fault *f);

#endif
