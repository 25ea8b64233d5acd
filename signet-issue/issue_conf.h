#ifndef SIGNET_ISSUE_ISSUE_CONF_H
#define SIGNET_ISSUE_ISSUE_CONF_H

#include "conf/conf.h"

/* The settings of signet-issue; the list is issue_conf.def. */
struct fault;

struct issue_conf {
#define CONF(field, keyword, TYPE, ...) CONF_C_##TYPE field;
#include "issue_conf.def"
#undef CONF
};

extern const struct conf_schema issue_schema;

/**
 * issue_conf_load(conf, path, f):
 * Read ${path}; if that is NULL what SIGNET_ISSUE_CONF names, else
 * /etc/signet/issue.conf, which may be missing.  Then just one of socket and
 * directory is set.
 */
CHECKED int issue_conf_load(struct issue_conf *conf, const char *path,
    struct fault *f);

#endif
