#ifndef TRUST_SUBTREE_H
#define TRUST_SUBTREE_H

#include "base/checked.h"
#include "base/wire.h"

#include <stdbool.h>

/* Whether names lie in subtrees of names (RFC 5280 4.2.1.10 and 7.1). */

/**
 * subtree_directory(name, base):
 * Whether the Name ${name} begins with all RDNs of the Name ${base}: 1 or 0.
 * Letters' case, blanks and the types of strings make no difference.  -1 if a
 * value's type or characters are beyond comparison.
 */
CHECKED int subtree_directory(struct wire_bytes name, struct wire_bytes base);

/* Whether the DNS name ${name} is in ${base}: "a.org" covers itself and what is
 * below it, ".a.org" only the latter, "" all. */
bool subtree_domain(struct wire_bytes name, struct wire_bytes base);

/* Whether the wildcard "*.a.org" in ${name} may stand for a name in ${base}. */
bool subtree_wildcard(struct wire_bytes name, struct wire_bytes base);

#endif
