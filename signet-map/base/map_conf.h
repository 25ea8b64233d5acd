#ifndef SIGNET_MAP_BASE_MAP_CONF_H
#define SIGNET_MAP_BASE_MAP_CONF_H

#include "base/checked.h"
#include "conf/conf.h"

/* The settings of all that belongs to signet-map, map.conf(5). */
struct fault;

#define MAP_CONF_PATH "/etc/signet/map.conf"

struct map_conf {
#define CONF(field, keyword, TYPE, ...) CONF_C_##TYPE field;
#include "signet-map/base/map_conf.def"
#undef CONF
};

extern const struct conf_schema map_conf_schema;

/**
 * map_conf_open(path, conf, f):
 * Read ${path}, or MAP_CONF_PATH if it is NULL: then a file that is not there
 * has nothing to say, and all settings are their defaults.
 */
CHECKED int map_conf_open(const char *path, struct map_conf *conf,
    struct fault *f);

/* What is in the state directory. */
#define MAP_STATE_ROSTER "roster.state"
#define MAP_STATE_HISTORY "history"
#define MAP_STATE_STATUS "status.json"
#define MAP_STATE_CONFIRM "confirm"
#define MAP_STATE_LOCK "lock"
#define MAP_STATE_REQUESTS "requests.log"

#define MAP_PATH_SIZE 1024
/* The path of ${name} there; FAULT_CONFIG if it is too long. */
CHECKED int map_conf_state(const struct map_conf *conf, const char *name,
    char path[MAP_PATH_SIZE], struct fault *f);

#endif
