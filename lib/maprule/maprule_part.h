#ifndef MAPRULE_MAPRULE_PART_H
#define MAPRULE_MAPRULE_PART_H

#include "base/checked.h"
#include "base/own.h"
#include "maprule/maprule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * The part of the rules that concerns one service of one host, and what it
 * makes of a roster: which name may use which accounts.
 *
 * Who claims a name, decided once, here: a person has the subject that his
 * source makes of his principal, and the names that his entry lists.  Of
 * several claims on one name wins that of the rule with the higher priority; of
 * one rule's that of the person whose subject it is before one whose entry
 * merely lists it; then the source that stands first in the rules, then the
 * entry's own name (so that order of arrival decides nothing).  Whoever else
 * claimed it is a conflict, and reported.
 *
 * Bans come first (who is banned claims nothing) and last (no line leaves here
 * with a banned name, in any spelling, or a banned account).
 *
 * An account called root, or with uid 0 by whatever name, or outside the
 * service's uid range, is nobody's, whatever is said.
 */
struct fault;
struct maprule_accounts;
struct maprule_part;
struct roster;

#define MAPRULE_LINE_ACCOUNTS 32

/* One name and what it may use.  Borrowed until the callback returns. */
struct maprule_line {
	const char *name;      /* as dn_show_slash writes it */
	const char *accounts;  /* parted by commas, the default first */
	const char *rule;      /* label of the rule that gave the default */
	const char *source;    /* name of its source */
	const char *entry;     /* and of the entry there */
	const char *principal; /* "" if the entry has none */
};

/* ${other} claimed ${won}'s name too. */
struct maprule_conflict {
	const struct maprule_line *won;
	const struct maprule_line *other;
};

/* What is left out, and why: not a fault of the whole. */
enum maprule_loss {
	MAPRULE_LOSS_ABSENT, /* no such account here */
	MAPRULE_LOSS_ROOT,   /* root, or uid 0 */
	MAPRULE_LOSS_RANGE,  /* uid outside the service's range */
	MAPRULE_LOSS_BAD,    /* no name for an account: `,`, blank, `#`... */
	MAPRULE_LOSS_BANNED,
	MAPRULE_LOSS_INTERNAL /* the last look at the bans had to remove it */
};
const char *maprule_loss_text(enum maprule_loss loss);

/* Where a build reports.  Each may be NULL; non-zero from line stops it. */
struct maprule_hear {
	int (*line)(void *arg, const struct maprule_line *line);
	void (*gone)(void *arg, const char *name); /* not of a build */
	void (*conflict)(void *arg, const struct maprule_conflict *c);
	void (*loss)(void *arg, enum maprule_loss loss,
	    const struct maprule_line *line, const char *account);
	void *arg;
};

struct maprule_stats {
	size_t people;
	size_t names;
	size_t conflicts;
	size_t lost[MAPRULE_LOSS_INTERNAL + 1];
};

/**
 * maprule_for(rules, roster, host, service, accounts, now, f):
 * The part of ${rules} for ${service} on ${host} at ${now}, over ${roster}.
 * All four are borrowed for as long as the part lives; ${accounts} are those of
 * this host (NULL: of another host, nothing is known of uids, and `exist` and
 * `uid` are passed over; root is still nobody's).  FAULT_ABSENT if no service
 * block of that name is for the host.
 * A part holds what the bans of people and groups mean in the roster: make it
 * anew after a change of rules, bans, or when maprule_part_until is over.
 */
CHECKED struct maprule_part *maprule_for(const struct maprule *rules,
    const struct roster *roster, const struct maprule_host *host,
    const char *service, struct maprule_accounts *accounts, time_t now,
    struct fault *f);
void maprule_part_free(struct maprule_part *part);
OWN_FREE_STRUCT(maprule_part, maprule_part_free)

const struct maprule_service *maprule_part_service(const struct maprule_part
	*part);
/* When a ban or a rule of it ends next; 0 if none does. */
time_t maprule_part_until(const struct maprule_part *part);

/**
 * maprule_build(part, hear, stats, f):
 * Every name of the part, once each, in the roster's order.  What ${hear}'s
 * line returned if that was not 0; -1 and a fault if an account cannot be asked
 * for (the map as it is must stay then); 0.  ${stats} may be NULL.
 */
CHECKED int maprule_build(struct maprule_part *part,
    const struct maprule_hear *hear, struct maprule_stats *stats,
    struct fault *f);

/**
 * maprule_name(part, name, hear, f):
 * What the part makes of one name, given in any spelling: hear->line or
 * hear->gone is called, once.  The first call after maprule_for looks at
 * everyone, as a build does; later ones take microseconds.
 */
CHECKED int maprule_name(struct maprule_part *part, const char *name,
    const struct maprule_hear *hear, struct fault *f);

/**
 * maprule_change(part, before, after, hear, f):
 * What changes when a person does, called from roster_watch_fn with what that
 * was given: hear->line or hear->gone for each name that the person had or has,
 * as it stands now (it may have stood so before).  0; 1: nothing was heard and
 * the part must be made anew and built whole, because a ban of a person or a
 * group is about this one, and others may be concerned; -1 and a fault (the map
 * as it is must stay, and the part be made anew).
 */
struct roster_person;
CHECKED int maprule_change(struct maprule_part *part,
    const struct roster_person *before, const struct roster_person *after,
    const struct maprule_hear *hear, struct fault *f);

/* Whether a ban forbids the line ${name} ${account} (either may be NULL): for a
 * map as it stands, so that a ban can be pushed before a build is done.  1 and
 * which ban, 0, or -1 and a fault. */
CHECKED int maprule_forbids(struct maprule_part *part, const char *name,
    const char *account, const struct maprule_ban **ban, struct fault *f);

/* One step of why: what was looked at, and what it came to. */
struct maprule_step {
	const char *path; /* of the rules or bans file; "" if none */
	int line;	  /* 0: of no line */
	const char *what; /* "map cit-users", "ban person x", "account y" */
	bool decides;	  /* this settled it */
	const char *text; /* what it came to */
};
typedef void maprule_step_fn(void *arg, const struct maprule_step *step);

/**
 * maprule_why(rules, roster, host, service, accounts, now, name, fn, arg, f):
 * Every ban, person and rule considered for ${name}, in order, those for other
 * hosts and services too, and what decided.  1 if it is mapped, 0 if not.
 */
CHECKED int maprule_why(const struct maprule *rules,
    const struct roster *roster, const struct maprule_host *host,
    const char *service, struct maprule_accounts *accounts, time_t now,
    const char *name, maprule_step_fn *fn, void *arg, struct fault *f);

#endif
