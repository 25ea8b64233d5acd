#ifndef TRUST_STORE_LISTS_H
#define TRUST_STORE_LISTS_H

#include "base/checked.h"
#include "trust/store.h"

/* The revocation lists of a store, each CA's read when it is asked for. */
struct store_reading;

/* There is a list in the directory for the CA of the hash that ${name} begins
 * with. */
void store_lists_note(struct trust_store *store, const char *name);

/**
 * store_lists_inherit(store, old, i, now):
 * If ${old} has read the lists of the ${i}th record's CA, or is to, ${store} is
 * to as well.  ${now}: at once, where no file must be read for it.
 */
void store_lists_inherit(struct trust_store *store,
    const struct trust_store *old, size_t i, bool now);

/**
 * store_lists_step(store, old, left):
 * Read on in the lists that are wanted, taking over what ${old} (NULL: none)
 * has: for *${left} octets.  How many CAs have theirs now that had not before.
 */
size_t store_lists_step(struct trust_store *store,
    const struct trust_store *old, size_t *left);

/* Those of the ${i}th record, now, whatever it takes. */
void store_lists_read(struct trust_store *store, size_t i);

/* Nothing follows: those that were lost let nobody in. */
void store_lists_give_up(struct trust_store *store);

void store_reading_free(struct store_reading *r);

#endif
