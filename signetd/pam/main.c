/*
 * pam: asks PAM for auth, and does nothing else.  Modules load what they like,
 * run set-uid helpers and talk to whom they must, so that there is no sandbox
 * here; instead there is nothing to take: no key, no file, and one mouth to
 * listen to.
 */
#include "authn/authn.h"
#include "base/fault.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "signetd/pam/audit.h"
#include "signetd/role.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PHRASE_MAX 1024 /* as PAM_ASK has it */

struct pam {
	struct role *role;
	struct channel *auth;
	struct secret *phrase;
	struct authn_pam_kept *kept; /* after the first login; NULL: none yet */
};

static int
box(struct role *role, struct sandbox *box, struct fault *f)
{
	struct pam *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "pam");
	role->state = p;
	p->role = role;
	audit_allow(role->conf.pam_audit);
	box->may_gain = true;
	p->phrase = secret_new(PHRASE_MAX, f);
	return p->phrase != NULL ? 0 : -1;
}

/* "[2001:db8::1]:7512" and "192.0.2.1:7512" without the port. */
static void
bare_host(const char *peer, char *host, size_t size)
{
	const char *from = peer + (peer[0] == '[');
	const char *colon = strrchr(from, ':');
	size_t len = strlen(from);

	if (peer[0] == '[')
		len = strcspn(from, "]");
	else if (colon != NULL)
		len = (size_t)(colon - from);
	if (len >= size)
		len = size - 1;
	memcpy(host, from, len);
	host[len] = '\0';
}

static int
ask_pam(struct pam *p, const struct msg_pam_ask *ask, char *name, size_t size,
    struct fault *f)
{
	const struct signetd_conf *conf = &p->role->conf;
	char host[sizeof(ask->peer)];
	int result;

	if (ask->passphrase.len > secret_size(p->phrase))
		return fault_set(f, FAULT_LOGIN, "pass phrase too long");
	memcpy(secret_data(p->phrase), ask->passphrase.data,
	    ask->passphrase.len);
	secret_set_len(p->phrase, ask->passphrase.len);
	bare_host(ask->peer, host, sizeof(host));
	result = authn_pam(conf->pam_dir, conf->pam_service, ask->username,
	    host, p->phrase, name, size, f);
	secret_wipe(secret_data(p->phrase), ask->passphrase.len);
	if (p->kept == NULL)
		p->kept = authn_pam_keep(conf->pam_dir, conf->pam_service);
	return result;
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct pam *p = arg;
	struct msg answer = { .type = MSG_PAM_DONE };
	struct fault f = { 0 };
	int result;

	(void)fd;
	if (m->type != MSG_PAM_ASK)
		return;
	/* A module that hangs ends this process; the parent starts another. */
	(void)alarm((unsigned)p->role->conf.auth_timeout);
	result = ask_pam(p, &m->pam_ask, answer.pam_done.text,
	    sizeof(answer.pam_done.text), &f);
	(void)alarm(0);
	answer.pam_done.id = m->pam_ask.id;
	if (result < 0) {
		answer.pam_done.fault = f.code;
		answer.pam_done.text[0] = '\0';
		if (f.code == FAULT_LOGIN)
			LOG(LOGIN_REASON, LOG_TEXT("ref", m->pam_ask.ref),
			    LOG_TEXT("method", "pam"),
			    LOG_TEXT("text", f.text));
		else
			log_fault(&f, m->pam_ask.ref);
	}
	if (channel_say(ch, &answer, &f) < 0)
		log_fault(&f, NULL);
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct pam *p = role->state;

	p->auth = role_channel(role, name, fd, heard, NULL, p, f);
	return p->auth == NULL ? -1 : 0;
}

/* Modules that were replaced on the disk are loaded anew. */
static int
reload(struct role *role, struct fault *f)
{
	struct pam *p = role->state;

	(void)f;
	audit_allow(role->conf.pam_audit);
	authn_pam_kept_free(p->kept);
	p->kept = NULL;
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_PAM,
		.box = box,
		.attach = attach,
		.reload = reload,
	};

	return role_main(argc, argv, &spec);
}
