#ifndef SIGNET_CA_CA_STAFF_H
#define SIGNET_CA_CA_STAFF_H

#include "base/buf.h"
#include "base/checked.h"
#include "signet-ca/base/ca_args.h"

struct fault;

/* Append the ${len} bytes at ${word} as a quoted word; FAULT_INPUT for what
 * cannot be one. */
CHECKED int ca_staff_put(struct buf *out, const char *word, size_t len,
    struct fault *f);

/* Append the lines of a staff file for each entry that --filter finds. */
CHECKED int ca_staff_gather(const struct ca_args *args, struct buf *out,
    struct fault *f);

#endif
