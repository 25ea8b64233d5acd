#include "signetd/intake/call.h"

#include "base/unit.h"
#include "callout/callout_form.h"
#include "tests/rig/line_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 4
#define TIMEOUT_MS 1000

static const uint8_t csr[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
static const uint8_t ticket[16] = { 1, 2, 3 };

/* What one who calls was told. */
struct told {
	unsigned times;
	enum fault_code code;
	char ref[RAND_REF_SIZE];
	size_t certificate;
	size_t chain;
};

struct stage {
	struct loop *loop;
	struct call_table *calls;
	struct line auth;
	struct line issuer;
	uint8_t *frame;
	struct told told;
};

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct stage *s = arg;

	(void)ch;
	(void)fd;
	if (m->type == MSG_CALL_YES)
		call_yes(s->calls, &m->call_yes);
	if (m->type == MSG_CALL_NO)
		call_no(s->calls, &m->call_no);
	if (m->type == MSG_CALL_SIGNED)
		call_signed(s->calls, &m->call_signed);
}

static int
set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct fault f = { 0 };

	assert_non_null(s);
	assert_non_null(s->frame = calloc(1, MSG_MAX_FRAME));
	assert_non_null(s->loop = loop_new(&f));
	assert_non_null(s->calls = call_table_new(MOST, TIMEOUT_MS, &f));
	line_open(&s->auth, s->loop, MSG_ROLE_INTAKE, MSG_ROLE_AUTH, heard, s);
	line_open(&s->issuer, s->loop, MSG_ROLE_INTAKE, MSG_ROLE_ISSUER, heard,
	    s);
	call_table_attach(s->calls, s->auth.near, s->issuer.near);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *s = *state;

	call_table_free(s->calls);
	line_close(&s->auth);
	line_close(&s->issuer);
	loop_free(s->loop);
	free(s->frame);
	free(s);
	return 0;
}

static void
tell(void *arg, const struct buf *bytes)
{
	struct told *told = arg;
	struct callout_answer a;
	struct fault f = { 0 };

	assert_int_equal(callout_answer_read(&a, bytes->data, bytes->len, &f),
	    0);
	told->times++;
	told->code = (enum fault_code)a.fault;
	memcpy(told->ref, a.ref, sizeof(told->ref));
	told->certificate = a.certificate.len;
	told->chain = a.chain.len;
}

static void
call(struct stage *s, struct told *told)
{
	const struct call_from from = { "myproxy", tell, told };
	const struct callout_request r = {
		.username = "ann", .lifetime = 3600, .csr = { csr, sizeof(csr) }
	};
	OWN_BUF(bytes, CALLOUT_REQUEST_MAX);

	callout_request_write(&r, &bytes);
	call_begin(s->calls, &from, bytes.data, bytes.len, 0);
}

/* Auth says yes to ${connection}. */
static void
say_yes(struct stage *s, uint32_t connection)
{
	struct msg m = { .type = MSG_CALL_YES };

	m.call_yes.connection = connection;
	m.call_yes.ticket = (struct wire_bytes){ ticket, sizeof(ticket) };
	line_say(&s->auth, &m);
}

static uint32_t
reach_issuer(struct stage *s, struct told *told)
{
	struct msg m;

	call(s, told);
	assert_true(line_hear(&s->auth, s->frame, &m));
	assert_int_equal(m.type, MSG_CALL_ASK);
	assert_string_equal(m.call_ask.username, "ann");
	assert_string_equal(m.call_ask.peer, "local:myproxy");
	assert_string_equal(m.call_ask.profile, "");
	say_yes(s, m.call_ask.connection);
	assert_true(line_hear(&s->issuer, s->frame, &m));
	assert_int_equal(m.type, MSG_CALL_SIGN);
	assert_int_equal(m.call_sign.lifetime, 3600);
	assert_int_equal(m.call_sign.csr.len, sizeof(csr));
	assert_memory_equal(m.call_sign.ticket.data, ticket, sizeof(ticket));
	return m.call_sign.connection;
}

static void
say_signed(struct stage *s, uint32_t connection, enum fault_code code)
{
	struct msg m = { .type = MSG_CALL_SIGNED };

	m.call_signed.connection = connection;
	m.call_signed.fault = code;
	if (code == FAULT_NONE) {
		m.call_signed.certificate =
		    (struct wire_bytes){ csr, sizeof(csr) };
		m.call_signed.chain = (struct wire_bytes){ csr, sizeof(csr) };
	}
	line_say(&s->issuer, &m);
}

