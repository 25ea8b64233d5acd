#ifndef AUTHN_AUTHN_SLOW_H
#define AUTHN_AUTHN_SLOW_H

#include "base/checked.h"
#include "base/own.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Password guessing is slowed per user and per address: after ${user_tries}
 * failures of a user, or ${address_tries} from an address, which many users may
 * share, each further one doubles a wait that begins at a second, up to
 * ${longest_ms}; a success forgets the user's failures (but not the address's:
 * who guesses has an account of his own to succeed with), and time does
 * (halved every ten minutes).  The table is bounded; under pressure the oldest
 * go first.
 *
 * An address is "1.2.3.4:port", "[v6]:port" or either without its port, which
 * does not count.  The 2^64 addresses of an IPv6 network are one, since a
 * single host may use them all.
 */
struct fault;
struct authn_slow;

/* ${entries}: how many users and addresses are remembered. */
CHECKED struct authn_slow *authn_slow_new(size_t entries, unsigned user_tries,
    unsigned address_tries, int64_t longest_ms, struct fault *f);
void authn_slow_free(struct authn_slow *s);

/* Milliseconds until ${user} from ${address} may be heard; 0: now. */
int64_t authn_slow_wait(struct authn_slow *s, const char *user,
    const char *address, int64_t now_ms);

/* A guess of ${user}'s password from ${address} was wrong, or was right. */
void authn_slow_failed(struct authn_slow *s, const char *user,
    const char *address, int64_t now_ms);
void authn_slow_passed(struct authn_slow *s, const char *user,
    const char *address, int64_t now_ms);

OWN_FREE_STRUCT(authn_slow, authn_slow_free)

#endif
