#ifndef ROSTER_ROSTER_REQUESTS_H
#define ROSTER_ROSTER_REQUESTS_H

#include "base/checked.h"
#include "roster/roster_skip.h"
#include "roster/roster_source.h"
#include "roster/roster_stage.h"

/*
 * The log of self-service is a book (map/map_book.h).  Of its entries those of
 * the service ROSTER_REQUESTS_SERVICE were granted, and count from top to
 * bottom:
 *   '+'  NAME may use ACCOUNT, which is its default until the next '+' of it
 *   '-'  NAME may not use ACCOUNT any more; without ACCOUNT: none at all;
 *        without NAME: nobody may use ACCOUNT
 * Entries of other services (what was asked, what was refused) are the desk's
 * own affair.  A book whose chain is broken counts as a source that fails.
 */
#define ROSTER_REQUESTS_SERVICE "map"

/* Put everyone of the book ${path} on the stage ${st}, using ${d}. */
CHECKED int roster_requests_read(const char *path, struct roster_stage *st,
    struct roster_draft *d, struct roster_skips *skips, struct fault *f);

#endif
