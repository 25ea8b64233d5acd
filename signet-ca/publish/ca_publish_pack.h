#ifndef SIGNET_CA_CA_PUBLISH_PACK_H
#define SIGNET_CA_CA_PUBLISH_PACK_H

#include "base/checked.h"
#include "ca_publish_conf.h"
#include "ca_publish_tree.h"

#include <limits.h>

/*
 * Packages of the trust anchors, made by dpkg-deb and rpmbuild.  The anchors
 * of ${tree} are what they hold; the same input makes the same bytes.
 */
struct fault;

struct publish_pack {
	const struct publish_conf *conf;
	const struct publish_tree *tree;
	const char *work; /* an empty directory of ours */
	time_t when;	  /* the date of everything in them */
};

/* Append the package.  FAULT_ABSENT if the program is not installed. */
CHECKED int publish_deb(const struct publish_pack *p, struct buf *deb,
    struct fault *f);
CHECKED int publish_rpm(const struct publish_pack *p, struct buf *rpm,
    struct fault *f);

/* For the two: the page that both carry; a file, and a directory with all
 * above it, below ${work}/${top}; the finished file. */
CHECKED int publish_pack_readme(const struct publish_pack *p, struct buf *out,
    struct fault *f);
CHECKED int publish_pack_file(const struct publish_pack *p, const char *top,
    const char *path, unsigned mode, const struct buf *data, struct fault *f);
CHECKED int publish_pack_read(const struct publish_pack *p, const char *file,
    struct buf *out, struct fault *f);
/* ${text} in lines of at most 72 bytes that begin with ${indent}. */
void publish_pack_wrap(struct buf *out, const char *indent, const char *text);
/* What the package is, in a sentence or two. */
CHECKED int publish_pack_about(const struct publish_pack *p, struct buf *out,
    struct fault *f);

#endif
