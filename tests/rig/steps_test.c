/*
 * The issuer's steps, with a test at the far end of each of its channels: what
 * comes too late, out of turn, or wrong.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/unit.h"
#include "rig/issue_rig.h"
#include "signetd/issuer/issue.h"
#include "sys/loop.h"
#include "x509/mint.h"
#include "x509/pem.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONF                                                \
	"name rig\nmay-sign-under /DC=org/O=Ex/OU=People\n" \
	"max-lifetime 1000000\nusage digitalSignature\n"    \
	"purpose clientAuth\ncrl-url http://ca.example.org/rig.crl\n"
#define PROFILE                                                     \
	"# people\nsubject /DC=org/O=Ex/OU=People/CN={principal}\n" \
	"lifetime 12h\nkey ec:P-256\nusage digitalSignature\n"      \
	"purpose clientAuth\n"

static const uint8_t serial[] = { 0x11, 0x22, 0x33 };

/* One of the issuer's channels, and its far end. */
struct line {
	enum msg_role peer;
	struct channel *near;
	int far;
};

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
static void
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

static void
gone(void *arg, struct channel *ch, const struct fault *f)
{
	(void)arg;
	(void)ch;
	(void)f;
}

static void
open_line(struct stage *s, struct line *line, enum msg_role peer)
{
	struct fault f = { 0 };
	int fds[2];

	assert_int_equal(channel_pair(fds, &f), 0);
	line->peer = peer;
	line->far = fds[1];
	line->near = channel_new(s->loop, fds[0], MSG_ROLE_ISSUER, peer, heard,
	    gone, s, &f);
	assert_non_null(line->near);
}

static void
close_line(struct line *line)
{
	channel_free(line->near);
	(void)close(line->far);
}

static struct wire_bytes
text(const char *t)
{
	return (struct wire_bytes){ (const uint8_t *)t, strlen(t) };
}

static void
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

static int
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
	open_line(s, &s->auth, MSG_ROLE_AUTH);
	open_line(s, &s->keeper, MSG_ROLE_KEEPER);
	open_line(s, &s->signer, MSG_ROLE_SIGNER);
	open_line(s, &s->front, MSG_ROLE_FRONT);
	open_line(s, &s->intake, MSG_ROLE_INTAKE);
	s->issue.auth = s->auth.near;
	s->issue.keeper = s->keeper.near;
	s->issue.signer = s->signer.near;
	return 0;
}

