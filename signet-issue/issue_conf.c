#include "issue_conf.h"

#include "base/fault.h"
#include "base/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define SITE "/etc/signet/issue.conf"
#define SOCKET "/run/signet/issue.sock"

static const struct conf_item items[] = {
#define CONF(field, keyword, TYPE, fallback, min, max, doc)              \
	{ keyword, CONF_TYPE_##TYPE, offsetof(struct issue_conf, field), \
		fallback, min, max, doc },
#include "issue_conf.def"
#undef CONF
};

const struct conf_schema issue_schema = { "issue.conf", items,
	sizeof(items) / sizeof(items[0]) };

static int
check(struct issue_conf *conf, const char *path, struct fault *f)
{
	if (*conf->socket != '\0' && *conf->directory != '\0')
		return fault_set(f, FAULT_CONFIG,
		    "%s: socket and directory are two ways: name one", path);
	if (*conf->directory == '\0' && *conf->socket == '\0')
		return text_copy(conf->socket, sizeof(conf->socket), SOCKET);
	return 0;
}

int
issue_conf_load(struct issue_conf *conf, const char *path, struct fault *f)
{
	const char *from =
	    path != NULL ? path : secure_getenv("SIGNET_ISSUE_CONF");
	int result;

	if (from == NULL && access(SITE, F_OK) != 0)
		result = conf_read(&issue_schema, conf, "", 0, f);
	else
		result = conf_read_file(&issue_schema, conf,
		    from != NULL ? from : SITE, f);
	if (result == 0)
		return check(conf, from != NULL ? from : SITE, f);
	f->code = FAULT_CONFIG;
	return -1;
}
