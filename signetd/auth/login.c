#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "signetd/auth/auth.h"

#include <string.h>

#define TICKET_SIZE 16

static void
say(struct channel *front, const struct msg *m)
{
	struct fault f = { 0 };

	if (channel_say(front, m, &f) < 0)
		log_fault(&f, NULL);
}

static void
say_no(struct channel *front, uint32_t connection, enum fault_code code)
{
	struct msg m = { .type = MSG_AUTH_NO };

	m.auth_no.connection = connection;
	m.auth_no.fault = code;
	say(front, &m);
}

static void
say_no_to(const struct talk *talk, enum fault_code code)
{
	if (talk->call)
		callout_no(talk->front, talk->connection, code);
	else
		say_no(talk->front, talk->connection, code);
}

void
login_refuse(struct talk *talk, enum fault_code code, const struct fault *f)
{
	LOG(LOGIN_REFUSED, LOG_TEXT("ref", talk->ref),
	    LOG_TEXT("peer", talk->peer), LOG_TEXT("user", talk->username),
	    LOG_TEXT("method", talk->method),
	    LOG_TEXT("code", fault_name(f->code)), LOG_TEXT("text", f->text));
	if (talk->front != NULL)
		say_no_to(talk, code);
	/* A worker may still have its question. */
	talk_abandon(talk->auth->talks, talk);
}

/* The issuer hears who it is before the front end hears the ticket's number. */
static int
vouch(const struct talk *talk, const char *subject,
    const uint8_t ticket[TICKET_SIZE], struct fault *f)
{
	struct msg m = { .type = MSG_VOUCH };
	const struct auth_profile *p =
	    subject_profile(talk->auth, talk->profile);

	if (p == NULL)
		return fault_set(f, FAULT_DENIED, "no profile %s",
		    talk->profile);
	if (talk->auth->issuer == NULL)
		return fault_set(f, FAULT_INTERNAL, "no issuer");
	m.vouch.ticket = (struct wire_bytes){ ticket, TICKET_SIZE };
	memcpy(m.vouch.ref, talk->ref, sizeof(talk->ref));
	memcpy(m.vouch.peer, talk->peer, sizeof(talk->peer));
	memcpy(m.vouch.username, talk->username, sizeof(talk->username));
	memcpy(m.vouch.principal, talk->principal, sizeof(talk->principal));
	memcpy(m.vouch.profile, p->name, sizeof(p->name));
	memcpy(m.vouch.shown_issuer, talk->shown_issuer,
	    sizeof(talk->shown_issuer));
	memcpy(m.vouch.shown_serial, talk->shown_serial,
	    sizeof(talk->shown_serial));
	m.vouch.valid_ms = AUTH_VALID_MS;
	if (text_copy(m.vouch.method, sizeof(m.vouch.method), talk->method) <
		0 ||
	    text_copy(m.vouch.subject, sizeof(m.vouch.subject), subject) < 0)
		return fault_set(f, FAULT_DENIED, "the subject is too long");
	return channel_say(talk->auth->issuer, &m, f);
}

static void
say_yes(struct talk *talk, const struct dn *subject)
{
	struct msg m = { .type = MSG_AUTH_YES };
	uint8_t ticket[TICKET_SIZE];
	char text[DN_TEXT_MAX];
	struct fault f = { 0 };
	int result = dn_show_slash(subject, text, sizeof(text));

	if (result < 0)
		(void)fault_set(&f, FAULT_DENIED, "the subject is too long");
	rand_bytes(ticket, sizeof(ticket));
	if (result == 0)
		result = vouch(talk, text, ticket, &f);
	if (result < 0) {
		login_refuse(talk, f.code, &f);
		return;
	}
	LOG(LOGIN, LOG_TEXT("ref", talk->ref), LOG_TEXT("peer", talk->peer),
	    LOG_TEXT("user", talk->username),
	    LOG_TEXT("principal", talk->principal),
	    LOG_TEXT("method", talk->method), LOG_TEXT("subject", text));
	if (talk->call) {
		m.type = MSG_CALL_YES;
		m.call_yes.connection = talk->connection;
		m.call_yes.ticket =
		    (struct wire_bytes){ ticket, sizeof(ticket) };
	} else {
		m.auth_yes.connection = talk->connection;
		m.auth_yes.ticket =
		    (struct wire_bytes){ ticket, sizeof(ticket) };
	}
	say(talk->front, &m);
	talk->auth->role->served++;
	talk_free(talk->auth->talks, talk);
}

/* OpenSSL's form of both, so that another string type is no other person. */
static bool
same_name(const struct dn *a, const struct dn *b)
{
	char text_a[DN_TEXT_MAX], text_b[DN_TEXT_MAX];

	return dn_show_slash(a, text_a, sizeof(text_a)) == 0 &&
	    dn_show_slash(b, text_b, sizeof(text_b)) == 0 &&
	    strcmp(text_a, text_b) == 0;
}

/* The subject is known: is it the one that was shown? */
static void
settle(struct talk *talk, const struct dn *subject)
{
	struct fault f = { 0 };

	if (talk->front == NULL) {
		talk_free(talk->auth->talks, talk);
		return;
	}
	if (talk->has_identity && !same_name(subject, &talk->identity)) {
		(void)fault_set(&f, FAULT_LOGIN,
		    "the certificate is somebody else's");
		login_refuse(talk, FAULT_LOGIN, &f);
		return;
	}
	say_yes(talk, subject);
}

