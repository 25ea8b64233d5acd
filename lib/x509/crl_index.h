#ifndef X509_CRL_INDEX_H
#define X509_CRL_INDEX_H

#include "base/checked.h"
#include "base/own.h"
#include "x509/crl.h"

/*
 * A CRL that is asked often: read once, in one pass and 128 KiB, it keeps the
 * serials alone, sorted, each in as many octets as the longest has and 5 more
 * (date, reason); beside them the digest that was signed.  A million entries
 * are some 9 MB with serials of 4 octets, 25 MB with the longest.
 */
struct fault;
struct crl_index;
struct crl_source;

/* Strictly, as crl_read() reads: the same CRLs are good, but for those with an
 * entry, or all that stands before or after the entries, of more than 64 KiB.
 * At most CRL_BYTES_MAX. */
CHECKED struct crl_index *crl_index_read(struct crl_source *source,
    struct fault *f);
void crl_index_free(struct crl_index *index);

/* What it says of itself; tbs and revoked are empty. */
const struct crl *crl_index_head(const struct crl_index *index);

size_t crl_index_count(const struct crl_index *index);
size_t crl_index_memory(const struct crl_index *index); /* octets */

/* 1 and the entry if ${serial} is on the list, else 0. */
int crl_index_find(const struct crl_index *index, struct wire_bytes serial,
    struct crl_entry *entry);

/* Whether ${issuer} signed it: as crl_check_signature. */
CHECKED int crl_index_check(const struct crl_index *index,
    const struct cert *issuer, struct fault *f);

/* The digest of what was signed; empty if it was signed in a way that
 * spki_verify does not know. */
struct wire_bytes crl_index_digest(const struct crl_index *index);

OWN_FREE_STRUCT(crl_index, crl_index_free)

#endif
