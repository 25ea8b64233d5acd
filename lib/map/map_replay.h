#ifndef MAP_MAP_REPLAY_H
#define MAP_MAP_REPLAY_H

#include "base/checked.h"
#include "base/own.h"
#include "map/map_request.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What requests come to, one after the other: which names are on which accounts
 * now.  What was added last is a name's default (facts: trustmap FORMATS).
 * Names are compared as maps compare them.
 */
struct fault;
struct map_replay;

CHECKED struct map_replay *map_replay_new(struct fault *f);
void map_replay_free(struct map_replay *r);
OWN_FREE_STRUCT(map_replay, map_replay_free)

/* ${line} is remembered of what puts a name on an account. */
CHECKED int map_replay_do(struct map_replay *r, const struct map_request *req,
    size_t line, struct fault *f);

/* Whether ${name} is on ${account}; with "" for the one or the other, whether
 * there is any. */
bool map_replay_has(const struct map_replay *r, const char *name,
    const char *account);

/* Whether ${name} can be put on ${account}, too: it has not too many. */
bool map_replay_room(const struct map_replay *r, const char *name,
    const char *account);

/* How ${name} was spelt last by what put it on an account; NULL if it is on
 * none. */
const char *map_replay_spelling(const struct map_replay *r, const char *name);

/* How many names are on some account. */
size_t map_replay_count(const struct map_replay *r);

/* One account of a name. */
struct map_replay_held {
	char *account;
	size_t line; /* of the request that gave it */
};

/* Each name that is on an account, as it was spelt last, with its ${count}
 * accounts, the default first; until ${fn} returns non-zero, which is
 * returned.  Names are in the order in which they first came. */
typedef int map_replay_fn(void *arg, const char *name,
    const struct map_replay_held *held, size_t count);
int map_replay_each(const struct map_replay *r, map_replay_fn *fn, void *arg);

/* A map_request_fn: ${arg} is the struct map_replay. */
CHECKED int map_replay_step(void *arg, const struct map_request *req,
    size_t line, struct fault *f);

#endif
