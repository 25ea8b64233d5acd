#include "signetd/worker/work.h"

#include "authn/authn.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "map/mapfile.h"

#include <string.h>

#define MAP_MAX 67108864
#define NAME_SIZE 256

typedef int work_fn(const struct work *w, const char *name,
    const struct secret *phrase, char *text, size_t size, struct fault *f);

void
work_set(struct work *w, const struct signetd_conf *conf)
{
	OWN_BUF(uris, sizeof(w->ldap_uris));
	const char *text;

	w->conf = conf;
	for (size_t i = 0; i < conf->ldap_uri.count; i++)
		buf_fmt(&uris, "%s%s", i == 0 ? "" : " ",
		    conf->ldap_uri.item[i]);
	text = buf_cstr(&uris);
	if (text == NULL ||
	    text_copy(w->ldap_uris, sizeof(w->ldap_uris), text) < 0)
		w->ldap_uris[0] = '\0';
}

static struct authn_ldap
directory(const struct work *w)
{
	const struct signetd_conf *c = w->conf;

	return (struct authn_ldap){
		.uris = w->ldap_uris,
		.bind_dn = c->ldap_bind_dn,
		.base = c->ldap_base,
		.filter = c->ldap_filter,
		.search_dn = c->ldap_search_dn,
		.search_password = w->ldap_password == NULL
		    ? ""
		    : secret_text(w->ldap_password),
		.ca_file = c->ldap_ca_file,
		.start_tls = c->ldap_start_tls,
		.require_tls = c->ldap_require_tls,
		.user_attribute = c->ldap_user_attribute,
		.subject_attribute = c->map_ldap_attribute,
		/* Time for a second server, before the alarm. */
		.timeout_s = (int)(c->auth_timeout + 3) / 4,
	};
}

static int
do_passwd(const struct work *w, const char *name, const struct secret *phrase,
    char *text, size_t size, struct fault *f)
{
	if (authn_passwd(w->conf->passwd_file, name, phrase, f) < 0)
		return -1;
	if (text_copy(text, size, name) < 0)
		return fault_set(f, FAULT_LOGIN, "name too long");
	return 0;
}

static int
do_ldap(const struct work *w, const char *name, const struct secret *phrase,
    char *text, size_t size, struct fault *f)
{
	const struct authn_ldap l = directory(w);

	return authn_ldap_bind(&l, name, phrase, text, size, f);
}

static int
do_map_ldap(const struct work *w, const char *name, const struct secret *phrase,
    char *text, size_t size, struct fault *f)
{
	const struct authn_ldap l = directory(w);

	(void)phrase;
	return authn_ldap_subject(&l, name, text, size, f);
}

static int
do_map_program(const struct work *w, const char *name,
    const struct secret *phrase, char *text, size_t size, struct fault *f)
{
	int timeout_s = (int)w->conf->auth_timeout;

	(void)phrase;
	return authn_callout(w->conf->map_program, name,
	    timeout_s > 1 ? timeout_s - 1 : 1, text, size, f);
}

/* The name alone, if ${principal} is of the default realm. */
static bool
bare_name(const struct work *w, const char *principal, char name[NAME_SIZE])
{
	size_t len = strcspn(principal, "@");

	if (principal[len] != '@' || len >= NAME_SIZE ||
	    strcmp(principal + len + 1, w->conf->realm) != 0)
		return false;
	memcpy(name, principal, len);
	name[len] = '\0';
	return true;
}

/* A map names people as name@REALM, or, of the default realm, as name. */
static int
do_map_file(const struct work *w, const char *name, const struct secret *phrase,
    char *text, size_t size, struct fault *f)
{
	OWN_BUF(map, MAP_MAX);
	char bare[NAME_SIZE];
	int result;

	(void)phrase;
	if (file_read(w->conf->mapfile, &map, f) < 0) {
		/* That nobody is in it would be another matter. */
		f->code = FAULT_FAILED;
		return -1;
	}
	result =
	    mapfile_dn_of((const char *)map.data, map.len, name, text, size, f);
	if (result < 0 && f->code == FAULT_ABSENT && bare_name(w, name, bare))
		result = mapfile_dn_of((const char *)map.data, map.len, bare,
		    text, size, f);
	return result;
}

static const struct {
	const char *method;
	work_fn *fn;
} works[] = {
	{ "passwd", do_passwd },
	{ "ldap", do_ldap },
	{ "map-file", do_map_file },
	{ "map-program", do_map_program },
	{ "map-ldap", do_map_ldap },
};

int
work_do(const struct work *w, const char *method, const char *name,
    const struct secret *phrase, char *text, size_t size, struct fault *f)
{
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (strcmp(works[i].method, method) == 0)
			return works[i].fn(w, name, phrase, text, size, f);
	return fault_set(f, FAULT_UNSUPPORTED, "no such work: %s", method);
}
