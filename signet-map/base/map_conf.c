#include "signet-map/base/map_conf.h"

#include "base/fault.h"
#include "base/text.h"

static const struct conf_item items[] = {
#define CONF(field, keyword, TYPE, fallback, min, max, doc)            \
	{ keyword, CONF_TYPE_##TYPE, offsetof(struct map_conf, field), \
		fallback, min, max, doc },
#include "signet-map/base/map_conf.def"
#undef CONF
};

const struct conf_schema map_conf_schema = { "map.conf", items,
	sizeof(items) / sizeof(items[0]) };

int
map_conf_open(const char *path, struct map_conf *conf, struct fault *f)
{
	int result = conf_read_file(&map_conf_schema, conf,
	    path == NULL ? MAP_CONF_PATH : path, f);

	if (result < 0 && path == NULL && f->code == FAULT_ABSENT)
		return conf_read(&map_conf_schema, conf, "", 0, f);
	return result;
}

int
map_conf_state(const struct map_conf *conf, const char *name,
    char path[MAP_PATH_SIZE], struct fault *f)
{
	if (text_fmt(path, MAP_PATH_SIZE, "%s/%s", conf->state, name) < 0)
		return fault_set(f, FAULT_CONFIG, "state: path too long");
	return 0;
}
