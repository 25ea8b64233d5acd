#include "authn/authn_key.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "signetd/auth/auth.h"

#include <assert.h>
#include <string.h>

/* MyProxy's numbers: msg.def. */
#define METHOD_X509_SHA1 2u
#define METHOD_SASL 3u
#define METHOD_X509_SHA256 4u

#define TOKEN_MAX 49152u

static const struct {
	const char *auth;
	unsigned number;
} methods[] = {
	{ "kerberos", METHOD_SASL },
	{ "certificate", METHOD_X509_SHA256 },
	{ "certificate-sha1", METHOD_X509_SHA1 },
};

uint32_t
challenge_methods(const struct auth *a)
{
	uint32_t set = 0;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (conf_list_has(&a->role->conf.auth, methods[i].auth))
			set |= 1u << methods[i].number;
	return set;
}

static const char *
name_of(unsigned number)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].number == number)
			return methods[i].auth;
	return NULL;
}

static void
make_challenge(char challenge[TALK_CHALLENGE_SIZE])
{
	uint8_t bytes[(TALK_CHALLENGE_SIZE - 1) / 2];

	rand_bytes(bytes, sizeof(bytes));
	text_hex(bytes, sizeof(bytes), challenge);
}

static void
refuse(struct talk *talk, enum fault_code code, const char *text)
{
	struct fault f = { 0 };

	(void)fault_set(&f, code, "%s", text);
	login_refuse(talk, code, &f);
}

static void
say(struct talk *talk, const struct msg *m)
{
	struct fault f = { 0 };

	if (channel_say(talk->front, m, &f) < 0)
		login_refuse(talk, f.code, &f);
}

void
challenge_offer(struct talk *talk)
{
	struct msg m = { .type = MSG_AUTH_OFFER };

	talk->state = TALK_OFFERED;
	talk->offered = challenge_methods(talk->auth);
	make_challenge(talk->challenge_sha1);
	make_challenge(talk->challenge_sha256);
	m.auth_offer.connection = talk->connection;
	m.auth_offer.methods = talk->offered;
	memcpy(m.auth_offer.challenge_sha1, talk->challenge_sha1,
	    sizeof(talk->challenge_sha1));
	memcpy(m.auth_offer.challenge_sha256, talk->challenge_sha256,
	    sizeof(talk->challenge_sha256));
	say(talk, &m);
}

/*
 * The ticket is its principal's, and that must be who was asked for: both by
 * the request and, if it says so, by SASL's authorization id.
 */
static int
check_ticket(struct talk *talk, struct fault *f)
{
	const struct signetd_conf *conf = &talk->auth->role->conf;
	const char *authzid = krb_gss_authzid(talk->gss);
	char asked[PRINCIPAL_SIZE];

	if (principal_of(conf, krb_gss_principal(talk->gss), talk->principal,
		f) < 0)
		return fault_wrap(f, "%s", krb_gss_principal(talk->gss));
	if (principal_of(conf, talk->username, asked, f) < 0)
		return -1;
	if (strcmp(asked, talk->principal) != 0)
		return fault_set(f, FAULT_LOGIN, "the ticket is of %s",
		    talk->principal);
	if (authzid[0] == '\0')
		return 0;
	if (principal_of(conf, authzid, asked, f) < 0)
		return -1;
	if (strcmp(asked, talk->principal) != 0)
		return fault_set(f, FAULT_LOGIN, "%s asks to be %s",
		    talk->principal, asked);
	return 0;
}

static void
ticket_shown(struct talk *talk)
{
	struct fault f = { 0 };

	if (check_ticket(talk, &f) < 0)
		login_refuse(talk, FAULT_LOGIN, &f);
	else
		login_proven(talk);
}

