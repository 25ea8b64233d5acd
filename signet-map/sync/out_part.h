#ifndef SIGNET_MAP_SYNC_OUT_PART_H
#define SIGNET_MAP_SYNC_OUT_PART_H

#include "base/buf.h"
#include "guard.h"
#include "map/map_index.h"
#include "names.h"
#include "out.h"

#include <sys/stat.h>

#include <limits.h>

/* Inside out*.c alone. */

#define OUT_HEADER                                                 \
	"# Made by signet-map from its rules; what is written by " \
	"hand here is lost.\n"

struct retext;

struct out {
	const struct out_world *world;
	char name[MAPRULE_LABEL_SIZE];
	char path[PATH_MAX];  /* of the text */
	char index[PATH_MAX]; /* what the index is beside of */
	mode_t mode;
	bool owned;
	uid_t uid;
	gid_t gid;
	unsigned readers; /* of enum map_reader */
	int shrink_limit;

	struct shadow *shadow;	   /* what the index and its delta say */
	struct changes *beside;	   /* of them, in the delta */
	struct changes *unwritten; /* of them, not in the text */
	bool delta_old;		   /* the delta is of an earlier process, and
				      beside knows nothing of it */
	bool delta_late;	   /* the delta on the disk lacks some */
	struct map_index *ix;	   /* to ask what was; NULL: not open */
	uint64_t seq;		   /* of the index; 0: there is none */
	uint64_t delta_seq;
	time_t made;
	time_t fresh;

	struct stat text; /* as we wrote it */
	bool text_ours;
	bool text_gone; /* it is not ours any more, and to be made anew */
	bool spoilt;	/* the index on the disk is not what it should be */
	struct retext *job;

	struct guard guard;
	bool confirmed;
	bool held;
	size_t held_gone;
	struct maprule_stats stats;
};

/* The index as it is, opened anew if it changed; NULL if there is none that can
 * be read. */
struct map_index *out_index(struct out *out);

/* What ${name} has now, "a,b" and a NUL in ${accounts}; false: nothing. */
bool out_accounts(struct out *out, const char *name, struct buf *accounts);

/* Whether ${gone} names may go now. */
bool out_lets(struct out *out, size_t gone, time_t now);
void out_hold(struct out *out, size_t gone);
void out_release(struct out *out);

/* What changed of one name, for the history: from ${before} to ${after},
 * each "a,b" or NULL. */
struct out_story {
	time_t when;
	const char *name;
	const char *before;
	const char *after;
	const struct maprule_line *line; /* of ${after}; NULL */
	const char *reason;		 /* why ${before} is gone */
};
CHECKED int out_tell(struct out *out, const struct out_story *story,
    struct fault *f);

/* Put the ${line}, or its being gone (NULL), into the text. */
CHECKED int out_put_line(const struct out *out, struct buf *text,
    const char *name, const char *accounts, struct fault *f);

/* Write the delta of all that is beside the index. */
CHECKED int out_write_delta(struct out *out, const struct out_when *when,
    struct fault *f);

/* Why the map may have none of the ${accounts} of ${name}: the ban, or "" if
 * one may stay; NULL and a fault. */
const char *out_banned(struct maprule_part *part, const char *name,
    const char *accounts, struct fault *f);
/* A ban in words, for the history. */
const char *out_ban_text(const struct maprule_ban *ban);

/* The text is ours as it is now. */
void out_text_done(struct out *out);
bool out_text_is_ours(const struct out *out);
void out_text_drop(struct out *out);
/* Whether this is their mode and owner; and give them to index or delta. */
bool out_is_dressed(const struct out *out, const struct stat *s);
CHECKED int out_give(const struct out *out, const char *suffix,
    struct fault *f);
/* Mode and owner of the text that is being written to ${fd}. */
CHECKED int out_dress(const struct out *out, int fd, struct fault *f);

#endif
