#ifndef ROSTER_ROSTER_SEARCH_H
#define ROSTER_ROSTER_SEARCH_H

#include "base/buf.h"
#include "base/checked.h"
#include "roster/roster_entry.h"
#include "roster/roster_stage.h"

#include <ldap.h>

/*
 * One search of a directory, of people or of groups, from the question to the
 * last answer: a dump (with or without pages), RFC 4533 refreshOnly, or
 * refreshAndPersist.  What it heard is in its stage.
 */
enum roster_search_how {
	ROSTER_SEARCH_DUMP,
	ROSTER_SEARCH_REFRESH,
	ROSTER_SEARCH_FOLLOW
};

enum roster_heard {
	ROSTER_HEARD_MORE,	/* something; the refresh goes on */
	ROSTER_HEARD_REFRESHED, /* the refresh is over */
	ROSTER_HEARD_CHANGE,	/* after it: the stage is whole again */
	ROSTER_HEARD_NOTHING,	/* after it: nothing to keep */
	ROSTER_HEARD_NEXT_PAGE, /* start it again, it knows what for */
	ROSTER_HEARD_STALE,	/* the cookie is of no use: ask for all */
	ROSTER_HEARD_NO_SYNC,	/* the server does not know RFC 4533 */
	ROSTER_HEARD_LIMITED,	/* the server gives so many at a time */
	ROSTER_HEARD_FAULT
};

struct roster_search {
	struct roster *r;
	uint32_t source;
	const char *base;
	const char *filter;
	const char *server;
	struct roster_plan *plan;
	struct roster_skips *skips;
	struct roster_draft draft;
	enum roster_search_how how;
	unsigned page; /* DUMP: 0 none */
	int id;	       /* of the request; -1 none */
	bool full;     /* asked without cookie: who is not mentioned goes */
	bool refreshed;
	bool committed; /* the refresh is in the roster */
	struct roster_stage *stage;
	struct berval page_cookie;
	struct buf cookie; /* to keep, when the stage is committed */
};

/* ${base} and ${filter} are borrowed, ${plan} is taken. */
void roster_search_init(struct roster_search *s, struct roster *r,
    uint32_t source, struct roster_plan *plan, struct roster_skips *skips);
void roster_search_free(struct roster_search *s);

/* Ask for everything, or (unless ${full}) for what changed since the cookie
 * that ->server gave.  What the stage held is dropped. */
CHECKED int roster_search_start(struct roster_search *s, LDAP *ld, bool full,
    struct fault *f);
CHECKED int roster_search_next_page(struct roster_search *s, LDAP *ld,
    struct fault *f);

/* Take what the server said to this search.  ${f} is set with FAULT alone. */
CHECKED enum roster_heard roster_search_hear(struct roster_search *s, LDAP *ld,
    LDAPMessage *m, struct fault *f);

/* Put it into the roster, with its cookie. */
CHECKED int roster_search_commit(struct roster_search *s, struct fault *f);

#endif
