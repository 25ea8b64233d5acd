#ifndef TRUST_RFC5280_H
#define TRUST_RFC5280_H

#include "base/checked.h"
#include "trust/path.h"

struct fault;

/*
 * RFC 5280 section 6.1, a rule at a time, for a path whose signatures and names
 * fit.  The anchor is held to the rules as well, its own signature excepted.
 */

/* What the end entity, and the leaf, may be: no CA, and of use for TLS. */
path_rule_fn rfc5280_role CHECKED;
path_rule_fn rfc5280_dates CHECKED;
/* No critical extension that is not honoured here. */
path_rule_fn rfc5280_extensions CHECKED;
/* RSA of 2048 bits or more. */
path_rule_fn rfc5280_key CHECKED;
/* extendedKeyUsage, which in a CA binds all below it. */
path_rule_fn rfc5280_purpose CHECKED;
/* Of CAs: basicConstraints, keyUsage, path length. */
path_rule_fn rfc5280_ca CHECKED;

#endif
