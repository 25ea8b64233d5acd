#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/auth/auth.h"

#include <string.h>

/* The next configured mechanism that takes passwords; NULL at the end. */
static const char *
next_method(struct talk *talk)
{
	const conf_list *auth = &talk->auth->role->conf.auth;

	while (talk->next_auth < auth->count) {
		const char *method = auth->item[talk->next_auth++];

		if (strcmp(method, "passwd") == 0 ||
		    strcmp(method, "ldap") == 0 || strcmp(method, "pam") == 0)
			return method;
	}
	return NULL;
}

/*
 * All have said no, or could not say.  If only one said no, that was a guess;
 * if none could be asked, it is not the user's fault.
 */
static void
give_up(struct talk *talk)
{
	struct auth *a = talk->auth;
	struct fault f = { 0 };

	if (talk->denied) {
		authn_slow_failed(a->slow, talk->name, talk->peer,
		    clock_mono());
		(void)fault_set(&f, FAULT_LOGIN, "no mechanism took it");
	} else {
		(void)fault_set(&f, FAULT_FAILED,
		    "no mechanism could be asked");
	}
	login_refuse(talk, f.code, &f);
}

static void
try_next(struct talk *talk)
{
	struct auth *a = talk->auth;
	struct fault f = { 0 };
	struct pool *pool;

	if ((talk->method = next_method(talk)) == NULL) {
		give_up(talk);
		return;
	}
	pool = strcmp(talk->method, "pam") == 0 ? a->pam : a->workers;
	/* Its turn may have come and gone when this returns. */
	if (pool_ask(pool, &talk->job, &f) < 0)
		login_refuse(talk, f.code, &f);
}

void
password_begin(struct talk *talk)
{
	struct fault f = { 0 };

	talk->state = TALK_PASSWORD;
	if (principal_local(&talk->auth->role->conf, talk->username,
		talk->principal, talk->name, &f) < 0) {
		/* Still worth a hash, so that it takes as long: a name that is
		 * in no file. */
		talk->principal[0] = '\0';
		talk->name[0] = '\0';
	}
	try_next(talk);
}

static void
fill_ask(struct talk *talk, struct msg *m)
{
	struct wire_bytes phrase = { secret_data(talk->phrase),
		secret_len(talk->phrase) };

	if (strcmp(talk->method, "pam") == 0) {
		m->type = MSG_PAM_ASK;
		memcpy(m->pam_ask.ref, talk->ref, sizeof(talk->ref));
		memcpy(m->pam_ask.username, talk->name, sizeof(talk->name));
		memcpy(m->pam_ask.peer, talk->peer, sizeof(talk->peer));
		m->pam_ask.passphrase = phrase;
		return;
	}
	m->type = MSG_WORK_ASK;
	memcpy(m->work_ask.ref, talk->ref, sizeof(talk->ref));
	memcpy(m->work_ask.method, talk->method, strlen(talk->method) + 1);
	memcpy(m->work_ask.username, talk->name, sizeof(talk->name));
	m->work_ask.passphrase = phrase;
}

/*
 * Judged when a worker is free, not when the question comes: a thousand guesses
 * at once are a thousand questions in the queue, and the first few failures
 * slow the others down.
 */
bool
password_turn(struct talk *talk, struct msg *m)
{
	int64_t wait = authn_slow_wait(talk->auth->slow, talk->name, talk->peer,
	    clock_mono());
	struct fault f = { 0 };

	if (wait > 0 && !talk->tried) {
		LOG(LOGIN_SLOWED, LOG_TEXT("ref", talk->ref),
		    LOG_TEXT("peer", talk->peer),
		    LOG_TEXT("user", talk->username),
		    LOG_NUMBER("seconds", (wait + 999) / 1000));
		(void)fault_set(&f, FAULT_SLOWED, "too many failures");
		login_refuse(talk, FAULT_SLOWED, &f);
		return false;
	}
	talk->tried = true;
	fill_ask(talk, m);
	return true;
}

/* ${text} is the name as the mechanism has it, if it has an opinion. */
static int
take_name(struct talk *talk, const char *text, struct fault *f)
{
	if (talk->name[0] == '\0')
		return fault_set(f, FAULT_LOGIN, "no name of a person");
	if (text[0] == '\0')
		return 0;
	return principal_local(&talk->auth->role->conf, text, talk->principal,
	    talk->name, f);
}

void
password_answer(struct talk *talk, enum fault_code code, const char *text)
{
	char typed[PRINCIPAL_SIZE];
	struct fault f = { 0 };

	memcpy(typed, talk->name, sizeof(typed));
	if (code != FAULT_NONE) {
		talk->denied = talk->denied || code == FAULT_LOGIN;
		/* Nobody waits for what the next one says. */
		if (talk->front == NULL)
			give_up(talk);
		else
			try_next(talk);
		return;
	}
	if (take_name(talk, text, &f) < 0) {
		talk->denied = true;
		give_up(talk);
		return;
	}
	authn_slow_passed(talk->auth->slow, typed, talk->peer, clock_mono());
	login_proven(talk);
}
