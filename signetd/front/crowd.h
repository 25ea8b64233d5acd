#ifndef FRONT_CROWD_H
#define FRONT_CROWD_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who is here: a number for each guest by which other roles know him, and how
 * many come from one address.  The addresses of an IPv6 network of 2^64 count
 * as one, since a single host may use them all.
 */
struct fault;
struct crowd;
struct sockaddr;

/* At most ${most} guests (65536), of which ${per_address} from one. */
CHECKED struct crowd *crowd_new(size_t most, size_t per_address,
    struct fault *f);
void crowd_free(struct crowd *crowd);

/* New bounds; who is here may stay. */
void crowd_bounds(struct crowd *crowd, size_t most, size_t per_address);

/**
 * crowd_enter(crowd, from, guest, id, f):
 * Let ${guest} in, who comes from ${from}, and give him a number that was not
 * used lately.  FAULT_BUSY if there are too many, in all or from there.
 */
CHECKED int crowd_enter(struct crowd *crowd, const struct sockaddr *from,
    void *guest, uint32_t *id, struct fault *f);
void crowd_leave(struct crowd *crowd, uint32_t id);

/* NULL if he has left. */
void *crowd_find(const struct crowd *crowd, uint32_t id);
size_t crowd_count(const struct crowd *crowd);

/* Call ${fn} for everybody; he may leave meanwhile. */
void crowd_each(struct crowd *crowd, void (*fn)(void *arg, void *guest),
    void *arg);

OWN_FREE_STRUCT(crowd, crowd_free)

#endif
