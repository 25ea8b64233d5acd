#ifndef SIGNET_CA_CA_PUBLISH_PAGES_H
#define SIGNET_CA_CA_PUBLISH_PAGES_H

#include "base/checked.h"
#include "ca_publish_key.h"
#include "ca_publish_set.h"

struct fault;

/* What the pages are made from. */
struct publish_facts {
	const struct publish_conf *conf;
	const struct publish_set *set;
	const struct publish_key *key; /* NULL in a draft without one */
	bool draft;
};

/* Add index.html, cp-cps.html and cp-cps.txt.  What the templates name and
 * publish.conf leaves empty is FAULT_CONFIG with all the names, but in a
 * draft. */
CHECKED int publish_pages(const struct publish_facts *facts,
    struct publish_tree *t, struct fault *f);

#endif
