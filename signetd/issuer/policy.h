#ifndef SIGNETD_ISSUER_POLICY_H
#define SIGNETD_ISSUER_POLICY_H

#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"
#include "x509/catalog.h"

/*
 * What may be issued: the profiles and the CAs, as one reading of the
 * configuration had them.  A request goes to its end under the policy it began
 * with, so a policy lives as long as anything refers to it.
 */
struct fault;
struct policy;

CHECKED struct policy *policy_new(struct fault *f);
struct policy *policy_hold(struct policy *policy);
void policy_free(struct policy *policy); /* one holder less */

/* One more CA from the texts of its ca.conf, certificate and chain (which may
 * be empty).  What goes with each certificate of it, ca->chain, is its own and
 * those above, DER after DER. */
CHECKED int policy_add_ca(struct policy *policy, struct wire_bytes conf,
    struct wire_bytes cert, struct wire_bytes chain, struct fault *f);

/* One more profile: its first line is "# NAME".  Its CA must have been added
 * and sign end entities: no CA certificate is issued online. */
CHECKED int policy_add_profile(struct policy *policy, struct wire_bytes text,
    struct fault *f);

size_t policy_cas(const struct policy *policy);
const struct catalog_ca *policy_ca(const struct policy *policy, size_t n);

/* The profile called ${name}, "" for the first, with its CA; FAULT_DENIED if
 * there is none. */
CHECKED int policy_find(const struct policy *policy, const char *name,
    const struct profile **profile, const struct catalog_ca **ca,
    struct fault *f);

OWN_FREE_STRUCT(policy, policy_free)

#endif
