#ifndef ROSTER_ROSTER_LINES_H
#define ROSTER_ROSTER_LINES_H

#include "base/checked.h"
#include "roster/roster_part.h"
#include "roster/roster_skip.h"
#include "roster/roster_source.h"

/*
 * Sources that are lines: grid-mapfiles, lists of names from files and over
 * http(s), and the log of self-service.
 */

/* Bring ${r} up to date with all of the lines of ${conf}, or say what is wrong
 * and leave it. */
CHECKED int roster_lines_read(const struct roster_source_conf *conf,
    struct roster *r, struct roster_skips *skips, struct fault *f);

#endif
