#ifndef ANCHOR_HOUSE_TREE_H
#define ANCHOR_HOUSE_TREE_H

#include "anchor/house_list.h"
#include "base/checked.h"
#include "base/wire.h"

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>

/* Directories by their descriptors: what is in one, and how it gets into
 * another.  No symbolic link is followed. */
struct fault;

/* What was seen of one name. */
struct house_seen {
	char *name; /* owned */
	struct stat st;
	bool read;		      /* whether the next two are known */
	uint8_t digest[HOUSE_DIGEST]; /* of a regular file */
	char target[HOUSE_NAME_SIZE]; /* of a link, "" if it is longer */
};

struct house_view {
	size_t count;
	struct house_seen *seen; /* by name; owned */
};

/* All names in ${dir} but "." and "..". */
CHECKED int house_view_read(struct house_view *view, int dir, struct fault *f);
void house_view_clear(struct house_view *view);
struct house_seen *house_view_find(const struct house_view *view,
    const char *name);

/* Whether ${seen} of ${dir} has the bytes, or the target, of ${item}. */
CHECKED int house_seen_has(struct house_seen *seen, int dir,
    const struct house_item *item, bool *has, struct fault *f);

CHECKED int house_digest(struct wire_bytes body, uint8_t digest[HOUSE_DIGEST],
    struct fault *f);

/* A new file ${name} in ${dir}; ${sync}: on the disk before we return. */
struct house_owner {
	mode_t mode;
	bool owned;
	uid_t uid;
	gid_t gid;
};
CHECKED int house_file_write(int dir, const char *name,
    const struct house_owner *owner, struct wire_bytes body, bool sync,
    struct fault *f);

/* The file ${name} of ${from}, written anew into ${to}. */
CHECKED int house_file_copy(int from, int to, const char *name,
    const struct house_owner *owner, bool sync, struct fault *f);

/* See that the file ${name} of ${dir} is on the disk. */
CHECKED int house_file_sync(int dir, const char *name, struct fault *f);

/**
 * house_place(from, to, name, f):
 * Whatever ${name} in ${from} is, there it is in ${to} too: the same file by
 * another name, the same link, a directory of the same.  Who may not make
 * links to another's file copies it.
 */
CHECKED int house_place(int from, int to, const char *name, struct fault *f);

/* Remove ${name} and all that is in it; nothing if it is not there. */
CHECKED int house_remove(int dir, const char *name, struct fault *f);

/* fsync, where a file system can; syncfs if ${all}. */
CHECKED int house_sync(int dir, bool all, struct fault *f);

#endif
