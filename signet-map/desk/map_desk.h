#ifndef SIGNET_MAP_DESK_MAP_DESK_H
#define SIGNET_MAP_DESK_MAP_DESK_H

#include "base/checked.h"
#include "map_clerk.h"
#include "signet-map/base/map_conf.h"
#include "sys/loop.h"
#include "trust/store.h"

/* The desk: who comes (map_caller.c), and what he holds (map_holder.c). */
struct fault;
struct caller;

#define DESK_CALLERS 64

struct map_desk {
	struct map_conf conf;
	struct clerk *clerk;
	struct trust_store *trust;
	struct loop *loop;
	struct loop_watch *door;
	struct loop_timer *tick;
	struct caller *caller[DESK_CALLERS];
	int64_t told_capped;
};

/* Somebody has come by the socket ${fd}, which is taken over. */
void caller_enter(struct map_desk *desk, int fd);
void caller_leave(struct caller *c);
/* Each second: see off those whose time is over. */
void callers_tick(struct map_desk *desk, int64_t now_ms);

#endif
