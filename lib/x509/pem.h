#ifndef X509_PEM_H
#define X509_PEM_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

/* PEM (RFC 7468) in and out, without libcrypto. */
struct fault;

/* Append "-----BEGIN label-----", 64 columns of base64, and the END line. */
void pem_put(struct buf *out, const char *label, struct wire_bytes der);

/**
 * pem_next(text, len, at, label, der, f):
 * Find the next block from offset *${at} on whose label is ${label} (NULL:
 * any), append its bytes to ${der} and move *${at} past it.  1 if there was
 * one, 0 at the end, -1 if it is malformed.
 */
CHECKED int pem_next(const void *text, size_t len, size_t *at,
    const char *label, struct buf *der, struct fault *f);

#endif
