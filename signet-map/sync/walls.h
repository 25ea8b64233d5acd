#ifndef SIGNET_MAP_SYNC_WALLS_H
#define SIGNET_MAP_SYNC_WALLS_H

#include "base/checked.h"
#include "base/own.h"
#include "mapper.h"

struct fault;
struct walls;

/**
 * walls_raise(m, f):
 * Close off all that mapping does not need: the directories that are written
 * are the state's and the maps'; what libraries read late may be read.  The
 * caller frees what remembers which directories these were.
 */
CHECKED struct walls *walls_raise(const struct mapper *m, struct fault *f);
void walls_free(struct walls *walls);
OWN_FREE_STRUCT(walls, walls_free)

/**
 * walls_hold(walls, m, f):
 * See that all that ${m} now reads and writes is within the walls.
 * FAULT_SYSTEM: a directory was removed and made again, or new rules name one,
 * and only another process can reach it; or the state directory is gone.
 */
CHECKED int walls_hold(const struct walls *walls, const struct mapper *m,
    struct fault *f);

#endif
