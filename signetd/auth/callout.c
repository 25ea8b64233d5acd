#include "base/log.h"
#include "ipc/channel.h"
#include "signetd/auth/auth.h"

#include <string.h>

#define METHOD "callout"

/* One who has no name here, or no subject, is said to be not permitted: no
 * password was judged. */
static enum fault_code
code_for_server(enum fault_code code)
{
	return code == FAULT_LOGIN ? FAULT_DENIED : code;
}

void
callout_no(struct channel *intake, uint32_t connection, enum fault_code code)
{
	struct msg m = { .type = MSG_CALL_NO };
	struct fault f = { 0 };

	m.call_no.connection = connection;
	m.call_no.fault = code_for_server(code);
	if (channel_say(intake, &m, &f) < 0)
		log_fault(&f, NULL);
}

/*
 * The server has proven a user of its own.  Which realm vouches for him it does
 * not say, so he is one of the default realm, as whoever gives a password here.
 */
static void
begin(struct talk *talk)
{
	struct fault f = { 0 };

	if (principal_local(&talk->auth->role->conf, talk->username,
		talk->principal, talk->name, &f) < 0)
		login_refuse(talk, f.code, &f);
	else
		login_proven(talk);
}

void
callout_ask(struct auth *a, struct channel *intake,
    const struct msg_call_ask *m)
{
	struct fault f = { 0 };
	struct talk *talk = talk_new(a->talks, intake, m->connection, &f);

	if (talk == NULL) {
		log_fault(&f, m->ref);
		callout_no(intake, m->connection, f.code);
		return;
	}
	talk->auth = a;
	talk->call = true;
	talk->method = METHOD;
	memcpy(talk->ref, m->ref, sizeof(talk->ref));
	memcpy(talk->peer, m->peer, sizeof(talk->peer));
	memcpy(talk->username, m->username, sizeof(talk->username));
	memcpy(talk->profile, m->profile, sizeof(talk->profile));
	begin(talk);
}
