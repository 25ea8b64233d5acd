#ifndef SYS_SEALED_H
#define SYS_SEALED_H

#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"

#include <stddef.h>

/*
 * What is too long for a message: memory without a name (memfd_create(2)) that
 * is written, sealed and passed on by its descriptor.  After the seals nobody
 * can change, shorten or lengthen it, the writer included, so the reader may
 * judge it and then use the same bytes.  To write needs SANDBOX_SEALED; to
 * read, nothing beyond SANDBOX_STDIO.
 */
struct fault;

/* A new one, empty: a descriptor to be written and, in the end, closed. */
CHECKED int sealed_new(struct fault *f);

/* Append ${piece}. */
CHECKED int sealed_put(int fd, struct wire_bytes piece, struct fault *f);

/* It is whole: no change from now on. */
CHECKED int sealed_close(int fd, struct fault *f);

/* What a descriptor from another process holds. */
struct sealed {
	struct wire_bytes bytes;
};

/* Map the memory behind ${fd}, which stays the caller's and may be closed.
 * FAULT_DENIED unless it has all seals, FAULT_INPUT if it has more than
 * ${most} octets. */
CHECKED int sealed_map(struct sealed *s, int fd, size_t most, struct fault *f);

/* Let go of it; nothing happens if it is not mapped. */
void sealed_unmap(struct sealed *s);

#endif
