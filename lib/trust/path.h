#ifndef TRUST_PATH_H
#define TRUST_PATH_H

#include "base/checked.h"
#include "trust/store.h"

#include <time.h>

/*
 * Certification paths: from a leaf up to a self-issued anchor, every
 * signature checked.  What the certificates of a path then have to say to one
 * another is judged in rfc3820.c (proxies) and rfc5280.c (the rest).
 */
struct fault;

#define PATH_CERTS (CERT_LIST_MAX + 8)

struct trust_path {
	size_t count;
	const struct cert *cert[PATH_CERTS]; /* leaf first */
	size_t eec; /* index of the first that is no proxy */
	const struct trust_anchor *anchor; /* the last one */
};

/* What is asked about a path. */
struct path_question {
	const struct trust_store *store;
	time_t now;
	unsigned flags; /* of verify.h */
	bool *unread;	/* becomes true when a CRL is not read yet */
};

/* One rule, of the ${i}th certificate of ${path}, or of what it signed. */
typedef int path_rule_fn(const struct path_question *q,
    const struct trust_path *path, size_t i, struct fault *f);

/* Judge a complete path. */
typedef int path_check_fn(const void *arg, const struct trust_path *path,
    struct fault *f);

/**
 * path_find(store, chain, check, arg, path, f):
 * Find a path from the first certificate of ${chain} over others of it and
 * anchors of ${store} that ${check} likes.  Issuers are found by name, those
 * of the right key identifier first; other ways are tried when one fails, up
 * to a bound of signatures.  The fault is that of the longest path tried, which
 * then is ${path}, as far as it went; its anchor is NULL if it reached none.
 */
CHECKED int path_find(const struct trust_store *store,
    const struct cert_list *chain, path_check_fn *check, const void *arg,
    struct trust_path *path, struct fault *f);

#endif
