#include "signetd/parent/rehearse.h"

#include "base/fault.h"
#include "base/text.h"
#include "sys/sandbox.h"
#include "tls/tls.h"
#include "x509/authority.h"
#include "x509/cert.h"
#include "x509/key.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct buf *
item(const struct gather *g, const char *stem, size_t n, const char *part)
{
	char name[64];

	if (text_fmt(name, sizeof(name), "%s.%zu.%s", stem, n, part) < 0)
		return NULL;
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->item[i].name, name) == 0)
			return &g->item[i].data;
	return NULL;
}

/* Whether the PEM text ${key} is the key of ${cert}; an encrypted one is taken
 * at its word. */
static int
same_key(const struct cert *cert, const struct buf *key, struct fault *f)
{
	OWN_STRUCT(key) k = NULL;
	const struct wire_bytes *mine;

	if (key_is_encrypted(key->data, key->len))
		return 0;
	if ((k = key_read_pem(key->data, key->len, NULL, f)) == NULL)
		return -1;
	mine = &key_spki(k)->bits;
	if (mine->len != cert->spki.bits.len ||
	    memcmp(mine->data, cert->spki.bits.data, mine->len) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "it is not the key of the certificate");
	return 0;
}

static int
check_tls_pair(const struct gather *g, size_t n, struct fault *f)
{
	const struct buf *cert = item(g, "tls", n, "cert");
	const struct buf *key = item(g, "tls", n, "key");
	struct cert_list list = { 0 };
	int result;

	if (cert == NULL || key == NULL)
		return fault_set(f, FAULT_INTERNAL, "no tls.%zu", n);
	result = cert_list_read_pem(&list, cert->data, cert->len, f);
	if (result == 0 && list.count == 0)
		result = fault_set(f, FAULT_CONFIG, "no certificate in it");
	if (result < 0)
		(void)fault_wrap(f, "tls-certificate %s",
		    g->conf.tls_certificate.item[n]);
	else if (key_is_encrypted(key->data, key->len))
		result = fault_set(f, FAULT_CONFIG,
		    "tls-key %s needs a pass phrase, which nobody gives",
		    g->conf.tls_key.item[n]);
	else if ((result = same_key(list.cert[0], key, f)) < 0)
		(void)fault_wrap(f, "tls-key %s", g->conf.tls_key.item[n]);
	cert_list_free(&list);
	return result;
}

/* A CA of ${g}, for ${look} to see. */
typedef int look_fn(const struct gather *g, size_t n, const struct authority *a,
    time_t now, struct fault *f);

