#ifndef X509_CRL_PART_H
#define X509_CRL_PART_H

#include "x509/crl.h"
#include "x509/der.h"

/* Parts of a CRL, for who has the whole in memory (crl.c) and who reads it a
 * piece at a time (crl_index.c). */
struct fault;

/* What stands before the entries; ${algorithm} is the one that is signed. */
CHECKED int crl_part_head(struct crl *crl, struct der_in *in,
    struct wire_bytes *algorithm, bool *v2, struct fault *f);

CHECKED int crl_part_entry(struct der_in *in, struct crl_entry *e,
    struct fault *f);

/* What follows the entries, to the end of ${in}. */
CHECKED int crl_part_tail(struct crl *crl, struct der_in *in, bool v2,
    struct fault *f);

#endif
