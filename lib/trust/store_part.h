#ifndef TRUST_STORE_PART_H
#define TRUST_STORE_PART_H

#include "trust/shelf.h"
#include "trust/stamp.h"
#include "trust/store.h"

#include <limits.h>

/*
 * A store from the inside, for who asks it (store.c), who makes it
 * (store_load.c), and who reads its revocation lists (store_lists.c).
 *
 * Records live in one array: anchors first, then those that have a signing
 * policy or a CRL but no certificate.
 */
struct store_reading;

struct trust_store {
	char dir[PATH_MAX];
	bool may_be_empty;
	unsigned demands;
	trust_complaint_fn *complain; /* may be NULL */
	void *complain_arg;
	struct stamps *stamps;
	struct shelf *shelf; /* what records point into */
	struct known *known;
	struct trust_anchor *record;
	size_t records;
	size_t anchors;
	size_t buckets; /* a power of two */
	size_t *bucket; /* owned; the first anchor of names that fall there, */
	size_t *after;	/* owned; and the next one: both plus one, 0: none */
	size_t at_once; /* see trust_be_patient() */
	size_t wanted;	/* CAs whose lists are to be read, and are not yet */
	bool lost;	/* there are CAs with TRUST_LISTS_LOST */
	struct store_reading *reading; /* owned; NULL: none under way */
};

/* The next record for the hash that ${name} begins with from *${at} on. */
struct trust_anchor *store_next_of_hash(const struct trust_store *store,
    const char *name, size_t *at);

/* Where a name falls. */
size_t store_bucket(const struct trust_store *store, const struct dn *name);

/* Complain about ${file}. */
void store_complain(const struct trust_store *store, const char *file,
    const struct fault *f);

#endif
