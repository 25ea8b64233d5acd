#ifndef OFFICE_OFFICE_RULES_H
#define OFFICE_OFFICE_RULES_H

#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"
#include "office/request.h"
#include "x509/authority.h"
#include "x509/profile.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What a daemon's office issues: the CAs it has, the profiles that may be asked
 * for, and when enough people have approved.  Desk and issuer judge by the same
 * rules, each for itself.
 */
struct fault;
struct office_rules;

CHECKED struct office_rules *office_rules_new(struct fault *f);
struct office_rules *office_rules_hold(struct office_rules *rules);
void office_rules_free(struct office_rules *rules); /* one holder less */
OWN_FREE_STRUCT(office_rules, office_rules_free)

/* One more CA, from the texts of its ca.conf, certificate and chain (PEM; may
 * be empty). */
CHECKED int office_rules_add_ca(struct office_rules *rules,
    struct wire_bytes conf, struct wire_bytes cert, struct wire_bytes chain,
    struct fault *f);

/* One more profile: its first line is "# NAME".  FAULT_CONFIG for one of CAs or
 * of persons. */
CHECKED int office_rules_add_profile(struct office_rules *rules,
    struct wire_bytes text, struct fault *f);

size_t office_rules_cas(const struct office_rules *rules);
const struct authority *office_rules_ca(const struct office_rules *rules,
    size_t n);
/* The CA called ${name}, or NULL; and the PEM of those above it (borrowed,
 * empty if there is none of that name). */
const struct authority *office_rules_find_ca(const struct office_rules *rules,
    const char *name);
struct wire_bytes office_rules_chain(const struct office_rules *rules,
    const char *name);
/* Or NULL. */
const struct profile *office_rules_find_profile(const struct office_rules
						    *rules,
    const char *name);

/**
 * office_rules_judge(rules, r, profile, ca, f):
 * Whether ${r} may be issued at all, by the rules of its profile for names, key
 * and lifetime, and within the name space of a CA: the one that the profile
 * names, else the first whose name space has the subject.  FAULT_DENIED,
 * FAULT_KEY or FAULT_INPUT says why not.
 */
CHECKED int office_rules_judge(const struct office_rules *rules,
    const struct request *r, const struct profile **profile,
    const struct authority **ca, struct fault *f);

/* Somebody's word on a request. */
enum office_verdict {
	OFFICE_APPROVE = 1,
	OFFICE_REJECT,
	OFFICE_WITHDRAW
};
struct office_vote {
	enum office_verdict verdict;
	char who[64];
};

/* Whether ${profile} needs no further approval of what ${asked} asked for:
 * enough different people said yes, not counting the asker where the profile
 * wants a second person, and nobody said no.  *${missing} (if not NULL) is how
 * many more it takes. */
bool office_rules_enough(const struct profile *profile, const char *asked,
    const struct office_vote *votes, size_t count, unsigned *missing);

#endif
