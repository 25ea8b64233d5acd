#ifndef TRUST_CONSTRAINT_H
#define TRUST_CONSTRAINT_H

#include "base/checked.h"
#include "trust/path.h"

struct fault;

/**
 * constraint_check(path, f):
 * Hold every certificate of ${path} but proxies to the nameConstraints of the
 * CAs above it (RFC 5280 4.2.1.10).  Directory names and DNS names are
 * compared; a certificate with a name of another form that is constrained is
 * refused, since we cannot tell.  A host named by its CN alone is held to the
 * constraints on DNS names.
 */
CHECKED int constraint_check(const struct trust_path *path, struct fault *f);

#endif
