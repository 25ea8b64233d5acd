#ifndef TRUST_RFC3820_H
#define TRUST_RFC3820_H

#include "base/checked.h"
#include "trust/path.h"

struct fault;

/**
 * rfc3820_proxy(q, path, i, f):
 * Judge the ${i}th certificate if it is a proxy (RFC 3820 section 4.1 and 3.4
 * to 3.8; the Toolkit's rule that generations do not mix).  Restricted proxies,
 * whose policy nobody here can judge, are refused (3.8.2).  Draft and legacy
 * proxies are held to the same rules as far as they have the fields, if ${q}
 * lets them in at all.
 */
path_rule_fn rfc3820_proxy CHECKED;

#endif
