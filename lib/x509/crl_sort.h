#ifndef X509_CRL_SORT_H
#define X509_CRL_SORT_H

#include "base/checked.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The entries of a list put in order a piece at a time: short runs, which are
 * merged into longer ones, pass by pass, with as much memory again.
 */
struct crl_index;
struct fault;

struct crl_sort {
	size_t run;	  /* entries in a run; 0: the short ones are made */
	size_t out;	  /* how far this pass has come */
	size_t low, high; /* next of the two runs that are merged, */
	size_t low_end, high_end; /* and their ends */
	uint8_t *spare;		  /* owned */
};

/* Begin with all zeroes.  What is done is taken off *${left} (its unit is an
 * octet of a list that is read): 1 when all are in order, 0 if there is more to
 * do. */
CHECKED int crl_sort_step(struct crl_sort *s, struct crl_index *index,
    size_t *left, struct fault *f);
void crl_sort_clear(struct crl_sort *s);

#endif
