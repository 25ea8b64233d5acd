#ifndef ANCHOR_HOUSE_SITE_H
#define ANCHOR_HOUSE_SITE_H

#include "anchor/house_list.h"
#include "base/checked.h"

#include <limits.h>
#include <stdbool.h>

/*
 * Where a house stands: DIR, its lock, its generations, and the step from one
 * to the next.  In .DIR.gen a generation under way is "new", one that is whole
 * "next", one that is being removed "drop"; the others have numbers.
 */
struct fault;

struct house_site {
	char dir[PATH_MAX];	 /* DIR, its links followed but for ours */
	char name[NAME_MAX + 1]; /* its last part */
	int parent;
	int gens;	 /* .DIR.gen; -1: not there */
	int here;	 /* what DIR is; -1: not there */
	int lock;	 /* -1: not ours */
	bool linked;	 /* DIR is a link into .DIR.gen, ... */
	unsigned number; /* ... namely this one */
};

struct house_numbers {
	size_t count;
	unsigned *number; /* rising; owned */
};

/* Find ${dir}, and lock it unless ${look}; wait for ${wait_ms}. */
CHECKED int house_site_open(struct house_site *s, const char *dir, bool look,
    int wait_ms, struct fault *f);
void house_site_close(struct house_site *s);

/* What somebody who was killed left is cleared away; ${current} is the number
 * in DIR's list, 0 if it has none. */
CHECKED int house_site_mend(struct house_site *s, unsigned current,
    struct fault *f);

/* The list of directory ${dir}: FAULT_ABSENT if it has none, FAULT_INPUT if it
 * is bad. */
CHECKED int house_site_list(int dir, struct house_list *list, struct fault *f);

/* Begin "new"; its descriptor. */
CHECKED int house_site_begin(struct house_site *s, struct fault *f);

struct house_step {
	unsigned next;
	unsigned last; /* what DIR is to be called then */
	bool as_link;  /* if DIR is not there */
	unsigned keep; /* generations before next */
};

/* "new" is whole and on the disk: it is DIR from now on.  What DIR was is
 * "next" until house_site_settle(). */
CHECKED int house_site_switch(struct house_site *s,
    const struct house_step *step, struct fault *f);
CHECKED int house_site_settle(struct house_site *s,
    const struct house_step *step, struct fault *f);

/* The generations in .DIR.gen; free() ->number. */
CHECKED int house_site_numbers(const struct house_site *s,
    struct house_numbers *n, struct fault *f);
/* Open generation ${number}. */
CHECKED int house_site_generation(const struct house_site *s, unsigned number,
    struct fault *f);

#endif