static int
close_stage(void **state)
{
	struct stage *s = *state;

	close_line(&s->auth);
	close_line(&s->keeper);
	close_line(&s->signer);
	close_line(&s->front);
	close_line(&s->intake);
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

/* ${m} arrives on ${line} and is acted upon. */
static void
say(struct line *line, const struct msg *m)
{
	struct fault f = { 0 };

	assert_int_equal(channel_tell(line->far, m, &f), 0);
	channel_drain(line->near);
}

/* What the issuer has said on ${line}; false if nothing. */
static bool
listen_to(struct stage *s, const struct line *line, struct msg *m)
{
	struct fault f = { 0 };
	char peek;
	int passed;

	if (recv(line->far, &peek, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		return false;
	assert_int_equal(channel_hear(line->far, line->peer, MSG_ROLE_ISSUER,
			     s->frame, m, &passed, &f),
	    1);
	return true;
}

static struct msg
expect(struct stage *s, const struct line *line, enum msg_type type)
{
	struct msg m;

	assert_true(listen_to(s, line, &m));
	assert_int_equal(m.type, type);
	return m;
}

static void
expect_silence(struct stage *s, const struct line *line)
{
	struct msg m;

	assert_false(listen_to(s, line, &m));
}

static void
expect_refusal(struct stage *s, uint32_t connection, enum fault_code code)
{
	struct msg m = expect(s, &s->front, MSG_SIGN_DONE);

	assert_int_equal(m.sign_done.connection, connection);
	assert_int_equal(m.sign_done.fault, code);
	assert_int_equal(m.sign_done.certificate.len, 0);
}

static void
expect_void(struct stage *s)
{
	struct msg m = expect(s, &s->keeper, MSG_VOID);

	assert_string_equal(m.void_.ca, "rig");
	assert_int_equal(m.void_.serial.len, sizeof(serial));
	assert_memory_equal(m.void_.serial.data, serial, sizeof(serial));
}

/* Auth vouches, the front end asks. */
static void
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

static void
ask_only(struct stage *s, uint32_t connection)
{
	uint8_t ticket[16] = { ++s->next_ticket };
	struct msg m = { .type = MSG_SIGN_ASK };

	vouch_for(s, ticket);
	m.sign_ask.connection = connection;
	m.sign_ask.ticket = (struct wire_bytes){ ticket, 16 };
	m.sign_ask.csr = (struct wire_bytes){ s->csr.data, s->csr.len };
	say(&s->front, &m);
}

/* The id of the job that RESERVE names. */
static uint32_t
ask(struct stage *s, uint32_t connection)
{
	ask_only(s, connection);
	return expect(s, &s->keeper, MSG_RESERVE).reserve.id;
}

static void
say_reserved(struct stage *s, uint32_t id, uint32_t fault)
{
	struct msg m = { .type = MSG_RESERVED };

	m.reserved.id = id;
	m.reserved.fault = fault;
	if (fault == FAULT_NONE)
		m.reserved.serial =
		    (struct wire_bytes){ serial, sizeof(serial) };
	say(&s->keeper, &m);
}

static void
say_ready(struct stage *s, bool ready)
{
	struct msg m = { .type = MSG_CA_READY };

	memcpy(m.ca_ready.ca, "rig", 4);
	m.ca_ready.ready = ready;
	say(&s->signer, &m);
}

/* Sign what ${ask} asks for, and say ${fault} with it. */
static void
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
	say(&s->signer, &m);
}

/* Answer the signer's question ${ask} rightly. */
static void
say_signed(struct stage *s, const struct msg *ask)
{
	say_signed_but(s, ask, FAULT_NONE);
}

static void
say_not_signed(struct stage *s, uint32_t id, uint32_t fault)
{
	struct msg m = { .type = MSG_TBS_DONE };

	m.tbs_done.id = id;
	m.tbs_done.fault = fault;
	say(&s->signer, &m);
}

static void
say_committed(struct stage *s, uint32_t id, uint32_t fault)
{
	struct msg m = { .type = MSG_COMMITTED };

	m.committed.id = id;
	m.committed.fault = fault;
	say(&s->keeper, &m);
}

/* Until the certificate waits to be committed. */
static uint32_t
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

static void
nothing_leaves_before_it_is_committed(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask_and_sign(s, 7);
	struct msg m;

	expect_silence(s, &s->front);
	say_committed(s, id, FAULT_NONE);
	m = expect(s, &s->front, MSG_SIGN_DONE);
	assert_int_equal(m.sign_done.connection, 7);
	assert_int_equal(m.sign_done.fault, FAULT_NONE);
	assert_true(m.sign_done.certificate.len > 0);
	assert_int_equal(s->served, 1);
	assert_int_equal(job_count(s->issue.jobs), 0);
}

/* The intake asks, and a serial is reserved: its job. */
static uint32_t
call_and_reserve(struct stage *s, uint32_t connection)
{
	uint8_t ticket[16] = { ++s->next_ticket };
	struct msg m = { .type = MSG_CALL_SIGN };
	uint32_t id;

	vouch_for(s, ticket);
	m.call_sign.connection = connection;
	m.call_sign.ticket = (struct wire_bytes){ ticket, 16 };
	m.call_sign.csr = (struct wire_bytes){ s->csr.data, s->csr.len };
	say(&s->intake, &m);
	id = expect(s, &s->keeper, MSG_RESERVE).reserve.id;
	say_reserved(s, id, FAULT_NONE);
	return id;
}

static void
a_call_out_is_answered_in_its_own_words(void **state)
{
	struct stage *s = *state;
	uint32_t id = call_and_reserve(s, 7);
	struct msg m = expect(s, &s->signer, MSG_TBS_ASK);

	say_signed(s, &m);
	(void)expect(s, &s->keeper, MSG_COMMIT);
	expect_silence(s, &s->intake);
	say_committed(s, id, FAULT_NONE);
	m = expect(s, &s->intake, MSG_CALL_SIGNED);
	assert_int_equal(m.call_signed.connection, 7);
	assert_int_equal(m.call_signed.fault, FAULT_NONE);
	assert_true(m.call_signed.certificate.len > 0);
	assert_true(m.call_signed.chain.len > 0);
	expect_silence(s, &s->front);
	id = call_and_reserve(s, 8);
	(void)expect(s, &s->signer, MSG_TBS_ASK);
	say_not_signed(s, id, FAULT_SUSPENDED);
	m = expect(s, &s->intake, MSG_CALL_SIGNED);
	assert_int_equal(m.call_signed.connection, 8);
	assert_int_equal(m.call_signed.fault, FAULT_SUSPENDED);
	expect_void(s);
	/* A ticket that nobody has vouched for is none, whoever shows it. */
	m = (struct msg){ .type = MSG_CALL_SIGN };
	m.call_sign.connection = 9;
	m.call_sign.ticket = (struct wire_bytes){ serial, sizeof(serial) };
	say(&s->intake, &m);
	m = expect(s, &s->intake, MSG_CALL_SIGNED);
	assert_int_equal(m.call_signed.fault, FAULT_DENIED);
}

static void
a_certificate_that_is_not_recorded_is_not_handed_out(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask_and_sign(s, 7);

	say_committed(s, id, FAULT_LEDGER);
	expect_refusal(s, 7, FAULT_LEDGER);
	expect_void(s);
	assert_int_equal(s->served, 0);
	assert_int_equal(job_count(s->issue.jobs), 0);
}

static void
a_refusal_by_the_signer_voids_the_serial(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask(s, 7);

	say_reserved(s, id, FAULT_NONE);
	(void)expect(s, &s->signer, MSG_TBS_ASK);
	say_not_signed(s, id, FAULT_DENIED);
	expect_refusal(s, 7, FAULT_DENIED);
	expect_void(s);
	assert_int_equal(job_count(s->issue.jobs), 0);
}

static void
a_code_that_is_none_becomes_an_internal_fault(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask(s, 7);

	say_reserved(s, id, 4711);
	expect_refusal(s, 7, FAULT_INTERNAL);
	expect_silence(s, &s->keeper);
	id = ask(s, 8);
	say_reserved(s, id, FAULT_NONE);
	(void)expect(s, &s->signer, MSG_TBS_ASK);
	say_not_signed(s, id, UINT32_MAX);
	expect_refusal(s, 8, FAULT_INTERNAL);
	expect_void(s);
}

static void
a_signature_that_is_none_is_not_recorded(void **state)
{
	static const uint8_t nonsense[] = "nonsense";
	struct stage *s = *state;
	struct msg m = { .type = MSG_TBS_DONE };
	uint32_t id = ask(s, 7);

	say_reserved(s, id, FAULT_NONE);
	(void)expect(s, &s->signer, MSG_TBS_ASK);
	m.tbs_done.id = id;
	m.tbs_done.signature = (struct wire_bytes){ nonsense, 0 };
	say(&s->signer, &m);
	assert_int_not_equal(expect(s, &s->front, MSG_SIGN_DONE)
				 .sign_done.fault,
	    FAULT_NONE);
	expect_void(s);
}

static void
a_ca_without_its_token_takes_no_serial(void **state)
{
	struct stage *s = *state;

	say_ready(s, false);
	ask_only(s, 7);
	expect_refusal(s, 7, FAULT_SUSPENDED);
	expect_silence(s, &s->keeper);
	assert_int_equal(job_count(s->issue.jobs), 0);
	say_ready(s, true);
	(void)ask(s, 8);
}

static void
what_is_signed_in_the_shadow_is_recorded_and_withheld(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask(s, 7);
	struct msg m;

	say_reserved(s, id, FAULT_NONE);
	m = expect(s, &s->signer, MSG_TBS_ASK);
	say_signed_but(s, &m, FAULT_SUSPENDED);
	m = expect(s, &s->keeper, MSG_COMMIT);
	assert_int_equal(m.commit.withheld, 1);
	assert_true(m.commit.der.len > 0);
	expect_silence(s, &s->front);
	say_committed(s, id, FAULT_NONE);
	expect_refusal(s, 7, FAULT_SUSPENDED);
	expect_silence(s, &s->keeper);
	assert_int_equal(s->served, 0);
	assert_int_equal(job_count(s->issue.jobs), 0);
}

static void
a_token_that_signed_nothing_voids_the_serial(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask(s, 7);

	say_reserved(s, id, FAULT_NONE);
	(void)expect(s, &s->signer, MSG_TBS_ASK);
	say_not_signed(s, id, FAULT_SUSPENDED);
	expect_refusal(s, 7, FAULT_SUSPENDED);
	expect_void(s);
}

static void
answers_out_of_turn_change_nothing(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask(s, 7);

	say_committed(s, id, FAULT_NONE);
	say_not_signed(s, id, FAULT_DENIED);
	say_reserved(s, id + 1, FAULT_NONE);
	expect_silence(s, &s->front);
	expect_silence(s, &s->signer);
	say_reserved(s, id, FAULT_NONE);
	(void)expect(s, &s->signer, MSG_TBS_ASK);
	say_reserved(s, id, FAULT_NONE);
	say_committed(s, id, FAULT_NONE);
	expect_silence(s, &s->front);
	expect_silence(s, &s->signer);
	expect_silence(s, &s->keeper);
	assert_int_equal(job_count(s->issue.jobs), 1);
}

static int64_t
later(void)
{
	return clock_mono() + ISSUE_TIMEOUT_MS + 1;
}

static void
a_keeper_that_does_not_answer_is_not_waited_for(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask(s, 7);

	issue_expire(&s->issue, clock_mono());
	expect_silence(s, &s->front);
	issue_expire(&s->issue, later());
	expect_refusal(s, 7, FAULT_LEDGER);
	issue_expire(&s->issue, later());
	expect_silence(s, &s->front);
	/* When the serial comes after all, nothing is signed with it. */
	say_reserved(s, id, FAULT_NONE);
	expect_silence(s, &s->signer);
	expect_void(s);
	expect_silence(s, &s->front);
	assert_int_equal(job_count(s->issue.jobs), 0);
}

static void
a_signature_that_comes_too_late_is_not_recorded(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask(s, 7);
	struct msg m;

	say_reserved(s, id, FAULT_NONE);
	m = expect(s, &s->signer, MSG_TBS_ASK);
	issue_expire(&s->issue, later());
	/* The frame that ${m} borrows from is needed for its answer. */
	say_signed(s, &m);
	expect_refusal(s, 7, FAULT_BUSY);
	expect_void(s);
	expect_silence(s, &s->front);
	assert_int_equal(job_count(s->issue.jobs), 0);
}

static void
what_is_signed_is_recorded_though_the_front_is_gone(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask(s, 7);
	struct msg m;

	issue_front_gone(&s->issue, s->front.near);
	say_reserved(s, id, FAULT_NONE);
	m = expect(s, &s->signer, MSG_TBS_ASK);
	say_signed(s, &m);
	(void)expect(s, &s->keeper, MSG_COMMIT);
	say_committed(s, id, FAULT_NONE);
	expect_silence(s, &s->front);
	assert_int_equal(s->served, 0);
	assert_int_equal(job_count(s->issue.jobs), 0);
}

static void
more_than_can_be_on_their_way_are_told_to_come_again(void **state)
{
	struct stage *s = *state;
	struct msg m = { .type = MSG_SIGN_ASK };
	struct fault f = { 0 };

	for (size_t i = 0; i < JOBS_MAX; i++)
		assert_non_null(job_new(s->issue.jobs, &f));
	m.sign_ask.connection = 9;
	m.sign_ask.csr = (struct wire_bytes){ s->csr.data, s->csr.len };
	say(&s->front, &m);
	expect_refusal(s, 9, FAULT_BUSY);
	expect_silence(s, &s->keeper);
}

#define ON_STAGE(test) \
	cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(nothing_leaves_before_it_is_committed),
		ON_STAGE(a_call_out_is_answered_in_its_own_words),
		ON_STAGE(a_certificate_that_is_not_recorded_is_not_handed_out),
		ON_STAGE(a_refusal_by_the_signer_voids_the_serial),
		ON_STAGE(a_code_that_is_none_becomes_an_internal_fault),
		ON_STAGE(a_signature_that_is_none_is_not_recorded),
		ON_STAGE(a_ca_without_its_token_takes_no_serial),
		ON_STAGE(what_is_signed_in_the_shadow_is_recorded_and_withheld),
		ON_STAGE(a_token_that_signed_nothing_voids_the_serial),
		ON_STAGE(answers_out_of_turn_change_nothing),
		ON_STAGE(a_keeper_that_does_not_answer_is_not_waited_for),
		ON_STAGE(a_signature_that_comes_too_late_is_not_recorded),
		ON_STAGE(what_is_signed_is_recorded_though_the_front_is_gone),
		ON_STAGE(more_than_can_be_on_their_way_are_told_to_come_again),
	};

	/* What is refused here is meant to be. */
	log_open("test", 0);
	return cmocka_run_group_tests_name("rig/steps", tests, NULL, NULL);
}
