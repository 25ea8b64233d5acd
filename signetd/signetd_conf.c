#include "signetd/signetd_conf.h"

static const struct conf_item items[] = {
#define CONF(field, keyword, TYPE, fallback, min, max, doc)                \
	{ keyword, CONF_TYPE_##TYPE, offsetof(struct signetd_conf, field), \
		fallback, min, max, doc },
#include "signetd/signetd_conf.def"
#undef CONF
};

const struct conf_schema signetd_schema = { "signetd.conf", items,
	sizeof(items) / sizeof(items[0]) };
