#include "signetd/parent/gather.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "signetd/parent/credential.h"
#include "signetd/parent/gather_part.h"
#include "signetd/parent/rehearse.h"
#include "sys/ask.h"
#include "sys/sandbox.h"
#include "token/token_uri.h"
#include "x509/authority.h"
#include "x509/key.h"
#include "x509/profile.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TO(ROLE) GATHER_TO(ROLE)
#define FILE_LIMIT GATHER_FILE_LIMIT
#define TO_ALL                                                      \
	(TO(FRONT) | TO(AUTH) | TO(WORKER) | TO(PAM) | TO(ISSUER) | \
	    TO(SIGNER) | TO(KEEPER) | TO(DESK) | TO(TOKEN) | TO(INTAKE))

struct gathered *
gather_add(struct gather *g, unsigned roles, struct fault *f, const char *stem,
    size_t n, const char *part)
{
	struct gathered *item = &g->item[g->count];

	if (g->count == GATHER_MAX) {
		(void)fault_set(f, FAULT_CONFIG, "too many files");
		return NULL;
	}
	if (text_fmt(item->name, sizeof(item->name), "%s.%zu%s%s", stem, n,
		*part == '\0' ? "" : ".", part) < 0) {
		(void)fault_set(f, FAULT_CONFIG, "name too long");
		return NULL;
	}
	item->roles = roles;
	item->once = false;
	item->data = BUF(FILE_LIMIT);
	g->count++;
	return item;
}

/* ${conf}'s own text goes to all, so that each reads it with one table. */
static int
gather_conf(struct gather *g, const char *path, struct fault *f)
{
	struct gathered *item = &g->item[g->count++];

	memcpy(item->name, "conf", 5);
	item->roles = TO_ALL;
	item->once = false;
	item->data = BUF(FILE_LIMIT);
	if (file_read(path, &item->data, f) < 0)
		return -1;
	if (conf_read(&signetd_schema, &g->conf, (const char *)item->data.data,
		item->data.len, f) < 0)
		return fault_wrap(f, "%s", path);
	return 0;
}

static int
gather_tls(struct gather *g, struct fault *f)
{
	const conf_list *certs = &g->conf.tls_certificate;
	const conf_list *keys = &g->conf.tls_key;

	if (certs->count != keys->count)
		return fault_set(f, FAULT_CONFIG,
		    "%zu tls-certificate lines but %zu tls-key lines",
		    certs->count, keys->count);
	for (size_t i = 0; i < certs->count; i++) {
		struct gathered *cert =
		    gather_add(g, TO(FRONT), f, "tls", i, "cert");
		struct gathered *key = cert == NULL
		    ? NULL
		    : gather_add(g, TO(FRONT), f, "tls", i, "key");

		if (key == NULL ||
		    file_read(certs->item[i], &cert->data, f) < 0 ||
		    file_read_private(keys->item[i], &key->data, f) < 0)
			return -1;
	}
	return 0;
}

static int
read_part(struct gather *g, const char *dir, const char *file,
    struct gathered *item, struct fault *f)
{
	char path[PATH_MAX];
	bool is_key = item->once;

	(void)g;
	if (authority_path(dir, file, path, sizeof(path), f) < 0)
		return -1;
	return is_key ? file_read_private(path, &item->data, f)
		      : file_read(path, &item->data, f);
}

/* A key in a token is nothing that could be read: only its name is looked at.
 */
static int
gather_key(struct gather *g, size_t n, const struct authority *a,
    struct gathered *key, struct fault *f)
{
	const char *dir = g->conf.ca.item[n];
	struct token_uri uri;

	g->token[n] = token_uri_named(a->conf.key, a->conf.key_module);
	if (!g->token[n]) {
		if (read_part(g, dir, a->conf.key, key, f) == 0)
			return 0;
		/* Nobody calls a file so. */
		if (token_uri_is_slot(a->conf.key))
			return fault_set(f, FAULT_CONFIG,
			    "%s/ca.conf: key %s is a slot and a key in it: "
			    "key-module is wanting, the path of the PKCS#11 "
			    "module",
			    dir, a->conf.key);
		return -1;
	}
	if (token_uri_read_named(&uri, a->conf.key, a->conf.key_module, f) < 0)
		return fault_wrap(f, "%s/ca.conf: key", dir);
	return 0;
}

