#ifndef X509_CSR_H
#define X509_CSR_H

#include "base/buf.h"
#include "base/checked.h"
#include "x509/dn.h"
#include "x509/key.h"

/* PKCS#10 certificate requests (RFC 2986). */
struct fault;

#define CSR_MAX 16384

/* A request whose signature was checked.  Bytes are borrowed from the DER. */
struct csr {
	struct dn subject;
	struct spki spki;
	struct wire_bytes attributes; /* contents of [0] */
};

/**
 * csr_read(csr, der, f):
 * Walk the request strictly, and check that its signature was made by the
 * key it asks us to certify.  No OpenSSL decoder is involved: its cost is ten
 * EC signatures (facts: BASELINES 3).
 */
CHECKED int csr_read(struct csr *csr, struct wire_bytes der, struct fault *f);

/* The DER length of the SEQUENCE that begins at ${data}, of which ${len}
 * bytes have arrived: 0 if more are needed to tell, -1 if it is none or
 * larger than ${max}.  For readers of streams. */
CHECKED long csr_length(const uint8_t *data, size_t len, size_t max);

/**
 * csr_write(subject, key, extensions, out, f):
 * Append a request for ${key}; ${extensions}, if not empty, is the DER of an
 * Extensions SEQUENCE to put in an extensionRequest attribute.
 */
CHECKED int csr_write(const struct dn *subject, const struct key *key,
    struct wire_bytes extensions, struct buf *out, struct fault *f);

#endif
