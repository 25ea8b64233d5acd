#ifndef MAPRULE_MAPRULE_WORK_H
#define MAPRULE_MAPRULE_WORK_H

#include "base/buf.h"
#include "maprule/maprule_accounts.h"
#include "maprule/maprule_part.h"
#include "maprule/maprule_set.h"
#include "roster/roster.h"

/* A part at work, for the files of this room. */

#define MAPRULE_KEY_LIMIT ((size_t)1 << 20)
#define MAPRULE_TEXT_LIMIT ((size_t)1 << 24)

/* Groups by name, and what the roster calls them now. */
struct maprule_groups {
	const struct maprule_words *words;
	uint32_t *id; /* ROSTER_NONE: nobody is in it */
	size_t count; /* words times sources */
};

/* Patterns in the form in which names are compared. */
struct maprule_keys {
	size_t count;
	char **key; /* owned */
};

/* A rule that holds on this host, for this service, now. */
struct maprule_use {
	const struct maprule_rule *rule;
	bool *from; /* by the roster's number of a source */
	struct maprule_groups groups;
	struct maprule_groups not_groups;
	struct maprule_keys names;
	struct maprule_keys not_names;
};

/* A ban that holds now. */
struct maprule_live_ban {
	const struct maprule_ban *ban;
	char *key;		      /* of a name or pattern */
	struct maprule_groups groups; /* of a group */
	struct maprule_words word;    /* what groups.words points to */
};

/* Somebody's claim on a name, by a rule. */
struct maprule_claim {
	struct roster_person person;
	size_t use;
	bool subject; /* the name is made of the principal */
	bool line;    /* the person is a line of a file or list */
};

struct maprule_part {
	const struct maprule *rules;
	const struct roster *roster;
	const struct maprule_service *service;
	struct maprule_accounts *accounts;
	time_t now;
	time_t until;
	size_t sources;	     /* of the roster */
	size_t *source_rank; /* of each, in the rules; SIZE_MAX: not there */
	bool *source_lines;  /* its people are lines */
	struct maprule_use *uses;
	size_t use_count;
	struct maprule_live_ban *bans;
	size_t ban_count;
	/* Which of them are of groups, and of name spaces or patterns: these
	 * are looked at one by one, the others are found. */
	size_t *group_bans;
	size_t group_ban_count;
	size_t *shape_bans;
	size_t shape_ban_count;
	struct maprule_set person_bans; /* in lower case */
	/* What bans of people come to, with the number of the ban. */
	struct maprule_set banned_names;
	struct maprule_set banned_accounts;
	struct maprule_claims claims;
	bool counted; /* claims has everyone */
	/* Room that is used again. */
	struct buf key;
	struct buf name_key;
	struct buf text;
	struct buf other;
	struct maprule_claim *found;
	size_t found_count;
	size_t found_room;
	bool *fits;	  /* a use for each */
	uint64_t *hashes; /* of one person's names */
	size_t hash_room;
};

CHECKED int maprule_groups_make(const struct maprule_part *part,
    struct maprule_groups *g, const struct maprule_words *words,
    struct fault *f);
/* Whether ${p} is in one of them; and in ${which}. */
bool maprule_in_one(const struct maprule_groups *g,
    const struct roster_person *p, size_t sources, const char **which);
/* What ends sooner is when the part does. */
void maprule_note_end(struct maprule_part *part, time_t until);
/* The bans that hold now, and whom they are about. */
CHECKED int maprule_bans_make(struct maprule_part *part, struct fault *f);

/* Look up all groups again: their numbers change as they come and go. */
void maprule_groups_now(struct maprule_part *part);

/* The number of the ban of a person or group that ${p} is under, or SIZE_MAX.
 */
size_t maprule_ban_of_person(const struct maprule_part *part,
    const struct roster_person *p);
/* The first ban that the name with ${key} (NUL-terminated) is under. */
size_t maprule_ban_of_name(const struct maprule_part *part, const char *key,
    size_t len);
size_t maprule_ban_of_account(const struct maprule_part *part,
    const char *account);

/* Whether ${use} is about ${p}, whatever the name; ${why} (may be NULL) gets
 * what decided. */
bool maprule_use_fits(const struct maprule_part *part,
    const struct maprule_use *use, const struct roster_person *p,
    struct buf *why);
/* And about the name. */
bool maprule_use_name(const struct maprule_use *use, const char *key);

/* Put the key of ${name} into ${key} and end it with a NUL; NULL and a fault.
 */
CHECKED const char *maprule_key(struct buf *key, const char *name,
    struct fault *f);

/* All claims on the name whose key is part->name_key, the best first; who is
 * banned has none.  part->found has them. */
CHECKED int maprule_claims_on(struct maprule_part *part, struct fault *f);

/* Whether the person ${p} of the claims has the name of part->name_key, and if
 * so whether it is made of the principal: 1, 0 or -1. */
CHECKED int maprule_person_has(struct maprule_part *part,
    const struct roster_person *p, bool *subject, struct fault *f);

/* What becomes of an account that a rule gives: 1 good, 0 and ${loss}, -1. */
CHECKED int maprule_account_judge(struct maprule_part *part,
    const struct maprule_claim *claim, const char *account,
    enum maprule_loss *loss, struct fault *f);

/* Call ${fn} with each account of ${claim}, in order. */
typedef int maprule_account_fn(void *arg, const char *account);
CHECKED int maprule_claim_accounts(struct maprule_part *part,
    const struct maprule_claim *claim, maprule_account_fn *fn, void *arg,
    struct fault *f);

/* Which rules are about ${p}, into part->fits. */
void maprule_fit_uses(struct maprule_part *part, const struct roster_person *p);
/* Add to part->found a claim for each rule of ${fits} that is also about the
 * name of part->name_key. */
CHECKED int maprule_claim_by_rules(struct maprule_part *part,
    const struct roster_person *p, bool subject, const bool *fits,
    struct fault *f);

/* A name whose line is being made. */
struct maprule_making {
	struct maprule_part *part;
	const struct maprule_hear *hear;
	struct maprule_stats *stats;
	struct fault *f;
	const char *name;
	const struct maprule_claim *claim; /* whose accounts are being added */
	struct buf *accounts;
	size_t count;
};

/* The claims on the name are in part->found: tell hear of its line, or that
 * there is none.  What hear->line returned, or -1 and a fault. */
CHECKED int maprule_make_line(struct maprule_making *m);

#endif
