#ifndef ROSTER_ROSTER_STATE_H
#define ROSTER_ROSTER_STATE_H

#include "base/checked.h"

/*
 * A roster on the disk: people, groups, and for each source when it was last
 * complete and the cookies of its servers.  People and cookie are in one file,
 * so that they can never be of different times.
 */
struct fault;
struct roster;

/**
 * roster_save(r, path, f):
 * Make ${path} (0600) hold ${r}: written beside it, synced, renamed.  What was
 * there stays if anything fails.
 */
CHECKED int roster_save(const struct roster *r, const char *path,
    struct fault *f);

/**
 * roster_load(path, f):
 * The roster in ${path}, which roster_free() frees.  NULL and FAULT_ABSENT if
 * there is no file; FAULT_INPUT if it is not whole, or not ours: the caller
 * says so and goes on with an empty roster, which the next refresh fills.
 */
CHECKED struct roster *roster_load(const char *path, struct fault *f);

#endif
