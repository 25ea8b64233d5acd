#ifndef SYS_FILTER_H
#define SYS_FILTER_H

#include "base/checked.h"

#include <stdbool.h>
#include <stdint.h>

/* The seccomp filter, for sandbox.c. */
struct fault;

/**
 * filter_enter(promises, log_only, f):
 * From now on this process makes only the system calls of ${promises} (bits 1
 * << SANDBOX_X): any other kills it, or with ${log_only} is logged.
 * no_new_privs must have been set.
 */
CHECKED int filter_enter(uint64_t promises, bool log_only, struct fault *f);

#endif
