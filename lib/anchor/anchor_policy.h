#ifndef ANCHOR_ANCHOR_POLICY_H
#define ANCHOR_ANCHOR_POLICY_H

#include "anchor/want.h"
#include "base/buf.h"
#include "base/checked.h"

/*
 * The signing_policy that follows from a description: that which came with it,
 * or one made of its patterns, once in each spelling in which the Toolkit may
 * meet the names (facts: FORMATS 1.2 and section 3).  Where a value has a slash
 * or plus, the spellings with OpenSSL 3's backslash follow.
 */
struct fault;

/* Append it.  ${gt3}: GT3's spelling too.  FAULT_INPUT if ${want} has no
 * subject or a name that cannot be written. */
CHECKED int anchor_policy(const struct anchor_want *want, bool gt3,
    struct buf *out, struct fault *f);

#endif
