/*
 * auth: vouches for identities, straight to the issuer.  It hears what front
 * ends carry, and believes only passwords that a worker has checked, tickets
 * and certificates.  No network, no programs; to read it has the keytab,
 * Kerberos's configuration and the trust directory, where they are needed.
 */
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "signetd/auth/auth.h"
#include "x509/ossl.h"

#include <stdlib.h>
#include <string.h>

#define SLOW_ENTRIES 8192
#define QUEUE_MAX 4096
#define TRUST_EVERY_MS 10000

static int
box(struct role *role, struct sandbox *box, struct fault *f)
{
	const struct signetd_conf *conf = &role->conf;
	const char *krb5_conf = getenv("KRB5_CONFIG");
	size_t n = 0;

	if (ossl_start_alone(f) < 0)
		return -1;
	box->promises = SANDBOX_PROMISE(STDIO);
	box->no_processes = true;
	if (conf_list_has(&conf->auth, "kerberos")) {
		box->promises |= SANDBOX_PROMISE(RPATH);
		box->paths[n++].path = conf->keytab;
		box->paths[n++].path = "/etc/krb5.conf";
		box->paths[n++].path = "/etc/krb5.conf.d";
		if (krb5_conf != NULL)
			box->paths[n++].path = krb5_conf;
	}
	if (trusted_wanted(conf)) {
		box->promises |= SANDBOX_PROMISE(RPATH);
		box->paths[n++].path = conf->trust_dir;
	}
	return 0;
}

static int
start_pools(struct auth *a, struct fault *f)
{
	/* Their own alarm comes first, so that the process ends too. */
	const struct pool_spec spec = {
		.role = a->role,
		.queue_max = QUEUE_MAX,
		.timeout_ms = (a->role->conf.auth_timeout + 2) * 1000,
		.begin = login_turn,
		.end = login_answer,
	};

	if ((a->workers = pool_new(&spec, f)) == NULL ||
	    (a->pam = pool_new(&spec, f)) == NULL)
		return -1;
	return 0;
}

/* A keytab that cannot be read is better known now than at the first login. */
static int
open_keytab(struct auth *a, struct fault *f)
{
	const struct signetd_conf *conf = &a->role->conf;
	struct krb_gss *keys;

	if (!conf_list_has(&conf->auth, "kerberos"))
		return 0;
	keys = krb_gss_accept(conf->keytab, conf->server_name, f);
	if (keys == NULL)
		return -1;
	krb_gss_free(a->keys);
	a->keys = keys;
	return 0;
}

static int
start(struct role *role, struct fault *f)
{
	struct auth *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return fault_set(f, FAULT_MEMORY, "auth");
	role->state = a;
	a->role = role;
	a->slow =
	    authn_slow_new(SLOW_ENTRIES, (unsigned)role->conf.auth_free_tries,
		(unsigned)role->conf.auth_free_tries_address,
		role->conf.auth_longest_wait * 1000, f);
	if (a->slow == NULL || (a->talks = talk_table_new(f)) == NULL)
		return -1;
	if (principal_check_conf(&role->conf, f) < 0 ||
	    subject_read_profiles(a, f) < 0 || start_pools(a, f) < 0 ||
	    open_keytab(a, f) < 0)
		return -1;
	return trusted_start(a, TRUST_EVERY_MS, f);
}

static void
heard_front(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct auth *a = arg;
	struct talk *talk;

	(void)fd;
	if (m->type == MSG_AUTH_ASK) {
		login_ask(a, ch, &m->auth_ask);
	} else if (m->type == MSG_CALL_ASK) {
		callout_ask(a, ch, &m->call_ask);
	} else if (m->type == MSG_AUTH_STEP) {
		/* One that was refused a moment ago may still be talking. */
		talk = talk_find(a->talks, ch, m->auth_step.connection);
		if (talk != NULL)
			challenge_step(talk, &m->auth_step);
	} else if (m->type == MSG_AUTH_GONE) {
		talk = talk_find(a->talks, ch, m->auth_gone.connection);
		if (talk != NULL)
			talk_abandon(a->talks, talk);
	}
}

static void
front_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct auth *a = arg;

	(void)f;
	talk_abandon_all(a->talks, ch);
	channel_free(ch);
}

/* The issuer says nothing to us. */
static void
heard_issuer(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	(void)arg;
	(void)ch;
	(void)m;
	(void)fd;
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct auth *a = role->state;

	if (text_starts(name, "worker."))
		return pool_attach(a->workers, name, fd, f);
	if (text_starts(name, "pam."))
		return pool_attach(a->pam, name, fd, f);
	if (strcmp(name, "issuer") == 0) {
		a->issuer =
		    role_channel(role, name, fd, heard_issuer, NULL, a, f);
		if (a->issuer == NULL)
			return -1;
		/* Whom we vouch for must be there before his request is. */
		channel_gather(a->issuer, false);
		return 0;
	}
	if (text_starts(name, "front.") || text_starts(name, "intake."))
		return role_channel(role, name, fd, heard_front, front_gone, a,
			   f) == NULL
		    ? -1
		    : 0;
	return fault_set(f, FAULT_INTERNAL, "%s is none of auth's", name);
}

static int
reload(struct role *role, struct fault *f)
{
	struct auth *a = role->state;

	if (principal_check_conf(&role->conf, f) < 0 || open_keytab(a, f) < 0)
		return -1;
	if (trusted_reload(a, f) < 0)
		return -1;
	return subject_read_profiles(a, f);
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_AUTH,
		.box = box,
		.start = start,
		.attach = attach,
		.reload = reload,
	};

	return role_main(argc, argv, &spec);
}
