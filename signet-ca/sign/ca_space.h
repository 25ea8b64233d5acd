#ifndef SIGNET_CA_CA_SPACE_H
#define SIGNET_CA_CA_SPACE_H

#include "base/checked.h"
#include "x509/authority.h"

/*
 * The name space of a CA that signs people, hosts and robots has no names of
 * CAs: who holds such a name passes for a CA where a subject is all that is
 * looked at, as in a signing_policy (facts: FORMATS).
 */
struct fault;

/* FAULT_DENIED, with the reason, if ${subject} of the new CA, or the subject
 * or name space of ${above} (NULL: not known here) lies in ${space}, a
 * may-sign-under; FAULT_CONFIG if that is no name. */
CHECKED int ca_space_check(const char *space, const struct dn *subject,
    const struct authority *above, struct fault *f);

#endif
