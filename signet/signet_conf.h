#ifndef SIGNET_SIGNET_CONF_H
#define SIGNET_SIGNET_CONF_H

#include "base/checked.h"
#include "conf/conf.h"

/* The site's and the person's settings. */
struct fault;

struct signet_conf {
#define CONF(field, keyword, TYPE, fallback, min, max, doc) CONF_C_##TYPE field;
#include "signet_conf.def"
#undef CONF
};

extern const struct conf_schema signet_schema;

/* What ${conf} adds to the flags of trust_verify(): see trust_demand(). */
unsigned signet_conf_trust(const struct signet_conf *conf);

/* The same for a command that has no other use for the settings: they are read,
 * and ${store} demands what they say.  Nothing is done for NULL. */
struct trust_store;
CHECKED int signet_conf_demand(struct trust_store *store, struct fault *f);

/**
 * signet_conf_load(conf, f):
 * Defaults, then /etc/signet/signet.conf (or the file that SIGNET_CONF
 * names), then signet/signet.conf in XDG_CONFIG_HOME or ~/.config, whose
 * lines win.  A missing file changes nothing, but SIGNET_CONF must name one.
 */
CHECKED int signet_conf_load(struct signet_conf *conf, struct fault *f);

#endif
