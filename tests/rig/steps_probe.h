#ifndef RIG_STEPS_PROBE_H
#define RIG_STEPS_PROBE_H

/*
 * The issuer's steps on a stage: a test at the far end of each of its channels,
 * and what auth, front end, signer and keeper say there.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/unit.h"
#include "rig/issue_rig.h"
#include "rig/line_rig.h"
#include "signetd/issuer/issue.h"
#include "x509/mint.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>

#define CONF                                                \
	"name rig\nmay-sign-under /DC=org/O=Ex/OU=People\n" \
	"max-lifetime 1000000\nusage digitalSignature\n"    \
	"purpose clientAuth\ncrl-url http://ca.example.org/rig.crl\n"
#define PROFILE                                                     \
	"# people\nsubject /DC=org/O=Ex/OU=People/CN={principal}\n" \
	"lifetime 12h\nkey ec:P-256\nusage digitalSignature\n"      \
	"purpose clientAuth\n"

static const uint8_t serial[] = { 0x11, 0x22, 0x33 };

struct stage {
	struct rig rig; /* its CA only */
	struct loop *loop;
	struct issue issue;
	struct line auth;
	struct line keeper;
	struct line signer;
	struct line front;
	struct line intake;
	struct key *key;
	struct buf csr;
	uint8_t *frame;
	uint32_t served;
	uint8_t next_ticket;
};

/* What main.c does with what the issuer hears. */
static inline void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct stage *s = arg;

	(void)fd;
	if (m->type == MSG_VOUCH)
		issue_vouch(&s->issue, &m->vouch);
	if (m->type == MSG_SIGN_ASK)
		issue_ask(&s->issue, ch, &m->sign_ask);
	if (m->type == MSG_CALL_SIGN)
		issue_call(&s->issue, ch, &m->call_sign);
	if (m->type == MSG_RESERVED)
		issue_reserved(&s->issue, &m->reserved);
	if (m->type == MSG_TBS_DONE)
		issue_signed(&s->issue, &m->tbs_done);
	if (m->type == MSG_COMMITTED)
		issue_committed(&s->issue, &m->committed);
	if (m->type == MSG_CA_READY)
		ready_hear(&s->issue.ready, &m->ca_ready);
}

static inline struct wire_bytes
text(const char *t)
{
	return (struct wire_bytes){ (const uint8_t *)t, strlen(t) };
}

static inline void
make_policy(struct stage *s)
{
	static const struct wire_bytes none = { NULL, 0 };
	OWN_BUF(pem, 65536);
	struct fault f = { 0 };

	rig_make_ca(&s->rig, "ec:P-256");
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ s->rig.ca->der, s->rig.ca->len });
	assert_non_null(s->issue.policy = policy_new(&f));
	if (policy_add_ca(s->issue.policy, text(CONF),
		(struct wire_bytes){ pem.data, pem.len }, none, &f) < 0 ||
	    policy_add_profile(s->issue.policy, text(PROFILE), &f) < 0)
		fail_msg("%s", f.text);
}

static inline int
open_stage(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct fault f = { 0 };

	assert_non_null(s);
	*state = s;
	assert_non_null(s->loop = loop_new(&f));
	assert_non_null(s->frame = malloc(MSG_MAX_FRAME));
	assert_non_null(s->key = key_make("ec:P-256", &f));
	s->csr = rig_request(s->key);
	s->issue.served = &s->served;
	assert_int_equal(issue_open(&s->issue, &f), 0);
	make_policy(s);
	line_open(&s->auth, s->loop, MSG_ROLE_ISSUER, MSG_ROLE_AUTH, heard, s);
	line_open(&s->keeper, s->loop, MSG_ROLE_ISSUER, MSG_ROLE_KEEPER, heard,
	    s);
	line_open(&s->signer, s->loop, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER, heard,
	    s);
	line_open(&s->front, s->loop, MSG_ROLE_ISSUER, MSG_ROLE_FRONT, heard,
	    s);
	line_open(&s->intake, s->loop, MSG_ROLE_ISSUER, MSG_ROLE_INTAKE, heard,
	    s);
	s->issue.auth = s->auth.near;
	s->issue.keeper = s->keeper.near;
	s->issue.signer = s->signer.near;
	return 0;
}

static inline int
close_stage(void **state)
{
	struct stage *s = *state;

	line_close(&s->auth);
	line_close(&s->keeper);
	line_close(&s->signer);
	line_close(&s->front);
	line_close(&s->intake);
	issue_close(&s->issue);
	loop_free(s->loop);
	key_free(s->rig.ca_key);
	cert_free(s->rig.ca);
	key_free(s->key);
	buf_free(&s->csr);
	free(s->frame);
	free(s);
	return 0;
}

static inline struct msg
expect(struct stage *s, const struct line *line, enum msg_type type)
{
	struct msg m;

	assert_true(line_hear(line, s->frame, &m));
	assert_int_equal(m.type, type);
	return m;
}