static int
each_ca(const struct gather *g, look_fn *look, time_t now, struct fault *f)
{
	struct authority *a = calloc(1, sizeof(*a));
	int result = 0;

	if (a == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for a CA");
	for (size_t i = 0; result == 0 && i < g->conf.ca.count; i++) {
		const struct buf *conf = item(g, "ca", i, "conf");
		const struct buf *cert = item(g, "ca", i, "cert");

		if (conf == NULL || cert == NULL)
			result = fault_set(f, FAULT_INTERNAL, "no ca.%zu", i);
		else
			result = authority_read(a, (const char *)conf->data,
			    conf->len, cert->data, cert->len, f);
		if (result == 0 && (result = look(g, i, a, now, f)) < 0)
			(void)fault_wrap(f, "ca %s", g->conf.ca.item[i]);
		authority_clear(a);
	}
	free(a);
	return result;
}

/* Its key is not there any more when a daemon that has it reads anew. */
static int
look_at_ca(const struct gather *g, size_t n, const struct authority *a,
    time_t now, struct fault *f)
{
	const struct buf *key = item(g, "ca", n, "key");

	(void)now;
	if (a->signs_ca)
		return fault_set(f, FAULT_CONFIG,
		    "it signs CAs, which is the office's work: signet-ca");
	if (!a->conf.online)
		return fault_set(f, FAULT_CONFIG,
		    "its ca.conf does not say \"online yes\": signet-ca signs "
		    "with it, and keeps its book");
	if (g->token[n]) {
		char path[256];

		return rehearse_token_module(&a->conf, path, f);
	}
	if (key == NULL || key->len == 0)
		return 0;
	return same_key(a->cert, key, f);
}

static int
look_at_time(const struct gather *g, size_t n, const struct authority *a,
    time_t now, struct fault *f)
{
	(void)g;
	(void)n;
	if (now < a->cert->not_before)
		return fault_set(f, FAULT_EXPIRED,
		    "its certificate is not valid yet; is the clock right?");
	if (now > a->cert->not_after)
		return fault_set(f, FAULT_EXPIRED,
		    "its certificate has expired");
	return 0;
}

/* Whether ${user} may open ${st} for reading, by its mode alone. */
static bool
may_read(const struct stat *st, uid_t uid, gid_t gid)
{
	if (uid == 0)
		return true;
	if (st->st_uid == uid)
		return (st->st_mode & S_IRUSR) != 0;
	if (st->st_gid == gid)
		return (st->st_mode & S_IRGRP) != 0;
	return (st->st_mode & S_IROTH) != 0;
}

/* A file that a role opens itself, as ${user} if we are root. */
static int
check_file(const char *keyword, const char *path, const char *user,
    struct fault *f)
{
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (stat(path, &st) < 0)
		return fault_set(f, FAULT_CONFIG, "%s %s: %s", keyword, path,
		    strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_set(f, FAULT_CONFIG, "%s %s: not a file", keyword,
		    path);
	if (geteuid() != 0)
		return access(path, R_OK) == 0
		    ? 0
		    : fault_set(f, FAULT_CONFIG, "%s %s: %s", keyword, path,
			  strerror(errno));
	if (sandbox_user(user, &uid, &gid, f) < 0)
		return -1;
	if (!may_read(&st, uid, gid))
		return fault_set(f, FAULT_CONFIG,
		    "%s %s: user %s may not read it", keyword, path, user);
	return 0;
}

static int
check_directory(const char *keyword, const char *path, struct fault *f)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return fault_set(f, FAULT_CONFIG, "%s %s: %s", keyword, path,
		    strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fault_set(f, FAULT_CONFIG, "%s %s: not a directory",
		    keyword, path);
	return 0;
}

/* Others could guess passwords from it at leisure: the workers refuse it. */
static int
check_passwd(const struct signetd_conf *c, struct fault *f)
{
	struct stat st;

	if (check_file("passwd-file", c->passwd_file, c->user_worker, f) < 0)
		return -1;
	if (stat(c->passwd_file, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "passwd-file %s is open to everybody: chmod o= %s",
		    c->passwd_file, c->passwd_file);
	return 0;
}

/* Where PAM looks for a service: its own rules come first. */
static int
check_pam(const struct signetd_conf *c, struct fault *f)
{
	const char *const dirs[] = { *c->pam_dir != '\0' ? c->pam_dir
							 : "/etc/pam.d",
		*c->pam_dir != '\0' ? NULL : "/usr/lib/pam.d" };
	char path[PATH_MAX];

	for (size_t i = 0; i < 2 && dirs[i] != NULL; i++)
		if (text_fmt(path, sizeof(path), "%s/%s", dirs[i],
			c->pam_service) == 0 &&
		    access(path, F_OK) == 0)
			return 0;
	return fault_set(f, FAULT_CONFIG,
	    "pam-service %s: there is no such file in %s", c->pam_service,
	    dirs[0]);
}

static int
check_program(const struct signetd_conf *c, struct fault *f)
{
	if (check_file("map-program", c->map_program, c->user_worker, f) < 0)
		return -1;
	if (access(c->map_program, X_OK) < 0)
		return fault_set(f, FAULT_CONFIG, "map-program %s: %s",
		    c->map_program, strerror(errno));
	return 0;
}

/* What only the ways in that are switched on need. */
static int
check_ways(const struct signetd_conf *c, struct fault *f)
{
	if (conf_list_has(&c->auth, "passwd") && check_passwd(c, f) < 0)
		return -1;
	if (conf_list_has(&c->auth, "pam") && check_pam(c, f) < 0)
		return -1;
	if (conf_list_has(&c->auth, "kerberos") &&
	    check_file("keytab", c->keytab, c->user_auth, f) < 0)
		return -1;
	if (strcmp(c->subject_from, "mapfile") == 0 &&
	    check_file("mapfile", c->mapfile, c->user_worker, f) < 0)
		return -1;
	if (strcmp(c->subject_from, "program") == 0)
		return check_program(c, f);
	return 0;
}

/* Its staff file was read already. */
static int
check_office(const struct signetd_conf *c, struct fault *f)
{
	if (c->office_listen.count == 0)
		return 0;
	return check_file("office-keytab", c->office_keytab, c->user_desk, f);
}

/* What people who log in need. */
static int
check_logins(const struct gather *g, struct fault *f)
{
	for (size_t i = 0; i < g->conf.tls_certificate.count; i++)
		if (check_tls_pair(g, i, f) < 0)
			return -1;
	if (check_directory("trust-dir", g->conf.trust_dir, f) < 0)
		return -1;
	if (*g->conf.tls_ciphers != '\0' &&
	    tls_ciphers_check(g->conf.tls_ciphers, f) < 0)
		return fault_wrap(f, "tls-ciphers");
	return check_ways(&g->conf, f);
}

int
rehearse_files(const struct gather *g, struct fault *f)
{
	if (each_ca(g, look_at_ca, 0, f) < 0 || check_office(&g->conf, f) < 0 ||
	    rehearse_tokens(g, f) < 0)
		return -1;
	return g->conf.logins ? check_logins(g, f) : 0;
}

int
rehearse_time(const struct gather *g, time_t now, struct fault *f)
{
	return each_ca(g, look_at_time, now, f);
}
