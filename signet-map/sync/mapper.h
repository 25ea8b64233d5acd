#ifndef SIGNET_MAP_SYNC_MAPPER_H
#define SIGNET_MAP_SYNC_MAPPER_H

#include "alarms.h"
#include "base/checked.h"
#include "base/fault.h"
#include "base/own.h"
#include "maprule/maprule.h"
#include "maprule/maprule_accounts.h"
#include "names.h"
#include "out.h"
#include "roster/roster.h"
#include "roster/roster_source.h"
#include "signet-map/base/map_conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * All that makes this host's maps: rules, people, and a map for each service.
 * Both the daemon and a single run are made of this.
 */
#define MAPPER_OUTS_MAX 64
#define MAPPER_SOURCES_MAX 64

struct mapper_source {
	struct roster_source_conf conf;
	struct fault fault; /* what ailed it last; NONE: nothing */
	time_t failed;	    /* since when; 0: it does not */
	bool withdrawn;	    /* silent past its max-age: its people are out */
};

struct mapper_out {
	struct out *out;
	struct maprule_part *part;
	struct changes *pending; /* names that may have changed */
	bool rebuild;
	bool expelled;	    /* of a source too little is known to build */
	struct fault fault; /* why its map could not be written */
};

struct mapper {
	const struct map_conf *conf;
	struct maprule *rules;
	struct maprule_host host;
	struct maprule_accounts *accounts;
	struct roster *roster;
	struct map_book *book;
	struct out_world world;
	struct mapper_source sources[MAPPER_SOURCES_MAX];
	size_t source_count;
	struct mapper_out outs[MAPPER_OUTS_MAX];
	size_t out_count;
	struct fault rules_fault; /* why new rules were not taken */
	struct fault state_fault; /* why the roster was not kept */
	struct alarms alarms;
	int hook;
	struct buf host_words; /* what ->host points to */
	char cache[MAP_PATH_SIZE];
	int lock;
	bool unsaved; /* the roster is newer than its file */
	time_t began;
};

/**
 * mapper_open(conf, f):
 * Lock the state directory (FAULT_BUSY if another has it), load what is known
 * and read the rules.  mapper_close() it.
 */
CHECKED struct mapper *mapper_open(const struct map_conf *conf,
    struct fault *f);
void mapper_close(struct mapper *m);
OWN_FREE_STRUCT(mapper, mapper_close)

/* Read rules and bans anew.  After a fault the old ones stay. */
CHECKED int mapper_reload(struct mapper *m, time_t now, struct fault *f);

/* See each change of a person from now on, to be settled by mapper_flush. */
void mapper_follow(struct mapper *m);

/* ${source} was read (NULL) or failed. */
void mapper_source_told(struct mapper *m, size_t source, const struct fault *f,
    time_t now);

/* Read ${source} whole, and wait for that; false if it failed, which is told.
 */
bool mapper_read(struct mapper *m, size_t source);
/* The log's word on what a source has that cannot be used; ${arg} is NULL. */
void mapper_skipped(void *arg, const char *source, const char *where,
    const char *why);

/* Take those out whose source has been silent for too long. */
void mapper_withdraw(struct mapper *m, time_t now);

/* Whether every source has been complete once: before that no map is written.
 */
bool mapper_ready(const struct mapper *m);

/* Write what has changed; a service's fault is kept with it.  ${whole}: build
 * every map whole.  Before mapper_ready only those who are banned are taken out
 * of the maps that there are.  How many failed. */
size_t mapper_flush(struct mapper *m, bool whole, time_t now);

/* The next piece of some text: true if there is more to do. */
bool mapper_text(struct mapper *m);

/* Have a map built whole that somebody else changed or removed; whether there
 * is one. */
bool mapper_inspect(struct mapper *m);

/* Say on the disk that maps are as fresh as they are. */
void mapper_touch(struct mapper *m, time_t now);

/* Keep the roster, if it changed. */
void mapper_save(struct mapper *m);

/* The next shrink of ${service} ("*": of each) is as it should be; false if
 * there is no such service. */
bool mapper_confirm(struct mapper *m, const char *service);

/* Alarms go to ${hook} (hook.h) too. */
void mapper_tell_to(struct mapper *m, int hook);

/* Look for alarms, and write the status file and the metrics. */
void mapper_tell(struct mapper *m, time_t now);

/* Until when nothing changes by itself; 0: for ever. */
time_t mapper_until(const struct mapper *m);

#endif
