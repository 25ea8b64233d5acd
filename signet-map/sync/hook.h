#ifndef SIGNET_MAP_SYNC_HOOK_H
#define SIGNET_MAP_SYNC_HOOK_H

#include "alarms.h"
#include "base/checked.h"
#include "signet-map/base/map_conf.h"

/*
 * The site's program is run by a process of its own, made before the walls of
 * the one that maps: that one can start none.  It ends with us.
 */
struct fault;

/* Start it, if the settings name a program: the descriptor that alarms are
 * written to, or -1 if they do not. */
CHECKED int hook_start(const struct map_conf *conf, int *fd, struct fault *f);

/* Have the program run for ${alarm}; one that is not heard is lost. */
void hook_tell(int fd, const struct alarm *alarm, bool begins);

#endif
