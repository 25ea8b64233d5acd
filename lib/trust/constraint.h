#ifndef TRUST_CONSTRAINT_H
#define TRUST_CONSTRAINT_H

#include "base/checked.h"
#include "trust/path.h"

struct fault;

/**
 * constraint_names(q, path, i, f):
 * Hold every certificate of ${path} below the ${i}th, but proxies, to the
 * nameConstraints of that, if it is a CA (RFC 5280 4.2.1.10).  Directory names
 * and DNS names are compared; a certificate with a name of another form that is
 * constrained is refused, since we cannot tell.  A host named by its CN alone
 * is held to the constraints on DNS names.
 */
path_rule_fn constraint_names CHECKED;

#endif
