#ifndef SIGNET_MAP_BASE_MAP_HOST_H
#define SIGNET_MAP_BASE_MAP_HOST_H

#include "base/buf.h"
#include "base/checked.h"
#include "command/cmd.h"
#include "maprule/maprule.h"
#include "signet-map/base/map_conf.h"

/**
 * map_host_this(conf, host, words, f):
 * What this host is called, and its addresses: as the settings say, or as the
 * system does.  ${host} points into ${words}, which buf_free() gives back.
 */
struct fault;
CHECKED int map_host_this(const struct map_conf *conf,
    struct maprule_host *host, struct buf *words, struct fault *f);

/* The host ${name}, with ${addresses}; if there are none, with those that the
 * name leads to (none, if it leads nowhere). */
CHECKED int map_host_named(const char *name, const struct cmd_list *addresses,
    struct maprule_host *host, struct buf *words, struct fault *f);

#endif
