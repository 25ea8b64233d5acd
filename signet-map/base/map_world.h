#ifndef SIGNET_MAP_BASE_MAP_WORLD_H
#define SIGNET_MAP_BASE_MAP_WORLD_H

#include "base/buf.h"
#include "base/checked.h"
#include "maprule/maprule_part.h"
#include "roster/roster.h"
#include "signet-map/base/map_args.h"
#include "signet-map/base/map_conf.h"

/* What the commands that only look begin with. */
struct fault;

#define MAP_FILE "/etc/grid-security/grid-mapfile"

struct map_world {
	struct map_conf conf;
	struct maprule *rules;
	struct roster *roster;
	struct maprule_host host;
	struct buf words;		   /* of the host */
	struct maprule_accounts *accounts; /* NULL: of another host */
	time_t now;
};

/* What of it is wanted. */
#define MAP_WORLD_RULES 1u
#define MAP_WORLD_ROSTER 2u
#define MAP_WORLD_ACCOUNTS 4u

/**
 * map_world_open(w, args, wanted, host, f):
 * The settings, and what of the others is ${wanted}.  ${host}: another host, or
 * NULL for what --host says, or for this one.  map_world_close() it, whatever
 * was returned.
 */
CHECKED int map_world_open(struct map_world *w, const struct map_args *args,
    unsigned wanted, const char *host, struct fault *f);
/* Only the accounts, for what needs no rules. */
CHECKED int map_world_accounts(struct map_world *w, const struct map_args *args,
    struct fault *f);
void map_world_close(struct map_world *w);

/* The service ${name} of the host; FAULT_ABSENT with the nearest spelling. */
CHECKED const struct maprule_service *map_world_service(const struct map_world
							    *w,
    const char *name, struct fault *f);

/* The map file that --map, --service or nothing means. */
CHECKED int map_world_file(struct map_world *w, const struct map_args *args,
    char path[MAP_PATH_SIZE], struct fault *f);

#endif
