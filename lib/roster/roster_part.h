#ifndef ROSTER_ROSTER_PART_H
#define ROSTER_ROSTER_PART_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"
#include "roster/roster.h"
#include "roster/roster_intern.h"
#include "roster/roster_source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a roster is made of, for the files of this room.
 *
 * A record is one entry of a source in one piece of memory: a person's, or that
 * of a group (which belongs to the shadow of its source, so that both are
 * staged, followed and kept alike).
 */
struct roster_rec {
	uint8_t uuid[ROSTER_UUID];
	uint32_t dn; /* number of ->where among the DNs, if they are nested */
	uint16_t source;
	uint16_t accounts;
	uint16_t names;
	uint32_t groups; /* how many; resolved, ascending */
	/* Where groups are nested: those the entry itself names; of a group's
	 * entry, the DNs of its members.  Ascending. */
	uint32_t direct;
	uint32_t bytes; /* of text */
	/* groups, direct, and then texts, each with a NUL: principal, where,
	 * accounts, names. */
	uint32_t numbers[];
};

/* An entry on its way to be a record. */
struct roster_draft {
	uint8_t uuid[ROSTER_UUID];
	uint32_t dn;
	uint16_t source;
	uint16_t accounts;
	uint16_t names;
	struct buf principal; /* one text, or none */
	struct buf where;     /* one text */
	struct buf lists;     /* accounts, then names, each with a NUL */
	uint32_t *numbers;
	size_t count;
	size_t room;
};

#define ROSTER_ENTRY_MAX (1u << 24) /* bytes of text of one entry */
#define ROSTER_DRAFT                                    \
	((struct roster_draft){ .principal = BUF(4096), \
	    .where = BUF(1u << 16),                     \
	    .lists = BUF(ROSTER_ENTRY_MAX) })

/* A table of records by source and uuid. */
struct roster_table {
	struct roster_rec **slots; /* NULL: gone */
	uint32_t used;		   /* slots that were ever given */
	uint32_t room;
	uint32_t count;
	uint32_t *hash; /* slot + 1; 0 is free */
	uint32_t hash_size;
	uint64_t key[2];
	size_t bytes;
};

struct roster_cookie {
	char *server;
	uint8_t *data;
	size_t len;
};

struct roster_source {
	char *name;
	char *subject;	      /* template */
	char *subject_before; /* of the template up to the first '{' ... */
	char *subject_after;  /* and behind the only one; NULL: use dn_fill */
	char *digest;
	bool shadow;	/* entries of the groups of the source before it */
	bool nested;	/* groups are found by DN: it has a shadow after it */
	bool by_member; /* nested by what the groups say, not the people */
	time_t fresh;
	uint32_t count;
	struct roster_cookie *cookies;
	size_t cookie_count;
	/* Of a nested source: the DNs of the groups that each DN is in. */
	uint32_t *in_start; /* by number of the DN; in_dns + 1 of them */
	uint32_t *in_groups;
	uint32_t in_dns;
	/* The group that a DN is, by its number; ROSTER_NONE. */
	uint32_t *group_of;
};

/* The DNs of groups found on the way up from one person.  One who is in more of
 * them is in these alone. */
struct roster_climb {
	struct roster_draft draft;
	size_t count;
	uint32_t dns[4096];
};

#define ROSTER_SOURCES_MAX 200

struct roster {
	struct roster_table table;
	struct roster_intern groups; /* tag: source */
	struct roster_intern dns;    /* normalised */
	struct roster_source sources[ROSTER_SOURCES_MAX];
	uint32_t source_count;
	roster_watch_fn *watch;
	void *watch_arg;
	struct roster_climb *climb;
};

/* roster_table.c */
void roster_table_init(struct roster_table *t);
void roster_table_free(struct roster_table *t);
uint32_t roster_table_find(const struct roster_table *t, uint32_t source,
    const uint8_t uuid[ROSTER_UUID]);
