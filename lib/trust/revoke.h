#ifndef TRUST_REVOKE_H
#define TRUST_REVOKE_H

#include "base/checked.h"
#include "trust/path.h"

struct fault;

/**
 * revoke_crl(q, path, i, f):
 * Ask the CRL of the CA above the ${i}th certificate for that, unless it is a
 * proxy (RFC 5280 6.3).  A CA without a CRL is refused, unless the trust
 * directory has <hash>.crl_optional for it or ${q} has TRUST_CRL_OPTIONAL; a
 * CRL that is expired, not yet valid, without an end, forged or not readable is
 * always refused.
 */
path_rule_fn revoke_crl CHECKED;

#endif
