#ifndef ROSTER_ROSTER_H
#define ROSTER_ROSTER_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * Who there is: people from several sources and the groups they are in, in
 * memory.  It knows no hosts and no rules.  Everything in it has been checked:
 * accounts, principals and names of certificates hold no byte that a map file
 * could mistake for something else, names are in the one-line form of
 * dn_show_slash().
 *
 * A source changes it through a stage (roster_stage.h), which shows all of a
 * change or nothing.  One thread uses a roster at a time.
 */
struct fault;
struct roster;

#define ROSTER_UUID 16
#define ROSTER_NAME_SIZE 1024	/* of a name with its NUL */
#define ROSTER_ACCOUNT_SIZE 256 /* of an account with its NUL */
#define ROSTER_NONE UINT32_MAX	/* no person, no group, no source */

/*
 * One person, or what a line of a file stands for.  All texts are borrowed and
 * good until the roster changes (in a roster_watch_fn: until it returns).
 */
struct roster_person {
	uint32_t id; /* good while this roster is in memory; never 2 people's */
	uint32_t source;     /* see roster_source_name() */
	const uint8_t *uuid; /* ROSTER_UUID bytes: entryUUID, or of the name */
	const char *principal;	/* "" if there is none */
	const char *account;	/* the first one, "" if there is none */
	size_t account_count;	/* with the first; roster_account_at() */
	const char *where;	/* LDAP DN, or "FILE:LINE" */
	size_t name_count;	/* certificates' names, roster_name_at() */
	const uint32_t *groups; /* ids in ascending order, nesting resolved */
	size_t group_count;
	const char *texts; /* the packed accounts and names; opaque */
};

CHECKED struct roster *roster_new(struct fault *f);
void roster_free(struct roster *r);
OWN_FREE_STRUCT(roster, roster_free)

/* How many people there are; and of ${source}. */
size_t roster_count(const struct roster *r);
size_t roster_count_of(const struct roster *r, uint32_t source);

/* Bytes of memory that the people take (for status and the bench). */
size_t roster_memory(const struct roster *r);

/* The person ${id}; false if there is none any more. */
bool roster_person(const struct roster *r, uint32_t id,
    struct roster_person *out);

/**
 * roster_each(r, fn, arg):
 * Call fn for everyone, in order of id (sources are mixed).  It stops when fn
 * returns other than 0, and returns that; 0 at the end.  The roster may not be
 * changed meanwhile.
 */
typedef int roster_each_fn(void *arg, const struct roster_person *p);
int roster_each(const struct roster *r, roster_each_fn *fn, void *arg);

/* Account ${i} < account_count of ${p}. */
const char *roster_account_at(const struct roster_person *p, size_t i);

/**
 * roster_name_next(r, p, at, text):
 * The names under which ${p} may come, one each call: first the subject made
 * from the principal by the source's template (if it has one, and the person a
 * principal it can be filled with), then those the entry lists.  ${at} is 0
 * before the first call.  false: there are no more.
 */
bool roster_name_next(const struct roster *r, const struct roster_person *p,
    size_t *at, char text[ROSTER_NAME_SIZE]);

/**
 * roster_find_name(r, text, fn, arg):
 * Call fn for everyone who has the certificate name ${text} in any of the
 * spellings that map_name_key() makes equal.  It looks at everyone: for people
 * who wait, not for each of many.  As roster_each().
 */
int roster_find_name(const struct roster *r, const char *text,
    roster_each_fn *fn, void *arg);

/*
 * Sources, in the order in which they were first named.
 */
size_t roster_source_count(const struct roster *r);
const char *roster_source_name(const struct roster *r, uint32_t source);
uint32_t roster_source_find(const struct roster *r, const char *name);

/* When ${source} last was known to be complete and current, by the wall clock:
 * the end of a refresh, or while it is followed the last word heard from it.  0
 * never. */
time_t roster_source_fresh(const struct roster *r, uint32_t source);

/*
 * Groups.  A group belongs to one source.  Its name is what the source's
 * attribute says (isMemberOf), a normalised LDAP DN (memberOf), or with
 * `groups member` the group entry's name attribute.
 */

/**
 * roster_group_find(r, source, name):
 * The group ${name} as a person writes it in a rule: the exact name, or for
 * groups that are LDAP entries their DN in any spelling of case and blanks.
 * ROSTER_NONE if nobody is in such a group (now).  Ids are not used again.
 */
uint32_t roster_group_find(const struct roster *r, uint32_t source,
    const char *name);
size_t roster_group_count(const struct roster *r);
const char *roster_group_name(const struct roster *r, uint32_t group);
uint32_t roster_group_source(const struct roster *r, uint32_t group);

/* Whether ${p} is in ${group} (false for ROSTER_NONE). */
bool roster_in(const struct roster_person *p, uint32_t group);

/**
 * roster_watch(r, fn, arg):
 * From now on call fn for each person that changes: ${before} is NULL for one
 * who is new, ${after} for one who is gone.  A person who only moved in the
 * directory keeps uuid and id.  The roster already shows ${after}; of a change
 * of many, others may follow.  fn NULL ends it.
 */
typedef void roster_watch_fn(void *arg, const struct roster_person *before,
    const struct roster_person *after);
void roster_watch(struct roster *r, roster_watch_fn *fn, void *arg);

/**
 * roster_drop_source(r, source):
 * Everyone of ${source} goes, with all that is known of it but the name (for a
 * source that the rules name no more, or that has been silent past max-age).
 */
CHECKED int roster_drop_source(struct roster *r, uint32_t source,
    struct fault *f);

/**
 * roster_put(r, source, put, f), roster_drop(r, source, uuid, f):
 * Add or replace, and remove, one person directly: for tests and for sources
 * made of single statements.  Wrong values are FAULT_INPUT and change nothing.
 * Dropping who is not there is no fault.
 */
struct roster_put {
	uint8_t uuid[ROSTER_UUID];
	const char *principal; /* NULL as "" */
	const char *const *accounts;
	size_t account_count;
	const char *const *names; /* one-line form, any spelling that is read */
	size_t name_count;
	const char *const *groups; /* names */
	size_t group_count;
	const char *where;
};
CHECKED int roster_put(struct roster *r, uint32_t source,
    const struct roster_put *put, struct fault *f);
CHECKED int roster_drop(struct roster *r, uint32_t source,
    const uint8_t uuid[ROSTER_UUID], struct fault *f);

/**
 * roster_source_add(r, name, subject, digest, f):
 * The source ${name}, made if it is new.  ${subject} is the template of its
 * people's subjects, in which {principal}, {user} (up to the '@') and {account}
 * stand for these ("" none).  ${digest} stands for all settings on which its
 * answers depend ("" none): if it is another than before, its cookies are
 * forgotten, so that the next refresh asks for everything; its people stay
 * until that has come.  ROSTER_NONE and a fault if the template cannot be read.
 */
CHECKED uint32_t roster_source_add(struct roster *r, const char *name,
    const char *subject, const char *digest, struct fault *f);

#endif
