#ifndef X509_CRL_H
#define X509_CRL_H

#include "base/buf.h"
#include "base/checked.h"
#include "x509/authority.h"

#include <stdbool.h>
#include <time.h>

/* Certificate revocation lists (RFC 5280 section 5): v2, full, no delta. */
struct fault;

struct crl_entry {
	uint8_t serial[CERT_SERIAL_MAX];
	uint8_t serial_len; /* magnitude, no leading zero */
	uint8_t reason;	    /* RFC 5280 5.3.1; 0 leaves the extension out */
	int64_t when;
};

/* What a whole list may hold: some seven million entries. */
#define CRL_BYTES_MAX ((size_t)256 << 20)

#define CRL_BACKDATE 300 /* for clocks that are slow */

/* Which list it is, and from when until when it holds. */
struct crl_span {
	uint64_t number;
	time_t this_update;
	time_t next_update;
};

/**
 * crl_span_set(span, issuer, now, floor):
 * The times of a list of ${issuer} that is made at ${now}: from five minutes
 * ago, for clocks that are slow, for crl-lifetime; but from ${floor}, the
 * thisUpdate of the list before it, if a clock that was set back says less.
 */
void crl_span_set(struct crl_span *span, const struct authority *issuer,
    time_t now, time_t floor);

/* A list that was made before this one: the ledger's entry that took its
 * number, and its thisUpdate.  All zeroes: there was none. */
struct crl_past {
	uint64_t entry;
	time_t this_update;
};

/**
 * crl_outlived(not_after, entry, past):
 * Whether a revocation, the ledger's ${entry}, may be left off a list: RFC
 * 5280 3.3 keeps it until it has stood on one list that was issued after the
 * certificate's end.  ${past} is the last list whose thisUpdate does not lie
 * after that of the list in the making.
 */
bool crl_outlived(time_t not_after, uint64_t entry,
    const struct crl_past *past);

/**
 * crl_days_left(next_update, lifetime, now):
 * Of the steps at which someone is to be told that a list ends, the one that
 * has been reached: 14, 7 or 3 days, or 0 when it has ended; -1 if none has.  A
 * step that lies within the first half of ${lifetime} is none: a list of 7
 * days is not near its end when it is made.
 */
int crl_days_left(time_t next_update, int64_t lifetime, time_t now);

/* Append a TBSCertList with ${count} entries, in any order. */
CHECKED int crl_tbs(const struct authority *issuer,
    const struct crl_entry *entries, size_t count, uint64_t number, time_t now,
    struct buf *tbs, struct fault *f);

/* What a CRL says.  Bytes are borrowed. */
struct crl {
	struct wire_bytes tbs;
	struct wire_bytes algorithm;
	struct wire_bytes signature;
	struct dn issuer;
	time_t this_update;
	time_t next_update; /* 0: none given */
	uint64_t number;    /* 0: none, or too large to hold */
	struct wire_bytes authority_id;
	struct wire_bytes revoked; /* contents of revokedCertificates */
};
/* Strictly; a delta or indirect CRL is FAULT_UNSUPPORTED. */
CHECKED int crl_read(struct crl *crl, struct wire_bytes der, struct fault *f);

/* Whether ${issuer} signed it. */
CHECKED int crl_check_signature(const struct crl *crl,
    const struct cert *issuer, struct fault *f);

/* Call ${fn} with each entry, in the order of the list, until it returns
 * non-zero, which is returned; 0 at the end.  What crl_read() has read is not
 * malformed. */
typedef int crl_entry_fn(void *arg, const struct crl_entry *entry);
CHECKED int crl_each(const struct crl *crl, crl_entry_fn *fn, void *arg);

/* 1 and the entry if ${serial} is on the list, 0 if not, -1 if malformed. */
CHECKED int crl_find(const struct crl *crl, struct wire_bytes serial,
    struct crl_entry *entry);

#endif
