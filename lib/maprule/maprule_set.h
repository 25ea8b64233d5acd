#ifndef MAPRULE_MAPRULE_SET_H
#define MAPRULE_MAPRULE_SET_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/sip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Two tables by a hash that nobody outside can foresee: names are chosen by
 * those who are named.
 */
struct fault;

/* Texts, each with a number. */
struct maprule_set {
	uint8_t key[SIP_KEY];
	struct maprule_set_slot *slots; /* owned */
	size_t size;
	size_t count;
	struct buf text;
};
void maprule_set_init(struct maprule_set *s);
void maprule_set_free(struct maprule_set *s);
/* Put a text; the number of one that is there already stays. */
CHECKED int maprule_set_put(struct maprule_set *s, const void *text, size_t len,
    uint32_t number, struct fault *f);
bool maprule_set_find(const struct maprule_set *s, const void *text, size_t len,
    uint32_t *number);

/* Which people claim the name with a hash. */
struct maprule_claims {
	uint8_t key[SIP_KEY];
	struct maprule_claims_slot *slots; /* owned */
	size_t size;
	size_t count;
};
void maprule_claims_init(struct maprule_claims *c);
void maprule_claims_free(struct maprule_claims *c);
uint64_t maprule_claims_hash(const struct maprule_claims *c, const void *name,
    size_t len);
/* Putting twice, and removing what is not there, are nothing. */
CHECKED int maprule_claims_put(struct maprule_claims *c, uint64_t hash,
    uint32_t person, struct fault *f);
void maprule_claims_drop(struct maprule_claims *c, uint64_t hash,
    uint32_t person);
/* The next person with ${hash}; *${at} is 0 before the first call.  Others may
 * be among them, of equal hash. */
bool maprule_claims_next(const struct maprule_claims *c, uint64_t hash,
    size_t *at, uint32_t *person);

#endif
