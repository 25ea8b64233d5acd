/* deploy: a site's signetd around a CA that signs people, in one command. */
#include "ca_deploy.h"

#include "base/fault.h"
#include "base/text.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_shipped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEOPLE_PROFILE "slcs-user"

static int
join(char *to, const char *prefix, const char *path, struct fault *f)
{
	if (text_fmt(to, PATH_MAX, "%s%s", prefix == NULL ? "" : prefix, path) <
	    0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

/* A path that others will read from elsewhere begins at the root. */
static int
absolute(char *to, const char *path, struct fault *f)
{
	char here[PATH_MAX];

	if (*path == '/')
		return join(to, NULL, path, f);
	if (getcwd(here, sizeof(here)) == NULL ||
	    text_fmt(to, PATH_MAX, "%s/%s", here, path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

static int
choose(char *to, const char *given, const char *prefix, const char *fallback,
    struct fault *f)
{
	char base[PATH_MAX];

	if (given != NULL)
		return absolute(to, given, f);
	if (prefix == NULL)
		return join(to, NULL, fallback, f);
	if (absolute(base, prefix, f) < 0)
		return -1;
	return join(to, base, fallback, f);
}

static int
place_all(struct deploy *p, struct fault *f)
{
	const struct ca_args *a = p->args;

	if (absolute(p->ca, a->operand[0], f) < 0 ||
	    choose(p->etc, a->etc, a->prefix, "/etc/signet", f) < 0 ||
	    choose(p->state, a->state, a->prefix, "/var/lib/signet", f) < 0 ||
	    choose(p->trust, a->trust_dir, a->prefix,
		"/etc/grid-security/certificates", f) < 0 ||
	    choose(p->host_cert, a->host_cert, a->prefix,
		"/etc/grid-security/hostcert.pem", f) < 0 ||
	    choose(p->host_key, a->host_key, a->prefix,
		"/etc/grid-security/hostkey.pem", f) < 0 ||
	    choose(p->keytab, a->keytab, NULL, "/etc/krb5.keytab", f) < 0)
		return -1;
	return 0;
}

/* What is written into a settings file is one line of text. */
static int
check_text(const char *option, const char *value, struct fault *f)
{
	if (value == NULL ||
	    (*value != '\0' && text_printable(value) &&
		strchr(value, '#') == NULL))
		return 0;
	return fault_set(f, FAULT_USAGE, "%s: empty, or not plain text",
	    option);
}

static int
check_options(struct deploy *p, struct fault *f)
{
	const struct ca_args *a = p->args;
	const struct authority *ca = &p->d->authority;

	if (cmd_need(a->realm, "--realm", f) < 0 ||
	    check_text("--realm", a->realm, f) < 0 ||
	    check_text("--listen", a->listen, f) < 0)
		return -1;
	for (size_t i = 0; i < a->auth.count; i++)
		if (check_text("--auth", a->auth.item[i], f) < 0)
			return -1;
	if (!ca->conf.online || ca->signs_ca)
		return fault_set(f, FAULT_DENIED,
		    "%s is no CA that signetd signs with; \"init slcs\" makes "
		    "those",
		    p->d->path);
	if (strcmp(p->etc, "/") == 0 || strcmp(p->state, "/") == 0)
		return fault_set(f, FAULT_USAGE, "not into /");
	return cmd_number(a->first_uid, "--first-uid", 1000, 1 << 30, 0,
	    &p->first_uid, f);
}

bool
deploy_has_role(const struct deploy *p, const struct deploy_role *role)
{
	return !role->token || ca_dir_in_token(p->d);
}

bool
deploy_has_auth(const struct deploy *p, const char *way)
{
	if (p->args->auth.count == 0)
		return strcmp(way, "passwd") == 0;
	for (size_t i = 0; i < p->args->auth.count; i++)
		if (strcmp(p->args->auth.item[i], way) == 0)
			return true;
	return false;
}

static void
put_auth(const struct deploy *p, struct buf *conf)
{
	if (p->args->auth.count == 0)
		buf_text(conf, "auth passwd\n");
	for (size_t i = 0; i < p->args->auth.count; i++)
		buf_fmt(conf, "auth %s\n", p->args->auth.item[i]);
	if (deploy_has_auth(p, "passwd"))
		buf_fmt(conf, "passwd-file %s/auth/passwd\n", p->etc);
	if (deploy_has_auth(p, "kerberos"))
		buf_fmt(conf, "keytab %s\n", p->keytab);
}

/* What is known of a module is its name: SoftHSM has files, others are cards
 * and USB tokens behind pcscd. */
static void
put_token(const struct deploy *p, struct buf *conf)
{
	const struct authority_conf *ca = &p->d->authority.conf;
	bool soft = strstr(ca->key, "softhsm") != NULL ||
	    strstr(ca->key_module, "softhsm") != NULL;

	buf_fmt(conf, "pin-from console\ntoken-preset %s\n",
	    soft ? "softhsm" : "pcsc");
}

int
deploy_conf(const struct deploy *p, struct buf *conf, struct fault *f)
{
	buf_text(conf,
	    "# Made by signet-ca deploy; yours to change. See "
	    "signetd.conf(5).\n");
	if (p->args->listen != NULL)
		buf_fmt(conf, "listen %s\n", p->args->listen);
	buf_fmt(conf, "tls-certificate %s\ntls-key %s\n", p->host_cert,
	    p->host_key);
	buf_fmt(conf, "trust-dir %s\nca %s\n", p->trust, p->ca);
	buf_fmt(conf, "profile %s/profiles/" PEOPLE_PROFILE ".profile\n",
	    p->etc);
	buf_fmt(conf, "ledger %s/ledger/ledger.db\n", p->state);
	buf_fmt(conf, "realm %s\n", p->args->realm);
	put_auth(p, conf);
	if (ca_dir_in_token(p->d))
		put_token(p, conf);
	for (size_t i = 0; p->first_uid > 0 && i < DEPLOY_ROLES; i++)
		if (deploy_has_role(p, &deploy_roles[i]))
			buf_fmt(conf, "user-%s %lld\n", deploy_roles[i].role,
			    (long long)p->first_uid + deploy_roles[i].offset);
	return conf->failed ? fault_set(f, FAULT_MEMORY, "signetd.conf") : 0;
}

/* The shipped profile, with the subject of the CA's own name space. */
int
deploy_profile(const struct deploy *p, struct buf *out, struct fault *f)
{
	const char *space = p->d->authority.conf.may_sign_under.item[0];
	const struct ca_shipped *s = ca_shipped;

	while (s->name != NULL && strcmp(s->name, PEOPLE_PROFILE) != 0)
		s++;
	if (s->name == NULL)
		return fault_set(f, FAULT_INTERNAL, "no profile");
	for (const char *line = s->text; *line != '\0';) {
		size_t len = strcspn(line, "\n") + 1;

		if (text_starts(line, "subject "))
			buf_fmt(out, "subject %s/CN={principal}\n", space);
		else
			buf_put(out, line, len);
		line += len;
	}
	return out->failed ? fault_set(f, FAULT_MEMORY, "profile") : 0;
}

static void
tell(const struct deploy *p)
{
	bool here = p->args->prefix == NULL && p->args->etc == NULL;

	if (p->args->dry_run)
		return;
	printf("\nThe site is ready. Next:\n");
	if (deploy_has_auth(p, "passwd"))
		printf("  signet-ca passwd %s/auth/passwd USER\n", p->etc);
	if (deploy_has_auth(p, "kerberos"))
		printf("  the key of myproxy/HOST, from kadmin, into %s, "
		       "readable by %s\n",
		    p->keytab, geteuid() == 0 ? "the user of auth" : "you");
	if (ca_dir_in_token(p->d))
		printf("  the token, and what its module needs, open to the "
		       "user of the role token; the PIN is asked for at the "
		       "console (pin-from)\n");
	if (here)
		printf("  systemctl enable --now signetd.socket signetd\n");
	else
		printf("  signetd -c %s/signetd.conf\n", p->etc);
	printf("Then copy %s to the site's hosts, and publish the CRL beside "
	       "%s/ledger/ledger.db.\n",
	    p->trust, p->state);
}

int
ca_deploy(const struct ca_args *args, struct fault *f)
{
	struct deploy *p = calloc(1, sizeof(*p));
	int result = -1;

	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "deploy");
	p->args = args;
	if (place_all(p, f) == 0 && (p->d = ca_dir_open(p->ca, f)) != NULL &&
	    check_options(p, f) == 0)
		result = deploy_do(p, f);
	if (result == 0)
		tell(p);
	ca_dir_free(p->d);
	free(p);
	return result;
}