void
login_proven(struct talk *talk)
{
	struct fault f = { 0 };
	struct dn subject;

	if (talk->front == NULL) {
		talk_free(talk->auth->talks, talk);
		return;
	}
	if (subject_profile(talk->auth, talk->profile) == NULL) {
		(void)fault_set(&f, FAULT_DENIED, "no such profile");
		login_refuse(talk, FAULT_DENIED, &f);
		return;
	}
	if (subject_work(&talk->auth->role->conf) != NULL) {
		talk->state = TALK_MAPPING;
		if (pool_ask(talk->auth->workers, &talk->job, &f) < 0)
			login_refuse(talk, f.code, &f);
		return;
	}
	if (subject_fill(talk, &subject, &f) < 0) {
		login_refuse(talk,
		    f.code == FAULT_NAME ? FAULT_NAME : FAULT_DENIED, &f);
		return;
	}
	settle(talk, &subject);
}

static void
mapping_turn(const struct talk *talk, struct msg *m)
{
	const char *work = subject_work(&talk->auth->role->conf);

	m->type = MSG_WORK_ASK;
	memcpy(m->work_ask.ref, talk->ref, sizeof(talk->ref));
	memcpy(m->work_ask.method, work, strlen(work) + 1);
	memcpy(m->work_ask.username, talk->principal, sizeof(talk->principal));
}

/* Whom the map does not know looks to a stranger like one who failed: who has
 * an account here is nobody's business. */
static void
mapping_answer(struct talk *talk, enum fault_code code, const char *text)
{
	struct fault f = { 0 };
	struct dn subject;

	if (code == FAULT_ABSENT) {
		(void)fault_set(&f, FAULT_ABSENT, "%s has no subject",
		    talk->principal);
		login_refuse(talk, FAULT_LOGIN, &f);
	} else if (code != FAULT_NONE) {
		(void)fault_set(&f, FAULT_FAILED, "the map could not be asked");
		login_refuse(talk, FAULT_FAILED, &f);
	} else if (dn_read_slash(&subject, text, &f) < 0) {
		(void)fault_wrap(&f, "subject of %s", talk->principal);
		login_refuse(talk, FAULT_FAILED, &f);
	} else {
		settle(talk, &subject);
	}
}

bool
login_turn(struct pool_job *job, struct msg *m)
{
	struct talk *talk = job->owner;

	if (talk->state == TALK_PASSWORD)
		return password_turn(talk, m);
	if (subject_work(&talk->auth->role->conf) == NULL) {
		/* A reload has taken the map away: what is there now? */
		login_proven(talk);
		return false;
	}
	mapping_turn(talk, m);
	return true;
}

void
login_answer(struct pool_job *job, enum fault_code code, const char *text)
{
	struct talk *talk = job->owner;

	if (talk->state == TALK_PASSWORD)
		password_answer(talk, code, text);
	else
		mapping_answer(talk, code, text);
}

/* What the front end was told by a stranger. */
static int
fill(struct talk *talk, const struct msg_auth_ask *m, struct fault *f)
{
	memcpy(talk->ref, m->ref, sizeof(talk->ref));
	memcpy(talk->peer, m->peer, sizeof(talk->peer));
	memcpy(talk->username, m->username, sizeof(talk->username));
	memcpy(talk->profile, m->profile, sizeof(talk->profile));
	if (m->passphrase.len == 0)
		return 0;
	return talk_keep_phrase(talk->auth->talks, talk, m->passphrase, f);
}

static bool
takes_passwords(const struct signetd_conf *conf)
{
	return conf_list_has(&conf->auth, "passwd") ||
	    conf_list_has(&conf->auth, "ldap") ||
	    conf_list_has(&conf->auth, "pam");
}

/* Which way can this one prove it? */
static void
begin(struct talk *talk, const struct msg_auth_ask *m)
{
	struct auth *a = talk->auth;
	struct fault f = { 0 };

	if (m->tls_limited != 0) {
		(void)fault_set(&f, FAULT_DENIED,
		    "a limited proxy gets no certificate");
		login_refuse(talk, FAULT_DENIED, &f);
	} else if (talk->phrase != NULL && takes_passwords(&a->role->conf)) {
		password_begin(talk);
	} else if (challenge_methods(a) != 0) {
		challenge_offer(talk);
	} else {
		(void)fault_set(&f, FAULT_LOGIN, "no password");
		login_refuse(talk, FAULT_LOGIN, &f);
	}
}

void
login_ask(struct auth *a, struct channel *front, const struct msg_auth_ask *m)
{
	struct fault f = { 0 };
	struct talk *talk = talk_new(a->talks, front, m->connection, &f);

	if (talk == NULL) {
		log_fault(&f, m->ref);
		say_no(front, m->connection, f.code);
		return;
	}
	talk->auth = a;
	if (fill(talk, m, &f) < 0)
		login_refuse(talk, f.code, &f);
	else
		begin(talk, m);
}
