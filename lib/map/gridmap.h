#ifndef MAP_GRIDMAP_H
#define MAP_GRIDMAP_H

#include "base/checked.h"
#include "base/own.h"
#include "map/map_accounts.h"
#include "map/mapfile.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A map file as a service asks it: by its index if there is one that is whole,
 * else by its text.
 */
struct fault;
struct gridmap;

/* The map file ${path}, with an index or a text beside or at it; FAULT_ABSENT
 * if there is neither.  gridmap_free() it. */
CHECKED struct gridmap *gridmap_open(const char *path, struct fault *f);
void gridmap_free(struct gridmap *g);
OWN_FREE_STRUCT(gridmap, gridmap_free)

/* Why the text is read and not the index (FAULT_ABSENT: there is none), or NULL
 * if the index is: for those who say how a service is. */
const struct fault *gridmap_without_index(const struct gridmap *g);

/* The accounts of ${dn}, as of now: 1, 0, or -1 and a fault. */
CHECKED int gridmap_find(struct gridmap *g, const char *dn,
    struct map_accounts *accounts, struct fault *f);

/* Every name that has ${account}; as mapfile_each_of. */
CHECKED int gridmap_each_of(struct gridmap *g, const char *account,
    mapfile_name_fn *fn, void *arg, struct fault *f);

#endif
