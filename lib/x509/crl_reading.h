#ifndef X509_CRL_READING_H
#define X509_CRL_READING_H

#include "base/checked.h"
#include "base/own.h"

#include <stddef.h>

/*
 * An index on its way: a list of a million entries takes a fifth of a second,
 * and a process that answers others meanwhile reads it a piece at a time.
 */
struct crl_index;
struct crl_reading;
struct crl_source;
struct fault;

/* Of ${source}, which stays the caller's and must last as long. */
CHECKED struct crl_reading *crl_reading_new(struct crl_source *source,
    struct fault *f);
void crl_reading_free(struct crl_reading *r);

/**
 * crl_reading_step(r, left, f):
 * Read and order on for *${left} octets of the list, or work that takes as
 * long, and a window of 128 KiB more at most; what was done is taken off
 * *${left}.  1 when it is whole, 0 if there is more, -1 if it is no good.
 */
CHECKED int crl_reading_step(struct crl_reading *r, size_t *left,
    struct fault *f);

/* The index, once it is whole; the caller's.  ${r} is to be freed still. */
struct crl_index *crl_reading_take(struct crl_reading *r);

OWN_FREE_STRUCT(crl_reading, crl_reading_free)

#endif