/* Accepting takes less than a millisecond, and no network: no worker. */
static void
step_sasl(struct talk *talk, struct wire_bytes token)
{
	struct msg m = { .type = MSG_AUTH_MORE };
	OWN_BUF(out, TOKEN_MAX);
	struct fault f = { 0 };

	if (talk->gss == NULL)
		talk->gss = krb_gss_again(talk->auth->keys, &f);
	if (talk->gss == NULL) {
		login_refuse(talk, FAULT_FAILED, &f);
		return;
	}
	talk->state = TALK_SASL;
	switch (krb_gss_step(talk->gss, token, &out, &f)) {
	case KRB_MORE:
		m.auth_more.connection = talk->connection;
		m.auth_more.token = (struct wire_bytes){ out.data, out.len };
		say(talk, &m);
		return;
	case KRB_DONE:
		ticket_shown(talk);
		return;
	case KRB_FAILED:
		login_refuse(talk, FAULT_LOGIN, &f);
		return;
	}
}

/* Expired or untrusted may be told: whoever holds the credential can see it. */
static enum fault_code
code_of(const struct fault *f)
{
	return f->code == FAULT_EXPIRED || f->code == FAULT_UNTRUSTED
	    ? f->code
	    : FAULT_LOGIN;
}

/* Which certificate was shown is the keeper's to look up. */
static int
take_shown(struct talk *talk, const struct trust_verdict *verdict,
    struct fault *f)
{
	static_assert(sizeof(talk->shown_serial) > 2 * sizeof(verdict->serial),
	    "a serial has its room");

	if (dn_show_slash(&verdict->issuer, talk->shown_issuer,
		sizeof(talk->shown_issuer)) < 0)
		return fault_set(f, FAULT_DENIED,
		    "the name of the certificate's CA is too long");
	text_hex(verdict->serial, verdict->serial_len, talk->shown_serial);
	talk->has_identity = true;
	talk->identity = verdict->identity;
	return 0;
}

/* Nobody can say now whether it is revoked: ${answer}, which may be what was
 * kept already, is looked at again when there is news. */
static void
wait_for_list(struct talk *talk, struct wire_bytes answer)
{
	if (talk->state != TALK_READING) {
		talk->answer = BUF(TOKEN_MAX);
		buf_put(&talk->answer, answer.data, answer.len);
		talk->state = TALK_READING;
	}
	if (talk->answer.failed)
		refuse(talk, FAULT_MEMORY, "an answer that has to wait");
	else
		trusted_await(talk->auth);
}

static void
step_certificate(struct talk *talk, bool sha1, struct wire_bytes answer)
{
	struct trust_verdict verdict;
	struct fault f = { 0 };

	if (talk->auth->trust == NULL) {
		refuse(talk, FAULT_FAILED, "there are no trust anchors");
		return;
	}
	if (authn_key_check(upkeep_store(talk->auth->trust),
		sha1 ? talk->challenge_sha1 : talk->challenge_sha256, sha1,
		answer, clock_wall(), &verdict, &f) < 0) {
		if (f.code == FAULT_BUSY) {
			wait_for_list(talk, answer);
			return;
		}
		login_refuse(talk, code_of(&f), &f);
		return;
	}
	if (verdict.limited) {
		refuse(talk, FAULT_DENIED,
		    "a limited proxy gets no certificate");
		return;
	}
	if (principal_of(&talk->auth->role->conf, talk->username,
		talk->principal, &f) < 0 ||
	    take_shown(talk, &verdict, &f) < 0) {
		login_refuse(talk, FAULT_LOGIN, &f);
		return;
	}
	login_proven(talk);
}

void
challenge_again(struct talk *talk)
{
	if (talk->state == TALK_READING)
		step_certificate(talk,
		    strcmp(talk->method, name_of(METHOD_X509_SHA1)) == 0,
		    (struct wire_bytes){ talk->answer.data, talk->answer.len });
}

void
challenge_step(struct talk *talk, const struct msg_auth_step *m)
{
	bool begins = talk->state == TALK_OFFERED;

	if (!begins && (talk->state != TALK_SASL || m->method != METHOD_SASL)) {
		refuse(talk, FAULT_INPUT, "a step that was not due");
		return;
	}
	if (m->method >= 32 || (talk->offered & 1u << m->method) == 0) {
		refuse(talk, FAULT_INPUT, "a method that was not offered");
		return;
	}
	talk->method = name_of(m->method);
	if (m->method == METHOD_SASL)
		step_sasl(talk, m->token);
	else
		step_certificate(talk, m->method == METHOD_X509_SHA1, m->token);
}
