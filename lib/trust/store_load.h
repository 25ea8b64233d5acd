#ifndef TRUST_STORE_LOAD_H
#define TRUST_STORE_LOAD_H

#include "base/checked.h"
#include "base/own.h"
#include "trust/store.h"

/* A store on its way, a piece at a time. */
struct store_load;

/* What is wanted. */
struct store_wish {
	const char *dir;
	bool may_be_empty;
	const struct trust_store *old; /* its predecessor; NULL: none */
	bool wait; /* until the lists are read that ${old} has; else they are
		    * read when their turn comes */
	trust_complaint_fn *complain;
	void *arg;
};

/* The predecessor must last until this is freed. */
CHECKED struct store_load *store_load_new(const struct store_wish *wish,
    struct fault *f);
void store_load_free(struct store_load *l);

/* Load on for *${left} octets of files, or what takes as long: 1 when it is
 * whole, 0 if there is more, -1 if there is to be no store. */
CHECKED int store_load_step(struct store_load *l, size_t *left,
    struct fault *f);

/* The store, once it is whole; the caller's. */
struct trust_store *store_load_take(struct store_load *l);

OWN_FREE_STRUCT(store_load, store_load_free)

#endif
