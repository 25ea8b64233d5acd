#ifndef MAP_MAP_INDEX_H
#define MAP_MAP_INDEX_H

#include "base/checked.h"
#include "base/own.h"
#include "map/map_accounts.h"
#include "map/mapfile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The compiled index beside a map file FILE: FILE.index, made whole, and
 * FILE.delta, small, whose entries replace or remove those of the index.  Both
 * are written beside their place and renamed.  The files are read with pread,
 * never mapped into memory: what happens to them cannot end the process that
 * asks.  Everything that is read bears a keyed hash (SipHash-2-4 under a key of
 * the file's own), so an answer is what was written, or a fault.
 */
struct fault;
struct map_index;

#define MAP_INDEX_SUFFIX ".index"
#define MAP_DELTA_SUFFIX ".delta"

/* What the maker says of a file. */
struct map_index_head {
	uint64_t seq;	  /* of the index; grows with each one made */
	uint64_t base;	  /* of a delta: seq of the index it belongs to */
	int64_t made;	  /* when; seconds since 1970 */
	int64_t fresh;	  /* as of when its contents were right, likewise */
	uint64_t entries; /* names */
};

/**
 * map_index_open(path, f):
 * The index of the map file ${path} and its delta, if that belongs to it.
 * FAULT_ABSENT: there is no index.  FAULT_INPUT: it is none, or is damaged, or
 * was made from another state of ${path} than there is now (map_index_of_text).
 * FAULT_DENIED: others than its owner can write it.
 */
CHECKED struct map_index *map_index_open(const char *path, struct fault *f);
void map_index_free(struct map_index *ix);
OWN_FREE_STRUCT(map_index, map_index_free)

/**
 * map_index_fresh(ix, f):
 * See whether the files are still those that are open, and open anew what has
 * changed (one stat, of their directory, if that has not changed for a while;
 * else of each): a reader that is kept calls it before
 * each question.  After a fault nothing can be asked of ${ix} until a later
 * call succeeds.
 */
CHECKED int map_index_fresh(struct map_index *ix, struct fault *f);

/* The accounts of ${dn} (map_name_key decides).  1: found, 0: not there, -1 and
 * a fault: damaged, or unreadable. */
CHECKED int map_index_find(struct map_index *ix, const char *dn, size_t len,
    struct map_accounts *accounts, struct fault *f);

/**
 * map_index_each_of(ix, account, fn, arg, f):
 * Every name that has ${account}: those of the index in the order in which they
 * were added, then those of the delta.  (mapfile_each_of tells of each line,
 * and so of lines that a former one of that name makes void.)  0 at the end, -1
 * and a fault, or what
 * ${fn} returned.
 */
CHECKED int map_index_each_of(struct map_index *ix, const char *account,
    mapfile_name_fn *fn, void *arg, struct fault *f);

/* Every name with its accounts, in the same order: for show, diff and check. */
typedef int map_index_entry_fn(void *arg, const char *dn,
    const struct map_accounts *accounts);
CHECKED int map_index_each(struct map_index *ix, map_index_entry_fn *fn,
    void *arg, struct fault *f);

/* What the index and its delta say of themselves; false: there is no delta. */
void map_index_head(const struct map_index *ix, struct map_index_head *head);
bool map_index_delta_head(const struct map_index *ix,
    struct map_index_head *head);

/*
 * Making one.
 */
struct map_build;

/* An index that may take ${limit} bytes of memory; map_build_free() it. */
CHECKED struct map_build *map_build_new(size_t limit, struct fault *f);
void map_build_free(struct map_build *b);
OWN_FREE_STRUCT(map_build, map_build_free)

/**
 * map_build_add(b, name, accounts, f):
 * Add a name.  1: added; 0: the name is there already, and the first counts;
 * -1: a fault (FAULT_MEMORY: the limit; FAULT_INPUT: longer than MAP_TEXT_MAX).
 */
CHECKED int map_build_add(struct map_build *b, const char *name,
    const struct map_accounts *accounts, struct fault *f);

/* A name that is there no more; in a delta only.  As map_build_add. */
CHECKED int map_build_remove(struct map_build *b, const char *name,
    struct fault *f);

/* How many names it has; how many bytes its file will take. */
size_t map_build_count(const struct map_build *b);

/**
 * map_build_write(b, path, head, f):
 * Write the index of the map file ${path} with the mode of ${path} or, if there
 * is none, 0644: durable before it is in its place.  head->entries is not read,
 * nor is base.  An old delta of ${path} is of no account from then on if
 * head->seq is greater than what the delta belongs to.
 */
CHECKED int map_build_write(struct map_build *b, const char *path,
    const struct map_index_head *head, struct fault *f);

/* Likewise the delta, for the index whose seq is head->base.  It replaces the
 * delta that is there: it holds every change since that index. */
CHECKED int map_delta_write(struct map_build *b, const char *path,
    const struct map_index_head *head, struct fault *f);

/**
 * map_index_of_text(path, duplicates, f):
 * Make the index of a text file that somebody else writes: it counts only as
 * long as the file is the one it was made from (inode, size, time).  How many
 * lines were of no account is put into ${skipped} (may be NULL).
 */
CHECKED int map_index_of_text(const char *path, size_t *skipped,
    struct fault *f);

#endif
