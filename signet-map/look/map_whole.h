#ifndef SIGNET_MAP_LOOK_MAP_WHOLE_H
#define SIGNET_MAP_LOOK_MAP_WHOLE_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "map/map_accounts.h"
#include "maprule/maprule_set.h"

#include <stdbool.h>
#include <stddef.h>

/* A whole map in memory: what show prints and diff compares. */
struct fault;

struct map_whole_entry {
	size_t name; /* in text */
	size_t accounts;
};

struct map_whole {
	struct maprule_set keys;
	struct map_whole_entry *entry; /* owned; in the map's order */
	size_t count;
	size_t room;
	struct buf text;
	struct buf key;
};

void map_whole_init(struct map_whole *m);
void map_whole_free(struct map_whole *m);

/* Add a name with `account,account`; one that is there already stays. */
CHECKED int map_whole_put(struct map_whole *m, const char *name,
    const char *accounts, struct fault *f);

/* All of the map ${path}: of its index if there is one that is whole and the
 * ${text} is not asked for. */
CHECKED int map_whole_read(struct map_whole *m, const char *path, bool text,
    struct fault *f);

const char *map_whole_name(const struct map_whole *m, size_t i);
const char *map_whole_accounts(const struct map_whole *m, size_t i);
/* The accounts of ${name}, NULL if it is not there. */
CHECKED int map_whole_find(struct map_whole *m, const char *name,
    const char **accounts, struct fault *f);

#endif
