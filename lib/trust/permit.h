#ifndef TRUST_PERMIT_H
#define TRUST_PERMIT_H

#include "base/checked.h"
#include "trust/path.h"

/*
 * What a CA may sign, as the trust directory has it: for each link from the
 * end entity up, but for CAs that sign themselves.  Neither is asked under
 * TRUST_NO_SIGNING_POLICY.
 */
struct fault;

/* The signing policy of the CA above the ${i}th permits that one's name.  There
 * must be a policy. */
path_rule_fn permit_policy CHECKED;

/* No namespaces file forbids it: neither that of the CA above the ${i}th, nor
 * one of the CAs above that, which may speak of those below them.  There need
 * be none; one that cannot be read permits nothing. */
path_rule_fn permit_namespaces CHECKED;

#endif
