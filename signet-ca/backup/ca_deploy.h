#ifndef SIGNET_CA_CA_DEPLOY_H
#define SIGNET_CA_CA_DEPLOY_H

#include "base/buf.h"
#include "base/checked.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"

#include <limits.h>

/* What a site's signetd needs, and where it is put. */
struct fault;

struct deploy {
	const struct ca_args *args;
	struct ca_dir *d;  /* owned */
	int64_t first_uid; /* of the roles; 0: their accounts */
	char ca[PATH_MAX];
	char etc[PATH_MAX];
	char state[PATH_MAX];
	char trust[PATH_MAX];
	char host_cert[PATH_MAX];
	char host_key[PATH_MAX];
	char keytab[PATH_MAX];
};

/* The roles that have a user of their own: its account, and which number from
 * --first-uid on it is. */
#define DEPLOY_ROLES 7
struct deploy_role {
	const char *role;
	const char *account;
	int offset;
	bool token; /* needed only with a key in a token */
};
extern const struct deploy_role deploy_roles[DEPLOY_ROLES];

/* Whether a site with this CA has ${role}. */
bool deploy_has_role(const struct deploy *p, const struct deploy_role *role);
bool deploy_has_auth(const struct deploy *p, const char *way);

/* Append signetd.conf, and the profile of people. */
CHECKED int deploy_conf(const struct deploy *p, struct buf *conf,
    struct fault *f);
CHECKED int deploy_profile(const struct deploy *p, struct buf *out,
    struct fault *f);

/* Make what is not there, in an order that can be gone through again, and let
 * signetd check it.  What is there and differs is FAULT_DENIED before anything
 * is changed. */
CHECKED int deploy_do(const struct deploy *p, struct fault *f);

#endif
