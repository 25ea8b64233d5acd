#ifndef SIGNET_MAP_BASE_MAP_USER_H
#define SIGNET_MAP_BASE_MAP_USER_H

#include "base/checked.h"
#include "signet-map/base/map_conf.h"

/**
 * map_user_become(conf, f):
 * If we are root and the settings name a user: become that one, with no way
 * back, before any file is opened.  The state directory is made, and is the
 * user's own as long as it was root's.  Nothing otherwise.
 */
struct fault;
CHECKED int map_user_become(const struct map_conf *conf, struct fault *f);

#endif
