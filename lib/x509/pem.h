#ifndef X509_PEM_H
#define X509_PEM_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

/* PEM (RFC 7468) in and out, without libcrypto. */
struct fault;

/* Append "-----BEGIN label-----", 64 columns of base64, and the END line. */
void pem_put(struct buf *out, const char *label, struct wire_bytes der);

/* The same in pieces, for what is too long to be held twice: pem_begin, then
 * pem_add for each piece, then pem_end.  Text is appended to ${out}, which the
 * caller may empty between the calls. */
#define PEM_LINE_OCTETS 48 /* 64 columns */
struct pem_out {
	const char *label;
	uint8_t rest[PEM_LINE_OCTETS]; /* of a line that is not full yet */
	size_t len;
};
void pem_begin(struct pem_out *p, const char *label, struct buf *out);
void pem_add(struct pem_out *p, struct wire_bytes piece, struct buf *out);
void pem_end(struct pem_out *p, struct buf *out);

/* A block as it stands in the text, not decoded. */
#define PEM_LABEL_SIZE 64
struct pem_block {
	char label[PEM_LABEL_SIZE];
	struct wire_bytes whole; /* from BEGIN to the end of the END line */
	struct wire_bytes body;	 /* the lines between */
};

/**
 * pem_find(text, len, at, block, f):
 * Find the next block from offset *${at} on and move *${at} past it.  BEGIN
 * and END stand at the start of a line; other text is passed over.  1 if there
 * was one, 0 at the end, -1 if its END is missing.
 */
CHECKED int pem_find(const void *text, size_t len, size_t *at,
    struct pem_block *block, struct fault *f);

/**
 * pem_next(text, len, at, label, der, f):
 * Find the next block from offset *${at} on whose label is ${label} (NULL:
 * any), append its bytes to ${der} and move *${at} past it.  1 if there was
 * one, 0 at the end, -1 if it is malformed or longer than ${der} may grow.
 * The base64 must be perfect; blanks and the lengths of lines are free.
 */
CHECKED int pem_next(const void *text, size_t len, size_t *at,
    const char *label, struct buf *der, struct fault *f);

#endif