/* The CA in ${dir}: its description, certificate, chain and key. */
static int
gather_ca(struct gather *g, size_t n, struct authority *a, struct fault *f)
{
	const char *dir = g->conf.ca.item[n];
	const unsigned all =
	    TO(SIGNER) | TO(ISSUER) | TO(KEEPER) | TO(DESK) | TO(TOKEN);
	struct gathered *conf = gather_add(g, all, f, "ca", n, "conf");
	struct gathered *cert = gather_add(g, all, f, "ca", n, "cert");
	struct gathered *chain =
	    gather_add(g, TO(ISSUER) | TO(DESK), f, "ca", n, "chain");
	struct gathered *key = gather_add(g, TO(SIGNER), f, "ca", n, "key");

	if (conf == NULL || cert == NULL || chain == NULL || key == NULL)
		return -1;
	key->once = true;
	if (read_part(g, dir, "ca.conf", conf, f) < 0)
		return -1;
	/* Read the description alone first: it names the other files. */
	if (conf_read(&authority_schema, &a->conf,
		(const char *)conf->data.data, conf->data.len, f) < 0)
		return fault_wrap(f, "%s/ca.conf", dir);
	if (read_part(g, dir, a->conf.certificate, cert, f) < 0 ||
	    gather_key(g, n, a, key, f) < 0)
		return -1;
	/* A CA without anything above it is a root. */
	if (read_part(g, dir, a->conf.chain, chain, f) < 0 &&
	    f->code != FAULT_ABSENT)
		return -1;
	if (text_copy(g->ca[n], sizeof(g->ca[n]), a->conf.name) < 0)
		return fault_set(f, FAULT_CONFIG, "%s: name too long", dir);
	if (authority_read(a, (const char *)conf->data.data, conf->data.len,
		cert->data.data, cert->data.len, f) < 0)
		return fault_wrap(f, "%s", dir);
	return 0;
}

static int
gather_cas(struct gather *g, conf_list *names, struct fault *f)
{
	struct authority *a;
	int result = 0;

	if (g->conf.ca.count == 0)
		return fault_set(f, FAULT_CONFIG, "no ca is configured");
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for a CA");
	for (size_t i = 0; result == 0 && i < g->conf.ca.count; i++) {
		result = gather_ca(g, i, a, f);
		if (result == 0 && conf_list_has(names, a->conf.name))
			result = fault_set(f, FAULT_CONFIG,
			    "two CAs are called %s", a->conf.name);
		if (result == 0)
			memcpy(names->item[names->count++], a->conf.name,
			    CONF_STRING_SIZE);
		authority_clear(a);
	}
	free(a);
	return result;
}

/* The key of the ledger's log goes to the keeper, once, and to no other. */
static int
gather_log_key(struct gather *g, struct fault *f)
{
	struct gathered *key;

	if (*g->conf.log_key == '\0')
		return 0;
	key = gather_add(g, TO(KEEPER), f, "log", 0, "key");
	if (key == NULL)
		return -1;
	key->once = true;
	if (file_read_private(g->conf.log_key, &key->data, f) < 0)
		return fault_wrap(f, "log-key");
	return 0;
}

/* "slcs-user" is a file of profile-dir, anything with a slash is a path; the
 * name is the file's, without ".profile". */
int
gather_profile_path(const struct gather *g, const char *what, char *path,
    size_t size, char *name, struct fault *f)
{
	const char *slash = strrchr(what, '/');
	const char *base = slash == NULL ? what : slash + 1;
	int len = (int)strlen(base);

	if (text_ends(base, ".profile"))
		len -= (int)strlen(".profile");
	if (text_fmt(name, PROFILE_NAME_SIZE, "%.*s", len, base) < 0 ||
	    (slash != NULL ? text_copy(path, size, what)
			   : text_fmt(path, size, "%s/%s.profile",
				 g->conf.profile_dir, name)) < 0)
		return fault_set(f, FAULT_CONFIG, "profile %s: too long", what);
	return 0;
}

