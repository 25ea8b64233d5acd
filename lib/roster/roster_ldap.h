#ifndef ROSTER_ROSTER_LDAP_H
#define ROSTER_ROSTER_LDAP_H

#include "base/checked.h"
#include "base/own.h"
#include "roster/roster_source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A directory that is followed: RFC 4533 refreshAndPersist, for a process that
 * has other things to do.  It never waits: a server is connected to in a thread
 * of its own, and what it says is read when there is something to read.
 *
 * Replicas are tried in their order; while all are down they are tried again
 * after 1 s, doubled up to a minute (and at once on roster_ldap_retry()).  A
 * directory that cannot be followed (no RFC 4533) is dumped each five minutes.
 */
struct fault;
struct roster;
struct roster_ldap;

enum roster_ldap_state {
	ROSTER_LDAP_CONNECTING,
	ROSTER_LDAP_REFRESHING, /* the roster still shows what was before */
	ROSTER_LDAP_CURRENT,	/* it follows the directory */
	ROSTER_LDAP_WAITING,	/* it was a dump: till the next one */
	ROSTER_LDAP_LOST,	/* until the next try */
};

struct roster_ldap_status {
	enum roster_ldap_state state;
	const char *server; /* in use, or last tried */
	uint64_t entries;   /* that came in this refresh */
	uint64_t refreshes; /* that were completed since the beginning */
	uint64_t changes;   /* people put, replaced or dropped in the roster */
	uint64_t skipped;   /* values and entries passed over, ever */
	const struct fault *fault; /* LOST: why; else NULL */
};

/**
 * roster_ldap_begin(conf, r, skip, arg, f):
 * Begin to follow ${conf} (ROSTER_LDAP) into ${r}.  Both must stay until
 * roster_ldap_end().  The first connection is begun, not waited for.
 */
CHECKED struct roster_ldap *roster_ldap_begin(const struct roster_source_conf
						  *conf,
    struct roster *r, roster_skip_fn *skip, void *arg, struct fault *f);

/* Disconnect and forget.  Waits for nothing. */
void roster_ldap_end(struct roster_ldap *l);
OWN_FREE_STRUCT(roster_ldap, roster_ldap_end)

/* The descriptor to watch for reading now, -1 none: ask again after each step.
 * And in how many milliseconds roster_ldap_step() is wanted at the latest,
 * whatever the descriptor says; -1: not before it does. */
int roster_ldap_fd(const struct roster_ldap *l);
int64_t roster_ldap_wait_ms(const struct roster_ldap *l);

/**
 * roster_ldap_step(l, f):
 * Do what can be done now, but not for longer than about 50 ms at a time (the
 * end of a refresh of very many takes longer), and change the roster if there
 * is something whole to change.  -1 and a fault only if it makes no sense to go
 * on (memory); what ails the directory is in the status.
 */
CHECKED int roster_ldap_step(struct roster_ldap *l, struct fault *f);

/* Try now, if LOST or WAITING. */
void roster_ldap_retry(struct roster_ldap *l);

void roster_ldap_status(const struct roster_ldap *l,
    struct roster_ldap_status *out);

#endif