/* Put in ${rec}, which the table owns from now on, in the place of one with the
 * same key (its slot stays; it is handed out in ${old}) or in a new slot. */
CHECKED int roster_table_put(struct roster_table *t, struct roster_rec *rec,
    uint32_t *slot, struct roster_rec **old, struct fault *f);
/* Take out what is in ${slot}; the caller owns it. */
struct roster_rec *roster_table_take(struct roster_table *t, uint32_t slot);
CHECKED int roster_table_reserve(struct roster_table *t, size_t count,
    struct fault *f);

/* roster_rec.c */
void roster_draft_begin(struct roster_draft *d);
void roster_draft_free(struct roster_draft *d);
CHECKED int roster_draft_number(struct roster_draft *d, uint32_t number,
    struct fault *f);
/* Sort the numbers and drop what is there twice. */
void roster_draft_order(struct roster_draft *d);
/* The record of ${d} in fresh memory: its numbers are ->direct if ${nested}. */
CHECKED struct roster_rec *roster_rec_make(const struct roster_draft *d,
    bool nested, struct fault *f);
/* ${rec} with other groups, in fresh memory. */
CHECKED struct roster_rec *roster_rec_regroup(const struct roster_rec *rec,
    const uint32_t *groups, uint32_t count, struct fault *f);
bool roster_rec_same(const struct roster_rec *a, const struct roster_rec *b,
    bool nested);
size_t roster_rec_size(const struct roster_rec *rec);
const char *roster_rec_texts(const struct roster_rec *rec);
/* Whether its counts fit its ${size} bytes: for what was read from a file. */
bool roster_rec_check(const struct roster_rec *rec, size_t size);
void roster_rec_show(const struct roster_rec *rec, uint32_t id,
    struct roster_person *out);

/* roster_nest.c */
/* Find anew which groups each DN is in, from the records of the shadow of
 * ${source}, and then everybody's groups. */
CHECKED int roster_nest_all(struct roster *r, uint32_t source, struct fault *f);
/* ${rec} with its groups resolved, in the place of ${rec}. */
CHECKED int roster_nest_one(struct roster *r, struct roster_rec **rec,
    struct fault *f);
void roster_nest_forget(struct roster_source *s);
/* The comparable form of an LDAP DN; a failed ${out} is the caller's. */
void roster_dn_fold(const char *dn, size_t len, struct buf *out);

/* roster_source.c: a text that changes with the settings on which the answers
 * to a source's questions depend. */
#define ROSTER_DIGEST_SIZE 65
CHECKED int roster_source_digest(const struct roster_source_conf *conf,
    char digest[ROSTER_DIGEST_SIZE], struct fault *f);

/* roster_ldap.c: what roster_source_read() does with a directory. */
CHECKED int roster_ldap_once(const struct roster_source_conf *conf,
    struct roster *r, roster_skip_fn *skip, void *arg, struct fault *f);

/* roster_state.c: what roster_load() reads; ${unsealed}: whatever its checksum
 * says, for the fuzzer. */
CHECKED struct roster *roster_state_read(struct wire_bytes state, bool unsealed,
    struct fault *f);

/* roster.c */
/* Put in and take out, and tell who watches.  ${rec} is owned by the roster,
 * or freed, whatever is returned. */
CHECKED int roster_rec_put(struct roster *r, struct roster_rec *rec,
    struct fault *f);
void roster_rec_drop(struct roster *r, uint32_t slot);
/* The source ${name}, as roster_source_add(); with ${nested} its shadow too,
 * which is the next number. */
CHECKED uint32_t roster_source_make(struct roster *r, const char *name,
    const char *subject, const char *digest, bool nested, bool by_member,
    struct fault *f);
/* Keep ${len} bytes as what ${server} gave last; NULL forgets it. */
CHECKED int roster_cookie_set(struct roster_source *s, const char *server,
    const void *data, size_t len, struct fault *f);
const struct roster_cookie *roster_cookie_get(const struct roster_source *s,
    const char *server);
void roster_cookie_clear(struct roster_source *s);

#endif