static int
gather_profile(struct gather *g, size_t n, const conf_list *cas,
    struct profile *p, struct fault *f)
{
	char path[PATH_MAX], name[PROFILE_NAME_SIZE];
	struct gathered *item =
	    gather_add(g, TO(ISSUER) | TO(AUTH), f, "profile", n, "");

	if (item == NULL ||
	    gather_profile_path(g, g->conf.profile.item[n], path, sizeof(path),
		name, f) < 0)
		return -1;
	buf_fmt(&item->data, "# %s\n", name);
	if (file_read(path, &item->data, f) < 0)
		return -1;
	if (profile_read(p, name, (const char *)item->data.data, item->data.len,
		f) < 0)
		return fault_wrap(f, "%s", path);
	if (*p->conf.authority != '\0' &&
	    !conf_list_has(cas, p->conf.authority))
		return fault_set(f, FAULT_CONFIG, "%s: no CA is called \"%s\"",
		    path, p->conf.authority);
	if (*p->conf.subject == '\0' &&
	    strcmp(g->conf.subject_from, "profile") == 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: subject-from is profile, but it has no subject", path);
	return 0;
}

static int
gather_profiles(struct gather *g, const conf_list *cas, struct fault *f)
{
	struct profile *p = calloc(1, sizeof(*p));
	int result = 0;

	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for a profile");
	for (size_t i = 0; result == 0 && i < g->conf.profile.count; i++)
		result = gather_profile(g, i, cas, p, f);
	free(p);
	return result;
}

static int
one_of(const char *keyword, const char *value, const char *const *known,
    struct fault *f)
{
	for (; *known != NULL; known++)
		if (strcmp(value, *known) == 0)
			return 0;
	return fault_set(f, FAULT_CONFIG, "%s cannot be \"%s\"", keyword,
	    value);
}

/* Users matter to root only: anyone else stays who he is.  "" is a user whom
 * this site does not need. */
static int
check_users(const struct signetd_conf *c, struct fault *f)
{
	const struct {
		const char *keyword;
		const char *user;
	} users[] = {
		{ "user-front", c->user_front },
		{ "user-auth", c->user_auth },
		{ "user-worker", c->user_worker },
		{ "user-pam", c->user_pam },
		{ "user-issuer", c->user_issuer },
		{ "user-signer", c->user_signer },
		{ "user-keeper", c->user_keeper },
		{ "user-desk", *c->office_staff != '\0' ? c->user_desk : "" },
		{ "user-intake", gather_has_intake(c) ? c->user_intake : "" },
	};
	const size_t count = sizeof(users) / sizeof(users[0]);
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (*users[i].user != '\0' &&
		    sandbox_user(users[i].user, &uid, &gid, f) < 0)
			return fault_wrap(f, "%s", users[i].keyword);
	return 0;
}

/* What the types of the settings cannot say. */
static int
check_settings(const struct signetd_conf *c, struct fault *f)
{
	static const char *const auths[] = { "passwd", "pam", "ldap",
		"kerberos", "certificate", "certificate-sha1", NULL };
	static const char *const sources[] = { "profile", "mapfile", "program",
		"ldap", NULL };
	static const char *const ways[] = { "kill", "log", NULL };

	for (size_t i = 0; i < c->auth.count; i++)
		if (one_of("auth", c->auth.item[i], auths, f) < 0)
			return -1;
	if (one_of("subject-from", c->subject_from, sources, f) < 0 ||
	    one_of("seccomp", c->seccomp, ways, f) < 0)
		return -1;
	if (check_users(c, f) < 0)
		return -1;
	if (gather_has_auth(c) && *c->realm == '\0')
		return fault_set(f, FAULT_CONFIG,
		    "realm is not set: a principal is always name@REALM");
	if (strcmp(c->subject_from, "program") == 0 && *c->map_program != '/')
		return fault_set(f, FAULT_CONFIG,
		    "map-program must be an absolute path");
	if ((conf_list_has(&c->auth, "ldap") ||
		strcmp(c->subject_from, "ldap") == 0) &&
	    c->ldap_uri.count == 0)
		return fault_set(f, FAULT_CONFIG, "ldap-uri is not set");
	return rehearse_settings(c, f);
}

/* The intake may open no file, so it hears which accounts have which uid. */
static int
gather_callers(struct gather *g, struct fault *f)
{
	const conf_list *from = &g->conf.issue_from;
	struct gathered *callers =
	    gather_add(g, TO(INTAKE), f, "callers", 0, "");
	uid_t uid;
	gid_t gid;

	if (callers == NULL)
		return -1;
	for (size_t i = 0; i < from->count; i++) {
		if (sandbox_user(from->item[i], &uid, &gid, f) < 0)
			return fault_wrap(f, "issue-from");
		buf_fmt(&callers->data, "%s %lu\n", from->item[i],
		    (unsigned long)uid);
	}
	return 0;
}

int
gather_read(struct gather *g, const char *conf_path, struct fault *f)
{
	conf_list *names = calloc(1, sizeof(*names));
	int result = -1;

	memset(g, 0, sizeof(*g));
	if (names == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for names");
	if (gather_conf(g, conf_path, f) == 0) {
		result = check_settings(&g->conf, f);
		if (result < 0)
			(void)fault_wrap(f, "%s", conf_path);
	}
	if (result == 0 && g->conf.logins)
		result = gather_tls(g, f);
	if (result == 0)
		result = gather_cas(g, names, f);
	if (result == 0)
		result = gather_log_key(g, f);
	if (result == 0 && gather_has_auth(&g->conf))
		result = gather_profiles(g, names, f);
	if (result == 0 && gather_has_intake(&g->conf))
		result = gather_callers(g, f);
	if (result == 0)
		result = gather_office(g, names, f);
	if (result == 0)
		result = rehearse_files(g, f);
	free(names);
	return result;
}

static struct secret *
phrase_for(const struct gather *g, const char *dir, struct fault *f)
{
	const char *from = g->conf.key_passphrase;
	char prompt[PATH_MAX];
	int64_t fd;

	if (text_starts(from, "credential:"))
		return credential_read(strchr(from, ':') + 1, f);
	if (text_starts(from, "fd:") &&
	    text_number(strchr(from, ':') + 1, 0, 65535, &fd) == 0)
		return ask_secret_fd((int)fd, f);
	if (strcmp(from, "terminal") != 0) {
		(void)fault_set(f, FAULT_CONFIG,
		    "key-passphrase cannot be \"%s\"", from);
		return NULL;
	}
	if (text_fmt(prompt, sizeof(prompt),
		"Pass phrase for the key of %s: ", dir) < 0)
		return NULL;
	return ask_secret(prompt, f);
}

int
gather_phrases(struct gather *g, struct fault *f)
{
	size_t n = 0;

	for (size_t i = 0; i < g->count; i++) {
		struct gathered *item = &g->item[i];
		struct gathered *phrase;
		OWN_STRUCT(secret) s = NULL;

		if (!item->once || !text_ends(item->name, ".key"))
			continue;
		n++;
		if (item->data.len == 0 ||
		    !key_is_encrypted(item->data.data, item->data.len))
			continue;
		if ((s = phrase_for(g, g->conf.ca.item[n - 1], f)) == NULL)
			return -1;
		phrase = gather_add(g, TO(SIGNER), f, "ca", n - 1, "phrase");
		if (phrase == NULL)
			return -1;
		phrase->once = true;
		buf_put(&phrase->data, secret_text(s), secret_len(s));
	}
	return 0;
}

void
gather_forget_once(struct gather *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->item[i].once)
			buf_free(&g->item[i].data);
}

void
gather_clear(struct gather *g)
{
	for (size_t i = 0; i < g->count; i++)
		buf_free(&g->item[i].data);
	g->count = 0;
}
