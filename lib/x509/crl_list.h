#ifndef X509_CRL_LIST_H
#define X509_CRL_LIST_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "x509/crl.h"

/*
 * A revocation list in the making, of any length up to CRL_BYTES_MAX: entries
 * come in any order, and go out sorted by serial as DER, a piece at a time.
 * What one call does is bounded, so that a process with other things to do
 * makes a list of a million between them.  32 octets of memory an entry, given
 * back as the entries are written.
 */
struct fault;
struct crl_list;

CHECKED struct crl_list *crl_list_new(struct fault *f);
void crl_list_free(struct crl_list *list);

/* One more; FAULT_INTERNAL for what is no entry (no serial, or a leading zero
 * octet; a reason that RFC 5280 5.3.1 does not have), FAULT_UNSUPPORTED when
 * the list would pass CRL_BYTES_MAX. */
CHECKED int crl_list_add(struct crl_list *list, const struct crl_entry *entry,
    struct fault *f);
size_t crl_list_count(const struct crl_list *list);

/**
 * crl_list_open(list, issuer, span, out, f):
 * All entries are there: append the beginning of a TBSCertList of ${issuer}.
 * Lengths are known beforehand, so nothing that is written changes later.
 */
CHECKED int crl_list_open(struct crl_list *list, const struct authority *issuer,
    const struct crl_span *span, struct buf *out, struct fault *f);

/* Append up to ${most} entries more, and after the last one the end: 1 if
 * there is more to write, 0 when the TBSCertList is whole, -1 after a fault (a
 * serial that is on the list twice). */
CHECKED int crl_list_write(struct crl_list *list, size_t most, struct buf *out,
    struct fault *f);

/* Octets of the whole TBSCertList; known once it is open. */
size_t crl_list_size(const struct crl_list *list);

OWN_FREE_STRUCT(crl_list, crl_list_free)

#endif
