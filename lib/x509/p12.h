#ifndef X509_P12_H
#define X509_P12_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/secret.h"
#include "x509/proxy.h"

/* PKCS#12 bundles (RFC 7292), by OpenSSL; old RC2 and 3DES ones by its legacy
 * provider, loaded only then. */
struct fault;

/* FAULT_LOGIN if the pass phrase is wrong.  ${legacy} says whether the legacy
 * provider was needed (may be NULL). */
CHECKED int p12_read(struct credential *c, const void *der, size_t len,
    const struct secret *phrase, bool *legacy, struct fault *f);
CHECKED int p12_write(const struct credential *c, const char *name,
    const struct secret *phrase, struct buf *der, struct fault *f);

#endif
