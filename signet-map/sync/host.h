#ifndef SIGNET_MAP_SYNC_HOST_H
#define SIGNET_MAP_SYNC_HOST_H

#include "base/buf.h"
#include "base/checked.h"
#include "maprule/maprule.h"
#include "signet-map/base/map_conf.h"

/**
 * host_find(conf, host, words, f):
 * What this host is called, and its addresses: as the settings say, or as the
 * system does.  ${host} points into ${words}, which buf_free() gives back.
 */
struct fault;
CHECKED int host_find(const struct map_conf *conf, struct maprule_host *host,
    struct buf *words, struct fault *f);

#endif