static inline void
expect_silence(struct stage *s, const struct line *line)
{
	struct msg m;

	assert_false(line_hear(line, s->frame, &m));
}

static inline void
expect_refusal(struct stage *s, uint32_t connection, enum fault_code code)
{
	struct msg m = expect(s, &s->front, MSG_SIGN_DONE);

	assert_int_equal(m.sign_done.connection, connection);
	assert_int_equal(m.sign_done.fault, code);
	assert_int_equal(m.sign_done.certificate.len, 0);
}

static inline void
expect_void(struct stage *s)
{
	struct msg m = expect(s, &s->keeper, MSG_VOID);

	assert_string_equal(m.void_.ca, "rig");
	assert_int_equal(m.void_.serial.len, sizeof(serial));
	assert_memory_equal(m.void_.serial.data, serial, sizeof(serial));
}

/* Auth vouches, the front end asks. */
static inline void
vouch_for(struct stage *s, const uint8_t ticket[16])
{
	struct msg vouch = { .type = MSG_VOUCH,
		.vouch = { .ref = "0123456789ab",
		    .principal = "a@EX.ORG",
		    .subject = "/DC=org/O=Ex/OU=People/CN=a@EX.ORG",
		    .valid_ms = 1000 } };
	struct fault f = { 0 };

	vouch.vouch.ticket = (struct wire_bytes){ ticket, 16 };
	/* Said, but not yet heard: the issuer must look for it. */
	assert_int_equal(channel_tell(s->auth.far, &vouch, &f), 0);
}

static inline void
ask_only(struct stage *s, uint32_t connection)
{
	uint8_t ticket[16] = { ++s->next_ticket };
	struct msg m = { .type = MSG_SIGN_ASK };

	vouch_for(s, ticket);
	m.sign_ask.connection = connection;
	m.sign_ask.ticket = (struct wire_bytes){ ticket, 16 };
	m.sign_ask.csr = (struct wire_bytes){ s->csr.data, s->csr.len };
	line_say(&s->front, &m);
}

/* The id of the job that RESERVE names. */
static inline uint32_t
ask(struct stage *s, uint32_t connection)
{
	ask_only(s, connection);
	return expect(s, &s->keeper, MSG_RESERVE).reserve.id;
}

static inline void
say_reserved(struct stage *s, uint32_t id, uint32_t fault)
{
	struct msg m = { .type = MSG_RESERVED };

	m.reserved.id = id;
	m.reserved.fault = fault;
	if (fault == FAULT_NONE)
		m.reserved.serial =
		    (struct wire_bytes){ serial, sizeof(serial) };
	line_say(&s->keeper, &m);
}

static inline void
say_ready(struct stage *s, bool ready)
{
	struct msg m = { .type = MSG_CA_READY };

	memcpy(m.ca_ready.ca, "rig", 4);
	m.ca_ready.ready = ready;
	line_say(&s->signer, &m);
}

/* Sign what ${ask} asks for, and say ${fault} with it. */
static inline void
say_signed_but(struct stage *s, const struct msg *ask, uint32_t fault)
{
	struct msg m = { .type = MSG_TBS_DONE };
	OWN_BUF(signature, 1024);
	struct fault f = { 0 };

	assert_int_equal(key_sign(s->rig.ca_key, ask->tbs_ask.tbs, &signature,
			     &f),
	    0);
	m.tbs_done.id = ask->tbs_ask.id;
	m.tbs_done.fault = fault;
	m.tbs_done.signature =
	    (struct wire_bytes){ signature.data, signature.len };
	line_say(&s->signer, &m);
}

/* Answer the signer's question ${ask} rightly. */
static inline void
say_signed(struct stage *s, const struct msg *ask)
{
	say_signed_but(s, ask, FAULT_NONE);
}

static inline void
say_not_signed(struct stage *s, uint32_t id, uint32_t fault)
{
	struct msg m = { .type = MSG_TBS_DONE };

	m.tbs_done.id = id;
	m.tbs_done.fault = fault;
	line_say(&s->signer, &m);
}

static inline void
say_committed(struct stage *s, uint32_t id, uint32_t fault)
{
	struct msg m = { .type = MSG_COMMITTED };

	m.committed.id = id;
	m.committed.fault = fault;
	line_say(&s->keeper, &m);
}

/* Until the certificate waits to be committed. */
static inline uint32_t
ask_and_sign(struct stage *s, uint32_t connection)
{
	uint32_t id = ask(s, connection);
	struct msg m;

	say_reserved(s, id, FAULT_NONE);
	m = expect(s, &s->signer, MSG_TBS_ASK);
	assert_int_equal(m.tbs_ask.id, id);
	say_signed(s, &m);
	m = expect(s, &s->keeper, MSG_COMMIT);
	assert_int_equal(m.commit.id, id);
	assert_memory_equal(m.commit.serial.data, serial, sizeof(serial));
	return id;
}

#endif
