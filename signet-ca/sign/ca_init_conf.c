#include "ca_init_conf.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/authority.h"

#include <string.h>

const struct ca_kind ca_kind_root = {
	.profile = "root",
	.key = "ec:P-384",
	.fixed = "kind ca\n"
		 "max-lifetime 20y\n"
		 "usage keyCertSign\n"
		 "usage cRLSign\n"
		 "crl-lifetime 400d\n",
	.remark = "# A root: signs CAs and nothing else. See ca.conf(5).\n",
};

const struct ca_kind ca_kind_slcs = {
	.profile = "sub-ca",
	.key = "ec:P-256",
	.serial = "random",
	.online = true,
	.fixed = "kind end-entity\n"
		 "online yes\n"
		 "max-lifetime 1000000\n"
		 "usage digitalSignature\n"
		 "usage keyEncipherment\n"
		 "purpose clientAuth\n"
		 "crl-lifetime 30d\n",
	.remark =
	    "# Signs people's short-lived certificates. See ca.conf(5).\n",
};

const struct ca_kind ca_kind_services = {
	.profile = "sub-ca",
	.key = "ec:P-256",
	.serial = "random",
	.fixed = "kind end-entity\n"
		 "max-lifetime 395d\n"
		 "usage digitalSignature\n"
		 "usage keyEncipherment\n"
		 "purpose serverAuth\n"
		 "purpose clientAuth\n"
		 "crl-lifetime 30d\n",
	.remark = "# Signs hosts, services and robots. See ca.conf(5).\n",
};

/* One line of ca.conf; nothing in ${value} may begin another. */
static int
put_setting(struct buf *conf, const char *keyword, const char *value,
    struct fault *f)
{
	if (value == NULL)
		return 0;
	if (*value == '\0' || !text_utf8(value, strlen(value)))
		return fault_set(f, FAULT_USAGE,
		    "%s: empty, or with control characters", keyword);
	buf_fmt(conf, "%s %s\n", keyword, value);
	return 0;
}

static int
put_settings(struct buf *conf, const char *keyword, const struct cmd_list *list,
    struct fault *f)
{
	for (size_t i = 0; i < list->count; i++)
		if (put_setting(conf, keyword, list->item[i], f) < 0)
			return -1;
	return 0;
}

int
ca_init_conf(const struct ca_kind *kind, const char *name,
    const struct ca_key_place *token, const struct ca_args *args,
    struct buf *conf, struct fault *f)
{
	const char *serial = args->serial != NULL ? args->serial : kind->serial;

	buf_text(conf, kind->remark);
	if (put_setting(conf, "name", name, f) < 0)
		return -1;
	buf_text(conf, kind->fixed);
	if (token != NULL)
		ca_key_place_conf(token, conf);
	if (put_settings(conf, "may-sign-under", &args->under, f) < 0 ||
	    put_setting(conf, "serial", serial, f) < 0 ||
	    put_settings(conf, "crl-url", &args->crl_url, f) < 0 ||
	    put_setting(conf, "issuer-url", args->issuer_url, f) < 0)
		return -1;
	if (args->online && !kind->online)
		buf_text(conf, "online yes\n");
	if (conf->failed)
		return fault_set(f, FAULT_MEMORY, "ca.conf");
	/* A mistake in the settings shows before anything is signed. */
	return authority_conf_check((const char *)conf->data, conf->len, f);
}
