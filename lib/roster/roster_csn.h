#ifndef ROSTER_ROSTER_CSN_H
#define ROSTER_ROSTER_CSN_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The cookies of RFC 4533 are the server's own affair, with one exception:
 * OpenLDAP's, "rid=001,sid=002,csn=CSN;CSN", say in a message about one change
 * only what changed, the CSN of the one server where it was made.  The others
 * of before still count.
 */

/**
 * roster_csn_join(old, old_len, said, said_len, out):
 * Append to ${out} the cookie to keep when ${said} comes after ${old} (which
 * may be empty): the newest CSN of each server, without the server's own number
 * (a server sent its own number would leave out its own changes).  If ${said}
 * is not OpenLDAP's: ${said} as it is; if ${old} is not, it says nothing.
 */
void roster_csn_join(const void *old, size_t old_len, const void *said,
    size_t said_len, struct buf *out);

#endif
