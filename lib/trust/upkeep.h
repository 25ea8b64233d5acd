#ifndef TRUST_UPKEEP_H
#define TRUST_UPKEEP_H

#include "base/checked.h"
#include "base/own.h"
#include "trust/store.h"

#include <stdbool.h>

/*
 * A trust directory for a process that answers others: nothing that is done
 * for it takes long.  When the directory has changed, its successor is made a
 * piece at a time, with the revocation lists that are in use, and the old store
 * answers until that is whole.  A list that nobody has asked for before is read
 * at once if it is short; for a long one trust_verify() says FAULT_BUSY, and
 * who asked asks again when there is news; so it does of one that has gone
 * since, until there is a successor.  Whoever has a loop calls
 * upkeep_turn() from it as long as upkeep_busy() says so.
 */
struct fault;
struct upkeep;

/* Octets of a list that are read in a turn, or at once: some 2 ms. */
#define UPKEEP_PIECE 262144

/* Load ${dir}; see trust_load(). */
CHECKED struct upkeep *upkeep_new(const char *dir, bool may_be_empty,
    trust_complaint_fn *complain, void *arg, struct fault *f);
void upkeep_free(struct upkeep *u);

/* What holds now; borrowed until the next turn, look or renewal. */
struct trust_store *upkeep_store(const struct upkeep *u);

/* If the directory has changed, begin to load it, with the first turn.  A
 * fault leaves the old store, and the next look tries again. */
CHECKED int upkeep_look(struct upkeep *u, struct fault *f);

/* Do a piece of what is to be done, if there is anything.  A fault as above. */
CHECKED int upkeep_turn(struct upkeep *u, struct fault *f);
bool upkeep_busy(const struct upkeep *u);

/* Whether there is another store, or a list was read that somebody waits for,
 * since this was asked last. */
bool upkeep_news(struct upkeep *u);

/**
 * upkeep_renew(u, dir, f):
 * Load ${dir} now, whether it has changed or not: the new store holds at once,
 * and lists in use that have changed are read in turns, for which who asks
 * waits.  On a fault all stays as it was.
 */
CHECKED int upkeep_renew(struct upkeep *u, const char *dir, struct fault *f);

OWN_FREE_STRUCT(upkeep, upkeep_free)

#endif
