#include "trust/upkeep.h"

#include "base/fault.h"
#include "trust/store_lists.h"
#include "trust/store_load.h"
#include "trust/store_part.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct upkeep {
	struct trust_store *store;  /* owned */
	struct trust_store *former; /* owned; being freed, NULL: none */
	struct store_load *load;    /* owned; of what follows, NULL: none */
	bool news;
	trust_complaint_fn *complain;
	void *arg;
};

struct upkeep *
upkeep_new(const char *dir, bool may_be_empty, trust_complaint_fn *complain,
    void *arg, struct fault *f)
{
	struct upkeep *u = calloc(1, sizeof(*u));

	if (u == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "trust store");
		return NULL;
	}
	u->complain = complain;
	u->arg = arg;
	u->store = trust_load(dir, may_be_empty, complain, arg, f);
	if (u->store == NULL) {
		free(u);
		return NULL;
	}
	trust_be_patient(u->store, UPKEEP_PIECE);
	return u;
}

void
upkeep_free(struct upkeep *u)
{
	if (u == NULL)
		return;
	store_load_free(u->load);
	trust_free(u->former);
	trust_free(u->store);
	free(u);
}

struct trust_store *
upkeep_store(const struct upkeep *u)
{
	return u->store;
}

/* What was said to the old store while this one was made, holds for it. */
static void
put_in_force(struct upkeep *u, struct trust_store *fresh)
{
	trust_demand(fresh, trust_demands(u->store));
	trust_free(u->former);
	u->former = u->store;
	u->store = fresh;
	u->news = true;
}

/* There is to be no successor now: who waits for what was lost waits no more.
 */
static int
no_successor(struct upkeep *u)
{
	if (u->store->lost) {
		store_lists_give_up(u->store);
		u->news = true;
	}
	return -1;
}

static int
begin_load(struct upkeep *u, struct fault *f)
{
	const struct trust_store *old = u->store;
	const struct store_wish wish = { old->dir, old->may_be_empty, old, true,
		u->complain, u->arg };

	u->load = store_load_new(&wish, f);
	return u->load == NULL ? no_successor(u) : 0;
}

static int
load_turn(struct upkeep *u, size_t *left, struct fault *f)
{
	int done = store_load_step(u->load, left, f);

	if (done == 0)
		return 0;
	if (done > 0)
		put_in_force(u, store_load_take(u->load));
	store_load_free(TAKE(u->load));
	return done < 0 ? no_successor(u) : 0;
}

int
upkeep_turn(struct upkeep *u, struct fault *f)
{
	size_t left = UPKEEP_PIECE;

	/* People wait for lists, nobody for the rest. */
	if (store_lists_step(u->store, NULL, &left) > 0)
		u->news = true;
	if (u->store->lost && u->load == NULL)
		return begin_load(u, f);
	if (left > 0 && u->load != NULL)
		return load_turn(u, &left, f);
	if (left > 0 && u->former != NULL &&
	    shelf_clear_out(u->former->shelf, 16 * left)) {
		trust_free(u->former);
		u->former = NULL;
	}
	return 0;
}

bool
upkeep_busy(const struct upkeep *u)
{
	return u->load != NULL || u->former != NULL || u->store->wanted > 0 ||
	    u->store->lost;
}

bool
upkeep_news(struct upkeep *u)
{
	bool news = u->news;

	u->news = false;
	return news;
}

int
upkeep_look(struct upkeep *u, struct fault *f)
{
	if (u->load != NULL || !trust_changed(u->store))
		return 0;
	return begin_load(u, f) < 0 ? -1 : upkeep_turn(u, f);
}

int
upkeep_renew(struct upkeep *u, const char *dir, struct fault *f)
{
	const struct trust_store *old = u->store;
	const struct store_wish wish = { dir, old->may_be_empty, old, false,
		u->complain, u->arg };
	OWN_STRUCT(store_load) l = store_load_new(&wish, f);
	int done = 0;

	while (l != NULL && done == 0) {
		size_t left = SIZE_MAX;

		done = store_load_step(l, &left, f);
	}
	if (done != 1)
		return -1;
	/* What was on its way is of an older state. */
	store_load_free(u->load);
	u->load = NULL;
	put_in_force(u, store_load_take(l));
	return 0;
}
