#ifndef SIGNETD_KEEPER_LISTS_H
#define SIGNETD_KEEPER_LISTS_H

#include "base/buf.h"
#include "base/checked.h"
#include "ledger/ledger.h"
#include "signetd/keeper/books.h"

#include <stdbool.h>
#include <time.h>

/* Revocation lists: what goes on the next one, and where it is filed.  All
 * inside a transaction of the ledger. */
struct fault;

/* What one CRL_LIST carries; about 1600 random serials. */
#define LISTS_ENTRIES_MAX 49152

struct lists {
	struct ledger *ledger;
	const struct book *book;
	const char *dir;
};

/* Whether a new list of the CA is due: there is none, or it is past half its
 * life, or the book says otherwise by now. */
CHECKED int lists_due(const struct lists *lists, time_t now, bool *due,
    struct fault *f);

/**
 * lists_make(lists, number, entries, f):
 * Take the next CRL number, and append to ${entries} (set up here) who is on
 * it, as revoked.h says: all that are revoked or held, but for those that
 * were on a list when they had expired (RFC 5280 3.3).  FAULT_UNSUPPORTED
 * if they are too many for one message: a list with some left out is a lie.
 */
CHECKED int lists_make(const struct lists *lists, uint64_t *number,
    struct buf *entries, struct fault *f);

/**
 * lists_file(lists, number, der, f):
 * File ${der} as CA.crl and, in PEM, as CA.r0 in the directory.  It must be
 * the CA's, signed by it, with this ${number}, newer than the last.
 */
CHECKED int lists_file(const struct lists *lists, uint64_t number,
    struct wire_bytes der, struct fault *f);

#endif
