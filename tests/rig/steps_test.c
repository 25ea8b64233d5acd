/*
 * The issuer's steps, with a test at the far end of each of its channels: what
 * comes too late, out of turn, or wrong.
 */
#include "rig/steps_probe.h"

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
	line_say(&s->intake, &m);
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
	line_say(&s->intake, &m);
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
	line_say(&s->signer, &m);
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
	line_say(&s->front, &m);
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