static void
a_call_goes_by_auth_and_issuer_and_is_answered_once(void **state)
{
	struct stage *s = *state;
	uint32_t connection = reach_issuer(s, &s->told);

	assert_int_equal(s->told.times, 0);
	assert_int_equal(call_count(s->calls), 1);
	say_signed(s, connection, FAULT_NONE);
	assert_int_equal(s->told.times, 1);
	assert_int_equal(s->told.code, FAULT_NONE);
	assert_int_equal(s->told.certificate, sizeof(csr));
	assert_int_equal(s->told.chain, sizeof(csr));
	assert_int_equal(strlen(s->told.ref), RAND_REF_SIZE - 1);
	assert_int_equal(call_count(s->calls), 0);
	say_signed(s, connection, FAULT_NONE);
	say_yes(s, connection);
	assert_int_equal(s->told.times, 1);
}

static void
a_refusal_has_its_code_and_a_reference(void **state)
{
	struct stage *s = *state;
	struct msg m, no = { .type = MSG_CALL_NO };

	call(s, &s->told);
	assert_true(line_hear(&s->auth, s->frame, &m));
	no.call_no.connection = m.call_ask.connection;
	no.call_no.fault = FAULT_DENIED;
	line_say(&s->auth, &no);
	assert_int_equal(s->told.code, FAULT_DENIED);
	assert_string_equal(s->told.ref, m.call_ask.ref);
	say_signed(s, reach_issuer(s, &s->told), FAULT_SUSPENDED);
	assert_int_equal(s->told.code, FAULT_SUSPENDED);
	assert_int_equal(s->told.times, 2);
}

static void
no_answer_is_taken_out_of_turn(void **state)
{
	struct stage *s = *state;
	struct msg m;

	call(s, &s->told);
	assert_true(line_hear(&s->auth, s->frame, &m));
	/* The issuer was not asked yet; of another nobody knows. */
	say_signed(s, m.call_ask.connection, FAULT_NONE);
	say_yes(s, m.call_ask.connection + 1);
	assert_int_equal(s->told.times, 0);
	say_yes(s, m.call_ask.connection);
	say_yes(s, m.call_ask.connection);
	assert_true(line_hear(&s->issuer, s->frame, &m));
	say_signed(s, m.call_sign.connection, FAULT_NONE);
	assert_int_equal(s->told.times, 1);
}

static void
a_code_that_is_none_is_an_internal_fault(void **state)
{
	struct stage *s = *state;

	say_signed(s, reach_issuer(s, &s->told), FAULT_COUNT);
	assert_int_equal(s->told.code, FAULT_INTERNAL);
}

static void
more_than_there_is_room_for_are_told_to_come_again(void **state)
{
	struct stage *s = *state;
	struct told told[MOST + 1] = { 0 };

	for (int i = 0; i <= MOST; i++) {
		assert_int_equal(call_room(s->calls), i < MOST);
		call(s, &told[i]);
	}
	assert_int_equal(told[MOST].code, FAULT_BUSY);
	assert_int_equal(call_count(s->calls), MOST);
	call_expire(s->calls, TIMEOUT_MS - 1);
	assert_int_equal(call_count(s->calls), MOST);
	call_expire(s->calls, TIMEOUT_MS);
	assert_int_equal(call_count(s->calls), 0);
	for (int i = 0; i < MOST; i++) {
		assert_int_equal(told[i].times, 1);
		assert_int_equal(told[i].code, FAULT_TIMEOUT);
	}
}

static void
what_is_no_request_asks_nobody(void **state)
{
	struct stage *s = *state;
	const struct call_from from = { "myproxy", tell, &s->told };

	call_begin(s->calls, &from, "x", 1, 0);
	assert_int_equal(s->told.code, FAULT_INPUT);
	assert_int_equal(strlen(s->told.ref), RAND_REF_SIZE - 1);
	assert_int_equal(call_count(s->calls), 0);
}

static void
without_the_others_it_is_busy(void **state)
{
	struct stage *s = *state;

	call_table_attach(s->calls, NULL, NULL);
	call(s, &s->told);
	assert_int_equal(s->told.code, FAULT_BUSY);
	assert_int_equal(call_count(s->calls), 0);
}

#define CALL_UNIT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CALL_UNIT(a_call_goes_by_auth_and_issuer_and_is_answered_once),
		CALL_UNIT(a_refusal_has_its_code_and_a_reference),
		CALL_UNIT(no_answer_is_taken_out_of_turn),
		CALL_UNIT(a_code_that_is_none_is_an_internal_fault),
		CALL_UNIT(more_than_there_is_room_for_are_told_to_come_again),
		CALL_UNIT(what_is_no_request_asks_nobody),
		CALL_UNIT(without_the_others_it_is_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
