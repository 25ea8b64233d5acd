#ifndef MAPRULE_MAPRULE_HOST_H
#define MAPRULE_MAPRULE_HOST_H

#include "base/checked.h"
#include "maprule/maprule.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Which hosts a pattern means.  A name, without regard to case, in which `*`
 * stands for any characters but a dot (so for one label, or a part of one), `?`
 * for one of these, and `**` for any characters with dots; or an address, or a
 * network in CIDR form (RFC 4632, RFC 4291 2.3) of IPv4 or IPv6.  `!` before it
 * takes what fits away from the others, wherever it stands.
 */
struct fault;

/* FAULT_CONFIG for what is no pattern, or a network with bits set behind its
 * prefix. */
CHECKED int maprule_host_check(const char *pattern, struct fault *f);

/* Whether ${host} has a name or an address that one of ${patterns} fits and
 * none with '!'.  No patterns mean every host. */
bool maprule_host_fits(const struct maprule_words *patterns,
    const struct maprule_host *host);

/* Whether ${text} as a whole fits: `*` any bytes, `?` one. */
bool maprule_glob(const char *pattern, const char *text);

#endif
