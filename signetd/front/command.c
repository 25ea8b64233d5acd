#include "signetd/front/command.h"

#include "base/log.h"
#include "base/text.h"
#include "signetd/front/reply.h"

#include <stdlib.h>
#include <string.h>

static void
do_get(struct visit *v, const struct myproxy_request *r)
{
	struct msg m = { .type = MSG_AUTH_ASK };
	struct msg_auth_ask *ask = &m.auth_ask;
	int said;

	ask->connection = v->id;
	ask->tls_limited = v->limited;
	ask->passphrase = (struct wire_bytes){ (const uint8_t *)r->passphrase,
		strlen(r->passphrase) };
	if (text_copy(ask->ref, sizeof(ask->ref), v->ref) < 0 ||
	    text_copy(ask->peer, sizeof(ask->peer), v->peer) < 0 ||
	    text_copy(ask->username, sizeof(ask->username), r->username) < 0 ||
	    text_copy(ask->tls_identity, sizeof(ask->tls_identity),
		v->identity != NULL ? v->identity : "") < 0 ||
	    text_copy(ask->profile, sizeof(ask->profile), r->cred_name) < 0) {
		visit_refuse(v, FAULT_INPUT);
		return;
	}
	v->trusted_certs = r->trusted_certs;
	v->lifetime =
	    r->lifetime > UINT32_MAX ? UINT32_MAX : (uint32_t)r->lifetime;
	v->state = VISIT_ASKED;
	said = visit_say(v, &m);
	v->auth_open = said == 0;
}

void
command_put_trustroots(struct visit *v)
{
	struct reply *reply = v->house->trustroots(v->house->arg);

	if (reply == NULL) {
		visit_put_ok(v);
		return;
	}
	LOG(TRUSTROOTS, LOG_TEXT("ref", v->ref), LOG_TEXT("peer", v->peer),
	    LOG_NUMBER("files", reply->files));
	visit_put_shared(v, reply);
}

static void
do_trustroots(struct visit *v, const struct myproxy_request *r)
{
	(void)r;
	command_put_trustroots(v);
	v->state = VISIT_OVER;
}

static void
do_info(struct visit *v, const struct myproxy_request *r)
{
	(void)r;
	v->tells_time = true;
	visit_refuse_saying(v, FAULT_ABSENT,
	    "no credentials are stored here: this server issues new ones");
}

static void
do_nothing(struct visit *v, const struct myproxy_request *r)
{
	(void)r;
	visit_refuse_saying(v, FAULT_UNSUPPORTED,
	    "command not supported by MyProxy CA");
}

static const struct {
	const char *name;
	void (*run)(struct visit *v, const struct myproxy_request *r);
} commands[] = {
	[MYPROXY_GET] = { "get", do_get },
	[MYPROXY_PUT] = { "put", do_nothing },
	[MYPROXY_INFO] = { "info", do_info },
	[MYPROXY_DESTROY] = { "destroy", do_nothing },
	[MYPROXY_CHANGE_PASSPHRASE] = { "change-pass-phrase", do_nothing },
	[MYPROXY_STORE] = { "store", do_nothing },
	[MYPROXY_RETRIEVE] = { "retrieve", do_nothing },
	[MYPROXY_GET_TRUSTROOTS] = { "get-trustroots", do_trustroots },
};

void
command_run(struct visit *v, const struct myproxy_request *r)
{
	free(v->username);
	v->username = *r->username != '\0' ? strdup(r->username) : NULL;
	LOG(REQUEST, LOG_TEXT("ref", v->ref), LOG_TEXT("peer", v->peer),
	    LOG_TEXT("command", commands[r->command].name),
	    LOG_TEXT("user", v->username));
	commands[r->command].run(v, r);
}
