#ifndef SIGNET_TRUST_BASE_TRUST_CONF_H
#define SIGNET_TRUST_BASE_TRUST_CONF_H

#include "base/checked.h"
#include "conf/conf.h"

#include <sys/types.h>

#include <limits.h>

/* The settings of signet-trust, and what follows from them. */
struct fault;

#define TRUST_CONF_PATH "/etc/signet/trust.conf"

struct trust_conf {
#define CONF(field, keyword, TYPE, fallback, min, max, doc) CONF_C_##TYPE field;
#include "trust_conf.def"
#undef CONF
	mode_t file_mode;
	bool old_hash;
	bool owned;
	uid_t uid;
	gid_t gid;
	char cache[PATH_MAX];
};

extern const struct conf_schema trust_conf_schema;

/* From ${len} bytes of settings; and of the file ${path}, or if that is NULL of
 * TRUST_CONF_PATH, which may be missing. */
CHECKED int trust_conf_parse(struct trust_conf *c, const char *text, size_t len,
    struct fault *f);
CHECKED int trust_conf_read(struct trust_conf *c, const char *path,
    struct fault *f);

/* What follows from the settings, after they were changed. */
CHECKED int trust_conf_settle(struct trust_conf *c, struct fault *f);

#endif
