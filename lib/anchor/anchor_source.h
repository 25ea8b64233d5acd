#ifndef ANCHOR_ANCHOR_SOURCE_H
#define ANCHOR_ANCHOR_SOURCE_H

#include "anchor/want.h"
#include "base/checked.h"

#include <stdbool.h>

/*
 * Directories of descriptions, read into one set.  A file that cannot be used
 * stays in the set with the reason in its `wrong`, so that one CA's trouble is
 * told and stays its own.
 */
struct fault;

/* All HASH.NAME.cadesc of ${dir}; templates (00000000.*) are passed over.  A
 * name that is no such gets "Bad file name" for what is wrong. */
CHECKED int source_cadesc(struct anchor_set *set, const char *dir,
    struct fault *f);

/* gx-map's order below ${etc}: ca-config, then each *.ca-config sorted. */
CHECKED int source_gx_map(struct anchor_set *set, const char *etc,
    struct fault *f);

/**
 * source_directory(set, dir, f):
 * An IGTF distribution (ALIAS.info and what belongs to it, packages of CAs
 * too) or a plain directory of trust: ALIAS.pem with ALIAS.crl_url,
 * <hash>.N with <hash>.signing_policy, .namespaces, and <hash>.rN as the
 * source of CRLs.  A certificate is taken once, however many names it has.
 */
CHECKED int source_directory(struct anchor_set *set, const char *dir,
    struct fault *f);

/**
 * source_relate(set, f):
 * What CAs of the whole set say of one another: those that another makes
 * obsolete are disabled; a required one that is not there is wrong, one of
 * another version is noted.
 */
CHECKED int source_relate(struct anchor_set *set, struct fault *f);

#endif
