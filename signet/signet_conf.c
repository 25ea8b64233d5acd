#include "signet_conf.h"

#include "base/fault.h"
#include "base/text.h"
#include "trust/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct conf_item items[] = {
#define CONF(field, keyword, TYPE, fallback, min, max, doc)               \
	{ keyword, CONF_TYPE_##TYPE, offsetof(struct signet_conf, field), \
		fallback, min, max, doc },
#include "signet_conf.def"
#undef CONF
};
#define ITEMS (sizeof(items) / sizeof(items[0]))

const struct conf_schema signet_schema = { "signet.conf", items, ITEMS };

#define SITE "/etc/signet/signet.conf"
#define NUMBER_SIZE 24

/* ${path} with what is in ${conf} for defaults; a missing file changes
 * nothing. */
static int
overlay(struct signet_conf *conf, const char *path, struct fault *f)
{
	struct conf_item over[ITEMS];
	char number[ITEMS][NUMBER_SIZE];
	struct conf_schema schema = { "signet.conf", over, ITEMS };
	struct signet_conf site = *conf;

	memcpy(over, items, sizeof(over));
	for (size_t i = 0; i < ITEMS; i++) {
		const char *field = (const char *)&site + items[i].offset;

		if (items[i].type == CONF_TYPE_STRING)
			over[i].fallback = field;
		if (items[i].type == CONF_TYPE_BOOL)
			over[i].fallback = *(const bool *)field ? "yes" : "no";
		if (items[i].type != CONF_TYPE_NUMBER &&
		    items[i].type != CONF_TYPE_SECONDS)
			continue;
		(void)snprintf(number[i], NUMBER_SIZE, "%" PRId64,
		    *(const int64_t *)(const void *)field);
		over[i].fallback = number[i];
	}
	if (conf_read_file(&schema, conf, path, f) < 0) {
		if (f->code != FAULT_ABSENT)
			return -1;
		*conf = site;
		return 0;
	}
	if (conf->server.count == 0)
		conf->server = site.server;
	return 0;
}

int
signet_conf_load(struct signet_conf *conf, struct fault *f)
{
	const char *site = getenv("SIGNET_CONF");
	const char *base = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char path[1024];

	if (conf_read(&signet_schema, conf, "", 0, f) < 0)
		return -1;
	if (site != NULL && access(site, F_OK) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "SIGNET_CONF names %s, which is not there", site);
	if (overlay(conf, site != NULL ? site : SITE, f) < 0)
		return -1;
	/* XDG: a relative path is no path. */
	if (base != NULL && *base == '/') {
		if (text_fmt(path, sizeof(path), "%s/signet/signet.conf",
			base) < 0)
			return fault_set(f, FAULT_CONFIG,
			    "XDG_CONFIG_HOME is too long");
		return overlay(conf, path, f);
	}
	if (home == NULL || *home != '/')
		return 0;
	if (text_fmt(path, sizeof(path), "%s/.config/signet/signet.conf",
		home) < 0)
		return fault_set(f, FAULT_CONFIG, "HOME is too long");
	return overlay(conf, path, f);
}

unsigned
signet_conf_trust(const struct signet_conf *conf)
{
	return trust_flags(conf->crl_required, conf->legacy_proxies,
	    conf->draft_proxies);
}

int
signet_conf_demand(struct trust_store *store, struct fault *f)
{
	struct signet_conf conf;

	if (store == NULL)
		return 0;
	if (signet_conf_load(&conf, f) < 0)
		return -1;
	trust_demand(store, signet_conf_trust(&conf));
	return 0;
}
