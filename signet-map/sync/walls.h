#ifndef SIGNET_MAP_SYNC_WALLS_H
#define SIGNET_MAP_SYNC_WALLS_H

#include "base/checked.h"
#include "mapper.h"

/* Close off all that mapping does not need: the directories that are written
 * are the state's and the maps'; what libraries read late may be read. */
struct fault;
CHECKED int walls_raise(const struct mapper *m, struct fault *f);

#endif
