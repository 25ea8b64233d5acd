#ifndef TRUST_REVOKE_H
#define TRUST_REVOKE_H

#include "base/checked.h"
#include "trust/path.h"

#include <time.h>

struct fault;

/**
 * revoke_check(store, path, now, f):
 * Ask the CRL of each CA in ${path} for the certificate below it (RFC 5280
 * 6.3).  A CA without a CRL is accepted, as by the Toolkit; a CRL that is
 * expired, not yet valid, without an end, forged or not readable is not.
 */
CHECKED int revoke_check(const struct trust_store *store,
    const struct trust_path *path, time_t now, struct fault *f);

#endif
