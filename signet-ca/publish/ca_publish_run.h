#ifndef SIGNET_CA_CA_PUBLISH_RUN_H
#define SIGNET_CA_CA_PUBLISH_RUN_H

#include "base/checked.h"

#include <time.h>

struct fault;

/**
 * publish_run(argv, home, when, f):
 * Run the program ${argv}[0], found on PATH, to its end; no shell is in
 * between.  It has nothing on its standard input and an environment of its
 * own: PATH, HOME and TMPDIR (${home}), the C locale, UTC, and
 * SOURCE_DATE_EPOCH ${when}.  What it says is shown only if it fails: then its
 * last line is in the fault.  FAULT_ABSENT if there is no such program.
 */
CHECKED int publish_run(const char *const *argv, const char *home, time_t when,
    struct fault *f);

#endif
