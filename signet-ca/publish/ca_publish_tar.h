#ifndef SIGNET_CA_CA_PUBLISH_TAR_H
#define SIGNET_CA_CA_PUBLISH_TAR_H

#include "base/checked.h"
#include "ca_publish_tree.h"

struct fault;

/**
 * publish_tar(t, top, when, out, f):
 * Append a tar archive (POSIX.1-1988 "ustar") of the anchors of ${t} below the
 * directory ${top}: owned by root, dated ${when}, in the order of names, so
 * that the same files make the same bytes.
 */
CHECKED int publish_tar(const struct publish_tree *t, const char *top,
    time_t when, struct buf *out, struct fault *f);

/* Append ${in} as a gzip file (RFC 1952) without name and time. */
CHECKED int publish_gzip(const struct buf *in, struct buf *out,
    struct fault *f);

#endif
