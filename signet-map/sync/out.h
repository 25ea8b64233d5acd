#ifndef SIGNET_MAP_SYNC_OUT_H
#define SIGNET_MAP_SYNC_OUT_H

#include "base/checked.h"
#include "base/own.h"
#include "map/map_book.h"
#include "maprule/maprule_part.h"
#include "signet-map/base/map_conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * The map of one service on this host: its text, its index, and what has
 * changed since.  The last good state stays in its place whatever fails.
 *
 * A map is built whole (out_build) or changed name by name (out_change).  A
 * change is in the history first, then in the delta of the index, and in the
 * text when that is written the next time (out_text_step), a piece at a time.
 */
struct fault;
struct out;

/* What all outs share; borrowed. */
struct out_world {
	const struct map_conf *conf;
	struct map_book *book; /* NULL: no history */
};

/**
 * out_open(world, service, f):
 * The map of ${service}, which is copied, as its last index has it.  An index
 * that cannot be read is as if there were none: the map is built anew.
 */
CHECKED struct out *out_open(const struct out_world *world,
    const struct maprule_service *service, struct fault *f);
void out_free(struct out *out);
OWN_FREE_STRUCT(out, out_free)

const char *out_name(const struct out *out);

/* Take on what a new reading of the rules says of the service: where its file
 * is must not have changed (out_same). */
bool out_same(const struct out *out, const struct maprule_service *service);
CHECKED int out_renew(struct out *out, const struct maprule_service *service,
    struct fault *f);

struct out_when {
	time_t now;
	time_t fresh; /* as of when what the roster says was right */
};

/**
 * out_build(out, part, when, f):
 * Build the map whole and write what differs from what there is.  A shrink that
 * nobody confirmed is refused: the map stays but for those who are banned, and
 * out_status says held.  That is no fault.
 */
CHECKED int out_build(struct out *out, struct maprule_part *part,
    const struct out_when *when, struct fault *f);

/* What the part says now of the ${count} ${names}; as out_build otherwise. */
CHECKED int out_change(struct out *out, struct maprule_part *part,
    const struct out_when *when, const char *const *names, size_t count,
    struct fault *f);

/**
 * out_expel(out, part, when, f):
 * Take those out of the map as it is whom a ban forbids: what may always be
 * done.
 */
CHECKED int out_expel(struct out *out, struct maprule_part *part,
    const struct out_when *when, struct fault *f);

/* Whether text and index are as we wrote them.  If not, the next out_build
 * writes both. */
bool out_is_intact(struct out *out);

/* Note beside the index that all of it was right at ${when->fresh}. */
CHECKED int out_touch(struct out *out, const struct out_when *when,
    struct fault *f);

/* The next piece of the text, if it is not what it should be: 1 if there is
 * more to do, 0 if it is written, -1 and a fault: the old text is in its place,
 * and the next call begins anew. */
CHECKED int out_text_step(struct out *out, struct fault *f);
bool out_text_late(const struct out *out);

/* The next shrink is as it should be. */
void out_confirm(struct out *out);

struct out_status {
	const char *name;
	const char *path;
	size_t names;
	time_t made;   /* the map as it is; 0: there is none */
	time_t fresh;  /* and as of when it was right */
	uint64_t seq;  /* of the index */
	size_t beside; /* changes beside it */
	bool late;     /* the text lacks some */
	bool held;     /* a shrink waits to be confirmed */
	size_t held_gone;
	struct maprule_stats stats; /* of the last build */
	bool owned;		    /* it is given to somebody */
	double shrunk;		    /* see guard.h */
	int64_t shrunk_at;
};
void out_status(const struct out *out, struct out_status *status);
/* What an earlier process knew of the guard. */
void out_recall(struct out *out, double shrunk, int64_t shrunk_at);

#endif
