#ifndef TRUST_RFC3820_H
#define TRUST_RFC3820_H

#include "base/checked.h"
#include "trust/path.h"

struct fault;

/**
 * rfc3820_check(path, f):
 * Judge the proxies of ${path} (RFC 3820 section 4.1 and 3.4 to 3.8; the
 * Toolkit's rule that generations do not mix).  Restricted proxies, whose
 * policy nobody here can judge, are refused (3.8.2).  Draft and legacy proxies
 * are held to the same rules as far as they have the fields.
 */
CHECKED int rfc3820_check(const struct trust_path *path, struct fault *f);

#endif
