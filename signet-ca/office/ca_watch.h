#ifndef SIGNET_CA_CA_WATCH_H
#define SIGNET_CA_CA_WATCH_H

#include "base/checked.h"

#include <jansson.h>

struct fault;

/**
 * ca_hook_run(program, event, f):
 * Run ${program} with the members of ${event} as SIGNET_... in its environment
 * and the whole as a line of JSON on its standard input.  1 if it ended with 0,
 * 0 (and a word on standard error) if not, -1 if it could not be run.
 */
CHECKED int ca_hook_run(const char *program, const json_t *event,
    struct fault *f);

#endif
