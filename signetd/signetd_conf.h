#ifndef SIGNETD_SIGNETD_CONF_H
#define SIGNETD_SIGNETD_CONF_H

#include "conf/conf.h"

struct signetd_conf {
#define CONF(field, keyword, TYPE, fallback, min, max, doc) CONF_C_##TYPE field;
#include "signetd/signetd_conf.def"
#undef CONF
};

extern const struct conf_schema signetd_schema;

#endif
