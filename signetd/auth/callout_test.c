#include "signetd/auth/auth_probe.h"

#define PASSWD "realm EX.ORG\nauth passwd\nmap-realm OLD.ORG EX.ORG\n"
#define MAPPED PASSWD "subject-from mapfile\n"

/* The intake's channel to a house, and its far end. */
struct intake {
	struct channel *near;
	int far;
};

static struct intake
come_in(struct house *h)
{
	struct intake in = { .far = -1 };

	in.near = house_channel(h, MSG_ROLE_INTAKE, &in.far);
	return in;
}

static void
leave(struct house *h, struct intake *in)
{
	channel_free(in->near);
	(void)close(in->far);
	house_close(h);
}

static void
call(struct house *h, const struct intake *in, uint32_t connection,
    const char *username, const char *profile)
{
	struct msg_call_ask ask = { .connection = connection,
		.ref = "0123456789ab",
		.peer = "local:myproxy" };

	memcpy(ask.username, username, strlen(username) + 1);
	memcpy(ask.profile, profile, strlen(profile) + 1);
	callout_ask(&h->auth, in->near, &ask);
}

static void
expect_no(struct house *h, const struct intake *in, uint32_t connection,
    enum fault_code code)
{
	const struct msg *m =
	    house_hear(h, in->far, MSG_ROLE_INTAKE, MSG_CALL_NO);

	assert_int_equal(m->call_no.connection, connection);
	assert_string_equal(fault_name((enum fault_code)m->call_no.fault),
	    fault_name(code));
	assert_true(probe_is_silent(h->issuer_fd));
	assert_null(talk_find(h->auth.talks, in->near, connection));
}

/* The issuer is told first, and of the same ticket. */
static struct msg_vouch
expect_yes(struct house *h, const struct intake *in, uint32_t connection)
{
	struct msg_vouch vouch;
	uint8_t ticket[16];

	vouch = house_hear(h, h->issuer_fd, MSG_ROLE_ISSUER, MSG_VOUCH)->vouch;
	memcpy(ticket, vouch.ticket.data, sizeof(ticket));
	vouch.ticket = (struct wire_bytes){ NULL, 0 };
	(void)house_hear(h, in->far, MSG_ROLE_INTAKE, MSG_CALL_YES);
	assert_int_equal(h->heard.call_yes.connection, connection);
	assert_memory_equal(h->heard.call_yes.ticket.data, ticket,
	    sizeof(ticket));
	assert_null(talk_find(h->auth.talks, in->near, connection));
	return vouch;
}

static void
whom_the_server_has_proven_is_vouched_for(void **state)
{
	struct house *h = house_open(PASSWD);
	struct intake in = come_in(h);
	struct msg_vouch vouch;

	(void)state;
	call(h, &in, 7, "ann", "");
	vouch = expect_yes(h, &in, 7);
	assert_string_equal(vouch.principal, "ann@EX.ORG");
	assert_string_equal(vouch.username, "ann");
	assert_string_equal(vouch.subject, "/O=Ex/CN=ann@EX.ORG");
	assert_string_equal(vouch.method, "callout");
	assert_string_equal(vouch.peer, "local:myproxy");
	assert_string_equal(vouch.ref, "0123456789ab");
	/* No limit of renewals holds for what shows no certificate. */
	assert_string_equal(vouch.shown_issuer, "");
	assert_string_equal(vouch.shown_serial, "");
	leave(h, &in);
}

static void
who_is_of_no_realm_of_ours_is_not_permitted(void **state)
{
	const char *const names[] = { "ann@ELSEWHERE.ORG", "host/a.org",
		"ann/admin", "@EX.ORG", " ann" };
	struct house *h = house_open(PASSWD);
	struct intake in = come_in(h);

	(void)state;
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		call(h, &in, i, names[i], "");
		expect_no(h, &in, i, FAULT_DENIED);
	}
	leave(h, &in);
}

static void
a_profile_that_is_not_there_is_denied(void **state)
{
	struct house *h = house_open(PASSWD);
	struct intake in = come_in(h);

	(void)state;
	call(h, &in, 1, "ann", "no-such");
	expect_no(h, &in, 1, FAULT_DENIED);
	leave(h, &in);
}

static void
a_connection_asks_once(void **state)
{
	struct house *h = house_open(MAPPED);
	struct intake in = come_in(h);

	(void)state;
	call(h, &in, 1, "ann", "");
	call(h, &in, 1, "bob", "");
	(void)house_hear(h, in.far, MSG_ROLE_INTAKE, MSG_CALL_NO);
	assert_int_equal(h->heard.call_no.fault, FAULT_INPUT);
	house_answer(h, house_work(h, "map-file", "ann@EX.ORG").id, FAULT_NONE,
	    "/O=Ex/CN=Ann A");
	assert_string_equal(expect_yes(h, &in, 1).subject, "/O=Ex/CN=Ann A");
	leave(h, &in);
}

static void
whom_the_map_does_not_know_is_not_permitted(void **state)
{
	struct house *h = house_open(MAPPED);
	struct intake in = come_in(h);

	(void)state;
	call(h, &in, 1, "ann", "");
	house_answer(h, house_work(h, "map-file", "ann@EX.ORG").id,
	    FAULT_ABSENT, "");
	expect_no(h, &in, 1, FAULT_DENIED);
	call(h, &in, 2, "ann", "");
	house_answer(h, house_work(h, "map-file", "ann@EX.ORG").id,
	    FAULT_TIMEOUT, "");
	expect_no(h, &in, 2, FAULT_FAILED);
	leave(h, &in);
}

static void
an_intake_that_has_gone_hears_no_more(void **state)
{
	struct house *h = house_open(MAPPED);
	struct intake in = come_in(h);
	uint32_t id;

	(void)state;
	call(h, &in, 1, "ann", "");
	id = house_work(h, "map-file", "ann@EX.ORG").id;
	talk_abandon_all(h->auth.talks, in.near);
	house_answer(h, id, FAULT_NONE, "/O=Ex/CN=Ann A");
	assert_true(probe_is_silent(h->issuer_fd));
	assert_true(probe_is_silent(in.far));
	leave(h, &in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whom_the_server_has_proven_is_vouched_for),
		cmocka_unit_test(who_is_of_no_realm_of_ours_is_not_permitted),
		cmocka_unit_test(a_profile_that_is_not_there_is_denied),
		cmocka_unit_test(a_connection_asks_once),
		cmocka_unit_test(whom_the_map_does_not_know_is_not_permitted),
		cmocka_unit_test(an_intake_that_has_gone_hears_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
