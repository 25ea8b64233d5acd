#ifndef X509_CATALOG_H
#define X509_CATALOG_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"
#include "conf/conf.h"
#include "x509/authority.h"
#include "x509/profile.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * CAs and profiles as one reading of a configuration had them, each found by
 * its name.  Inside the struct of who issues by them (signetd's issuer at
 * logins, the office on request), which says what else is asked of each.  Work
 * goes to its end under the catalogue it began with, so whoever refers to one
 * holds it.
 */
struct fault;

#define CATALOG_MAX CONF_LIST_MAX

struct catalog_ca {
	struct authority authority;
	struct buf chain; /* as its issuer wants it */
};

struct catalog {
	unsigned holders;
	size_t cas;
	size_t profiles;
	struct catalog_ca ca[CATALOG_MAX];
	struct profile profile[CATALOG_MAX];
};

/* One holder less; true if that was the last: what is in it has been freed, and
 * the rest is to be. */
bool catalog_drop(struct catalog *c);

/* One more CA from the texts of its ca.conf and certificate (PEM).  Its chain
 * is empty: the caller fills it.  NULL and FAULT_CONFIG if it cannot be read,
 * there are too many, or another has its name. */
CHECKED struct catalog_ca *catalog_add_ca(struct catalog *c,
    struct wire_bytes conf, struct wire_bytes cert, struct fault *f);

/* One more profile, whose first line is "# NAME"; not if ${check} has something
 * against it. */
typedef int catalog_check_fn(const struct catalog *c, const struct profile *p,
    struct fault *f);
CHECKED int catalog_add_profile(struct catalog *c, struct wire_bytes text,
    catalog_check_fn *check, struct fault *f);

/* The one called ${name}, or NULL. */
const struct catalog_ca *catalog_find_ca(const struct catalog *c,
    const char *name);
const struct profile *catalog_find_profile(const struct catalog *c,
    const char *name);

#endif
