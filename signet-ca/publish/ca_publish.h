#ifndef SIGNET_CA_CA_PUBLISH_H
#define SIGNET_CA_CA_PUBLISH_H

#include "ca_publish_key.h"
#include "ca_publish_set.h"
#include "signet-ca/base/ca_args.h"

#include <limits.h>

/*
 * publish DIR --conf FILE: all that an organisation shows of its CAs, in one
 * flat directory that is replaced as a whole.
 */
struct fault;

struct publish_site {
	const struct ca_args *args;
	struct publish_conf conf;
	struct publish_set *set;  /* owned */
	struct publish_key key;	  /* unless it is a draft */
	struct publish_tree tree; /* what is to be there */
	struct publish_tree old;  /* what is there */
	char dir[PATH_MAX];
	char work[PATH_MAX]; /* beside it: what is not finished */
	time_t when;	     /* the date of packages and of the tarball */
	struct buf warnings; /* a line each */
	bool unsigned_yet;   /* --check: the tarball lacks its signature */
};

/* The site itself.  Other operands than DIR are refused. */
CHECKED int publish_site(const struct ca_args *args, struct fault *f);

/* Add tarball, signature, packages and their manifest to ${s}->tree: those
 * that are published if nothing in them has changed.  FAULT_DENIED if
 * something has, under the version that is published. */
CHECKED int publish_site_packages(struct publish_site *s, struct fault *f);

/* Tell what has changed: as text or JSON on standard output, and warnings on
 * standard error.  False if nothing has. */
bool publish_site_changed(const struct publish_site *s);
CHECKED int publish_site_tell(const struct publish_site *s, struct fault *f);

#endif
