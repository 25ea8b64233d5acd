#ifndef LEDGER_LEDGER_LISTS_H
#define LEDGER_LEDGER_LISTS_H

#include "base/checked.h"
#include "ledger/ledger.h"

#include <stddef.h>

/*
 * What the book says for revocation lists: who is on the next one, and which
 * were made.  A list is as of the entry that took its number (CRL): entries
 * are never changed, so it can be read in pieces while others write, and
 * whatever comes after that entry is for the list after.
 */
struct fault;

/* One certificate that is revoked or held; ${serial} without leading zeroes,
 * borrowed until the function it is shown to returns. */
struct ledger_verdict {
	uint64_t entry; /* of the revocation */
	struct wire_bytes serial;
	int reason; /* RFC 5280 5.3.1; 6: held */
	time_t revoked;
	time_t not_after; /* of the certificate */
};
typedef int ledger_verdict_fn(void *arg, const struct ledger_verdict *v,
    struct fault *f);

/* Where reading is: begin with ${intent} 0. */
struct ledger_verdicts {
	const char *ca;
	uint64_t until;	 /* the last entry that counts */
	uint64_t intent; /* the last that has been shown */
};

/* Show ${fn} up to ${most} more of those that are revoked or held; -1 from it
 * is a fault.  1 if there may be more, 0 if there are none. */
CHECKED int ledger_verdicts(struct ledger *l, struct ledger_verdicts *at,
    size_t most, ledger_verdict_fn *fn, void *arg, struct fault *f);

/* Call ${fn} with each revocation and release after the entry *${since}, its CA
 * and its own entry; *${since} becomes the last of the book.  Costs as much as
 * there is new in the book, whatever is in it. */
typedef void ledger_news_fn(void *arg, const char *ca, uint64_t entry);
CHECKED int ledger_news(struct ledger *l, uint64_t *since, ledger_news_fn *fn,
    void *arg, struct fault *f);

/* A list that is filed: a number that was taken, and what became of it. */
struct ledger_list {
	uint64_t number; /* 0: there is none */
	uint64_t entry;	 /* that took the number */
	time_t taken;
	time_t this_update;
	time_t next_update;
};

/* A list up to so many octets is in the book whole, a longer one as SHA-256 of
 * its DER: the book of a CA with a million revoked would grow by 35 MB each
 * time one more is. */
#define LEDGER_LIST_MOST 65536u
#define LEDGER_DIGEST_SIZE 32

/* Inside a transaction: file the list ${list->number}, whose ${entry} and
 * ${taken} are not looked at; ${content} is its DER, or the digest.
 * FAULT_DENIED for a number not taken, or filed before. */
CHECKED int ledger_list_file(struct ledger *l, const char *ca,
    const struct ledger_list *list, struct wire_bytes content, struct fault *f);

/* The filed list of ${ca} with the highest number, of those whose thisUpdate is
 * not after ${by}; 0: of all. */
CHECKED int ledger_list_last(struct ledger *l, const char *ca, time_t by,
    struct ledger_list *last, struct fault *f);

/* The latest thisUpdate of ${ca}'s lists; 0 if there is none.  Those that were
 * made before their time (for an offline root that sleeps) do not count, nor
 * those past ${by}, which a clock that was far ahead has made. */
CHECKED int ledger_list_floor(struct ledger *l, const char *ca, time_t by,
    time_t *floor, struct fault *f);

#endif
