#ifndef SIGNET_MAP_SYNC_NAMES_H
#define SIGNET_MAP_SYNC_NAMES_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Two tables keyed by names as maps compare them (map_name_key).
 *
 * A shadow knows of each name of a map a hash of its accounts, in 16 bytes: it
 * tells which of a million lines differ without holding any of them.  A change
 * list holds the texts of those that do.
 */
struct fault;
struct shadow;
struct changes;

/* The hash of ${name}, under a key of this process: 0 is never one. */
uint64_t names_hash(const char *name);
/* And that of accounts ("a,b"). */
uint64_t names_hash_accounts(const char *accounts);

CHECKED struct shadow *shadow_new(struct fault *f);
void shadow_free(struct shadow *s);
OWN_FREE_STRUCT(shadow, shadow_free)

/* Put ${value} for ${name} in place of what there was; 0 takes it out. */
CHECKED int shadow_put(struct shadow *s, uint64_t name, uint64_t value,
    struct fault *f);
/* 0 if it is not there. */
uint64_t shadow_get(const struct shadow *s, uint64_t name);
size_t shadow_count(const struct shadow *s);

/* A name and the accounts it has now; NULL: it is in the map no more. */
struct change {
	uint64_t hash;
	char *name;
	char *accounts;
};

CHECKED struct changes *changes_new(struct fault *f);
void changes_free(struct changes *c);
OWN_FREE_STRUCT(changes, changes_free)

/* ${name} has ${accounts} now (NULL: none); texts are copied. */
CHECKED int changes_put(struct changes *c, const char *name,
    const char *accounts, struct fault *f);
/* The change of the name with ${hash}, or NULL. */
const struct change *changes_find(const struct changes *c, uint64_t hash);
size_t changes_count(const struct changes *c);
const struct change *changes_at(const struct changes *c, size_t i);
/* Forget all of them. */
void changes_clear(struct changes *c);

#endif
