#ifndef ROSTER_ROSTER_DIAL_H
#define ROSTER_ROSTER_DIAL_H

#include "base/checked.h"
#include "base/fault.h"
#include "base/own.h"
#include "ldap/own_ldap_types.h"
#include "roster/roster_source.h"

/*
 * A connection that is made in a thread of its own: names are resolved, TLS and
 * Kerberos spoken while the caller does other things.
 */
struct roster_dial;

/* Begin to connect to ${uri} as ${conf} says. */
CHECKED struct roster_dial *roster_dial_begin(const struct roster_source_conf
						  *conf,
    const char *uri, struct fault *f);

/* Becomes readable when it is done. */
int roster_dial_fd(const struct roster_dial *d);

/* 0: not done yet.  1: ${ld} is the caller's.  -1: it failed.  After 1 and -1
 * nothing is left to say but roster_dial_end(). */
CHECKED int roster_dial_done(struct roster_dial *d, LDAP **ld, struct fault *f);

/* Forget it, done or not; waits for nothing. */
void roster_dial_end(struct roster_dial *d);
OWN_FREE_STRUCT(roster_dial, roster_dial_end)

/* The same at once, waiting. */
CHECKED LDAP *roster_dial_now(const struct roster_source_conf *conf,
    const char *uri, struct fault *f);

#endif
