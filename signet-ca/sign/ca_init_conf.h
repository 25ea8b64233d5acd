#ifndef SIGNET_CA_CA_INIT_CONF_H
#define SIGNET_CA_CA_INIT_CONF_H

#include "base/buf.h"
#include "base/checked.h"
#include "ca_init_token.h"
#include "signet-ca/base/ca_args.h"

#include <stdbool.h>

/* What the kinds of CA differ in, and the settings of a new one. */
struct fault;

struct ca_kind {
	const char *profile;
	const char *key;    /* default kind of key */
	const char *serial; /* default; NULL: always random */
	bool online; /* signetd signs with it; open unless asked otherwise */
	const char *fixed;  /* lines of ca.conf */
	const char *remark; /* its first line */
};

extern const struct ca_kind ca_kind_root;
extern const struct ca_kind ca_kind_slcs;
extern const struct ca_kind ca_kind_services;

/* Append the ca.conf of the CA ${name}, as ${args} want it; ${token} is NULL if
 * its key is in a file.  What was written has been read as settings. */
CHECKED int ca_init_conf(const struct ca_kind *kind, const char *name,
    const struct ca_key_place *token, const struct ca_args *args,
    struct buf *conf, struct fault *f);

#endif
