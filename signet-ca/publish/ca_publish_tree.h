#ifndef SIGNET_CA_CA_PUBLISH_TREE_H
#define SIGNET_CA_CA_PUBLISH_TREE_H

#include "base/buf.h"
#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A flat directory held in memory: files and relative links. */
struct fault;

#define PUBLISH_NAME_MAX 128
#define PUBLISH_FILES_MAX 1024
#define PUBLISH_FILE_MOST ((size_t)512 << 20)
#define PUBLISH_SHA256 32

struct publish_file {
	char name[PUBLISH_NAME_MAX];
	char link[PUBLISH_NAME_MAX]; /* where it leads; "": a file */
	struct buf data;
	uint8_t sha256[PUBLISH_SHA256]; /* of data */
	bool anchor;			/* goes into packages and the tarball */
};

struct publish_tree {
	size_t count;
	struct publish_file *file; /* owned; sorted by name */
};

CHECKED int publish_tree_new(struct publish_tree *t, struct fault *f);
void publish_tree_clear(struct publish_tree *t);

/* Add a file and take what ${data} holds; or a link.  A name of other than
 * letters, digits and "._+~-", and one that is there already, is a fault.
 * NULL then. */
CHECKED struct publish_file *publish_tree_add(struct publish_tree *t,
    const char *name, struct buf *data, struct fault *f);
CHECKED struct publish_file *publish_tree_link(struct publish_tree *t,
    const char *name, const char *to, struct fault *f);

/* NULL if there is none. */
struct publish_file *publish_tree_find(const struct publish_tree *t,
    const char *name);

/* Append a line "digest  name" for each file, as sha256sum writes it; of
 * anchors only, with the links "to -> name", or of all. */
void publish_tree_sums(const struct publish_tree *t, bool anchors,
    struct buf *out);

/* Whether the two are the same file with the same contents. */
bool publish_file_same(const struct publish_file *a,
    const struct publish_file *b);

/* What is in the directory ${path}; an absent one is empty.  FAULT_DENIED if
 * there is anything that publish does not make. */
CHECKED int publish_tree_read(struct publish_tree *t, const char *path,
    struct fault *f);

/* Write all into the empty directory ${path}.  What ${old} has too keeps the
 * time that it has in ${old_path}, so that who asks for what is newer is told
 * the truth. */
CHECKED int publish_tree_write(const struct publish_tree *t, const char *path,
    const struct publish_tree *old, const char *old_path, struct fault *f);

/* Only the links of anchors, into the directory ${path}; dated ${when}. */
CHECKED int publish_tree_links(const struct publish_tree *t, const char *path,
    time_t when, struct fault *f);

/* One file into a directory made for it; times as ${when}. */
CHECKED int publish_put(const char *path, unsigned mode, const void *data,
    size_t len, time_t when, struct fault *f);

/* Remove the directory ${path} with all that is in it; links are not followed.
 * Nothing there is well. */
CHECKED int publish_remove(const char *path, struct fault *f);

#endif
