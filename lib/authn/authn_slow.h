#ifndef AUTHN_AUTHN_SLOW_H
#define AUTHN_AUTHN_SLOW_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Password guessing is slowed per user and per address: after ${free_tries}
 * failures each further one doubles a wait, up to ${longest_ms}; a success
 * forgets the user's failures, and time does (halved every ten minutes).  The
 * table is bounded; under pressure the oldest go first.
 */
struct fault;
struct authn_slow;

CHECKED struct authn_slow *authn_slow_new(size_t entries, unsigned free_tries,
    int64_t longest_ms, struct fault *f);
void authn_slow_free(struct authn_slow *s);

/* Milliseconds until ${user} from ${address} may be heard; 0: now. */
int64_t authn_slow_wait(struct authn_slow *s, const char *user,
    const char *address, int64_t now_ms);
void authn_slow_failed(struct authn_slow *s, const char *user,
    const char *address, int64_t now_ms);
void authn_slow_passed(struct authn_slow *s, const char *user,
    const char *address, int64_t now_ms);

OWN_FREE_STRUCT(authn_slow, authn_slow_free)

#endif
