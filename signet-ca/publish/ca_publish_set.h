#ifndef SIGNET_CA_CA_PUBLISH_SET_H
#define SIGNET_CA_CA_PUBLISH_SET_H

#include "base/checked.h"
#include "base/own.h"
#include "ca_publish_conf.h"
#include "ca_publish_tree.h"
#include "signet-ca/base/ca_dir.h"
#include "trust/anchor_text.h"
#include "x509/crl.h"

/* The CAs that publish.conf names, read and found fit to be trusted. */
struct fault;

struct publish_ca {
	char alias[ANCHOR_ALIAS_MAX + 1];
	struct ca_dir *dir; /* without its key */
	struct buf crl_der;
	struct crl crl;
	const struct publish_ca *parent; /* NULL: a root */
	conf_list crl_urls;
	char hash[9];
	char hash_old[9];
};

struct publish_set {
	size_t count;
	struct publish_ca ca[CONF_LIST_MAX];
};

/**
 * publish_set_read(c, now, f):
 * Read the CAs and their lists.  Refused, with the CA's alias: a CA that has
 * expired, is revoked, is not signed by another of the set or outside what
 * that may sign; two of one name; a list that is not this CA's, of the future
 * or over.  publish_set_free() the result.
 */
CHECKED struct publish_set *publish_set_read(const struct publish_conf *c,
    time_t now, struct fault *f);
void publish_set_free(struct publish_set *s);
OWN_FREE_STRUCT(publish_set, publish_set_free)

/* Whether each list may take the place of what ${old} has: FAULT_DENIED for a
 * number or a time that goes back, or another list of the same number. */
CHECKED int publish_set_follows(const struct publish_set *s,
    const struct publish_tree *old, struct fault *f);

/* Add all files of each CA to ${t}.  What a certificate gives as address below
 * the site's own is there too. */
CHECKED int publish_set_files(const struct publish_set *s,
    const struct publish_conf *c, struct publish_tree *t, struct fault *f);

/* A CRL from a file: PEM, or DER as it is. */
#define PUBLISH_CRL_MOST ((size_t)256 << 20)
CHECKED int publish_read_crl(const char *path, struct buf *der,
    struct fault *f);

#endif
