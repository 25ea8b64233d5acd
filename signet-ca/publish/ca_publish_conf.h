#ifndef SIGNET_CA_CA_PUBLISH_CONF_H
#define SIGNET_CA_CA_PUBLISH_CONF_H

#include "base/buf.h"
#include "base/checked.h"
#include "conf/conf.h"

#include <limits.h>
#include <stdbool.h>

/* publish.conf: see publish.conf(5). */
struct fault;

struct publish_conf {
#define CONF(field, keyword, TYPE, fallback, min, max, doc) CONF_C_##TYPE field;
#include "ca_publish_conf.def"
#undef CONF
	char dir[PATH_MAX]; /* where the file is */
	bool new_hash;
	bool old_hash;
	bool deb;
	bool rpm;
};

extern const struct conf_schema publish_schema;

/* Read ${path}, and refuse what cannot be meant.  ${c}->url ends in a slash.
 * What a package needs is there unless none is made. */
CHECKED int publish_conf_read(struct publish_conf *c, const char *path,
    struct fault *f);

/* The same of text, for a file in ${dir}. */
CHECKED int publish_conf_parse(struct publish_conf *c, const char *text,
    size_t len, const char *dir, struct fault *f);

/* The path of ${file}, which the settings name. */
CHECKED int publish_conf_path(const struct publish_conf *c, const char *file,
    char path[PATH_MAX], struct fault *f);

/* Split "ALIAS PATH"; the alias is a good one. */
CHECKED int publish_conf_pair(const char *line, char alias[64],
    const char **path, struct fault *f);

/* The value of the text or number ${keyword}: 1, 0 if it is empty, -1 if there
 * is no such setting. */
CHECKED int publish_conf_field(const struct publish_conf *c,
    const char *keyword, struct buf *value);

#endif
