#include "signetd/auth/auth_probe.h"

#define PASSWD "realm EX.ORG\nauth passwd\n"
#define MAPPED PASSWD "subject-from mapfile\n"

/* One who has shown the right password; what is next, is next. */
static void
prove(struct house *h, uint32_t connection)
{
	house_ask(h, connection, "ann", "secret");
	house_answer(h, house_work(h, "passwd", "ann").id, FAULT_NONE, "");
}

static void
the_issuer_is_told_who_it_is_and_the_front_end_a_ticket(void **state)
{
	struct house *h = house_open(PASSWD);
	struct msg_vouch vouch;

	(void)state;
	prove(h, 7);
	vouch = house_vouches(h, 7);
	assert_string_equal(vouch.principal, "ann@EX.ORG");
	assert_string_equal(vouch.username, "ann");
	assert_string_equal(vouch.subject, "/O=Ex/CN=ann@EX.ORG");
	assert_string_equal(vouch.profile, "people");
	assert_string_equal(vouch.peer, PROBE_PEER);
	assert_string_equal(vouch.ref, "0123456789ab");
	assert_string_equal(vouch.shown_issuer, "");
	assert_string_equal(vouch.shown_serial, "");
	assert_int_equal(vouch.valid_ms, AUTH_VALID_MS);
	assert_int_equal(h->role.served, 1);
	house_close(h);
}

static void
no_two_tickets_are_alike(void **state)
{
	struct house *h = house_open(PASSWD);
	uint8_t first[16];

	(void)state;
	prove(h, 1);
	(void)house_vouches(h, 1);
	memcpy(first, h->heard.auth_yes.ticket.data, sizeof(first));
	prove(h, 1);
	(void)house_vouches(h, 1);
	assert_memory_not_equal(first, h->heard.auth_yes.ticket.data,
	    sizeof(first));
	house_close(h);
}

static void
without_a_way_to_prove_it_the_answer_is_no(void **state)
{
	static const struct {
		const char *conf, *phrase;
	} none[] = { { PASSWD, "" }, { "realm EX.ORG\nauth certificate\n", "" },
		{ "realm EX.ORG\nauth kerberos\n", "secret" } };
	struct house *h = house_open(none[0].conf);

	(void)state;
	house_ask(h, 1, "ann", none[0].phrase);
	house_refuses(h, 1, FAULT_LOGIN);
	assert_true(probe_is_silent(h->worker_fd));
	house_close(h);
	/* Those that need no password are offered, whatever came along. */
	for (size_t i = 1; i < sizeof(none) / sizeof(none[0]); i++) {
		h = house_open(none[i].conf);
		house_ask(h, 1, "ann", none[i].phrase);
		(void)house_hear(h, h->front_fd, MSG_ROLE_FRONT,
		    MSG_AUTH_OFFER);
		talk_abandon_all(h->auth.talks, h->front);
		house_close(h);
	}
}

static void
a_limited_proxy_is_refused_before_anything_is_asked(void **state)
{
	struct house *h = house_open(PASSWD);
	struct msg_auth_ask ask = probe_ask(1, "ann", "secret");

	(void)state;
	ask.tls_limited = 1;
	login_ask(&h->auth, h->front, &ask);
	house_refuses(h, 1, FAULT_DENIED);
	assert_true(probe_is_silent(h->worker_fd));
	house_close(h);
}

static void
a_connection_asks_once(void **state)
{
	struct house *h = house_open(PASSWD);
	uint32_t id;

	(void)state;
	house_ask(h, 1, "ann", "secret");
	id = house_work(h, "passwd", "ann").id;
	house_ask(h, 1, "bob", "secret");
	(void)house_hear(h, h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_NO);
	assert_int_equal(h->heard.auth_no.fault, FAULT_INPUT);
	assert_true(probe_is_silent(h->worker_fd));
	/* The first goes on. */
	house_answer(h, id, FAULT_NONE, "");
	assert_string_equal(house_vouches(h, 1).principal, "ann@EX.ORG");
	house_close(h);
}

static void
a_profile_that_is_not_there_is_denied(void **state)
{
	struct house *h = house_open(PASSWD);
	struct msg_auth_ask ask = probe_ask(1, "ann", "secret");

	(void)state;
	memcpy(ask.profile, "robots", sizeof("robots"));
	login_ask(&h->auth, h->front, &ask);
	house_answer(h, house_work(h, "passwd", "ann").id, FAULT_NONE, "");
	house_refuses(h, 1, FAULT_DENIED);
	memcpy(ask.profile, "people", sizeof("people"));
	login_ask(&h->auth, h->front, &ask);
	house_answer(h, house_work(h, "passwd", "ann").id, FAULT_NONE, "");
	assert_string_equal(house_vouches(h, 1).profile, "people");
	house_close(h);
}

/* What no certificate has room for is said to nobody. */
static void
a_name_that_is_too_long_for_a_subject_is_refused(void **state)
{
	struct house *h = house_open(PASSWD);
	char name[67 - sizeof("@EX.ORG")]; /* 65 with the realm */

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	house_ask(h, 1, name + 1, "secret");
	house_answer(h, house_work(h, "passwd", name + 1).id, FAULT_NONE, "");
	(void)house_vouches(h, 1);
	name[0] = 'y';
	house_ask(h, 2, name, "secret");
	house_answer(h, house_work(h, "passwd", name).id, FAULT_NONE, "");
	house_refuses(h, 2, FAULT_NAME);
	house_close(h);
}

static void
before_the_issuer_is_there_nobody_is_vouched_for(void **state)
{
	struct house *h = house_open(PASSWD);
	struct channel *issuer = h->auth.issuer;

	(void)state;
	h->auth.issuer = NULL;
	prove(h, 1);
	house_refuses(h, 1, FAULT_INTERNAL);
	h->auth.issuer = issuer;
	prove(h, 1);
	(void)house_vouches(h, 1);
	house_close(h);
}

static void
first_the_proof_then_the_map(void **state)
{
	struct house *h = house_open(MAPPED);
	struct msg_work_ask ask;

	(void)state;
	prove(h, 1);
	ask = house_work(h, "map-file", "ann@EX.ORG");
	/* Who looks up a name has no use for the pass phrase. */
	assert_int_equal(ask.passphrase.len, 0);
	house_answer(h, ask.id, FAULT_NONE, "/O=Ex/CN=Ann A");
	assert_string_equal(house_vouches(h, 1).subject, "/O=Ex/CN=Ann A");
	house_close(h);
}

static void
whom_the_map_does_not_know_looks_like_one_who_failed(void **state)
{
	static const struct {
		enum fault_code said;
		const char *subject;
		enum fault_code heard;
	} answers[] = {
		{ FAULT_ABSENT, "", FAULT_LOGIN },
		{ FAULT_FAILED, "", FAULT_FAILED },
		{ FAULT_TIMEOUT, "", FAULT_FAILED },
		{ FAULT_NONE, "", FAULT_FAILED },
		{ FAULT_NONE, "Ann A", FAULT_FAILED },
		{ FAULT_NONE, "/O=Ex/CN=", FAULT_FAILED },
	};
	struct house *h = house_open(MAPPED);

	(void)state;
	for (uint32_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		prove(h, i);
		house_answer(h, house_work(h, "map-file", "ann@EX.ORG").id,
		    answers[i].said, answers[i].subject);
		house_refuses(h, i, answers[i].heard);
	}
	house_close(h);
}

static void
who_left_while_the_map_was_asked_is_not_vouched_for(void **state)
{
	struct house *h = house_open(MAPPED);
	uint32_t id;

	(void)state;
	prove(h, 1);
	id = house_work(h, "map-file", "ann@EX.ORG").id;
	talk_abandon_all(h->auth.talks, h->front);
	house_answer(h, id, FAULT_NONE, "/O=Ex/CN=Ann A");
	assert_true(probe_is_silent(h->issuer_fd));
	assert_true(probe_is_silent(h->front_fd));
	house_close(h);
}

/* Its question waits while the settings change. */
static void
a_map_that_a_reload_takes_away_is_not_asked(void **state)
{
	struct house *h = house_open(MAPPED);
	uint32_t busy;

	(void)state;
	house_ask(h, 1, "ann", "secret");
	house_ask(h, 2, "bob", "secret");
	/* Ann's question to the map comes behind Bob's password. */
	house_answer(h, house_work(h, "passwd", "ann").id, FAULT_NONE, "");
	busy = house_work(h, "passwd", "bob").id;
	memcpy(h->role.conf.subject_from, "profile", sizeof("profile"));
	house_answer(h, busy, FAULT_LOGIN, "");
	(void)house_hear(h, h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_NO);
	assert_int_equal(h->heard.auth_no.connection, 2);
	assert_string_equal(house_vouches(h, 1).subject, "/O=Ex/CN=ann@EX.ORG");
	assert_true(probe_is_silent(h->worker_fd));
	house_close(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_issuer_is_told_who_it_is_and_the_front_end_a_ticket),
		cmocka_unit_test(no_two_tickets_are_alike),
		cmocka_unit_test(without_a_way_to_prove_it_the_answer_is_no),
		cmocka_unit_test(
		    a_limited_proxy_is_refused_before_anything_is_asked),
		cmocka_unit_test(a_connection_asks_once),
		cmocka_unit_test(a_profile_that_is_not_there_is_denied),
		cmocka_unit_test(
		    a_name_that_is_too_long_for_a_subject_is_refused),
		cmocka_unit_test(
		    before_the_issuer_is_there_nobody_is_vouched_for),
		cmocka_unit_test(first_the_proof_then_the_map),
		cmocka_unit_test(
		    whom_the_map_does_not_know_looks_like_one_who_failed),
		cmocka_unit_test(
		    who_left_while_the_map_was_asked_is_not_vouched_for),
		cmocka_unit_test(a_map_that_a_reload_takes_away_is_not_asked),
	};

	return cmocka_run_group_tests_name("auth/login", tests, NULL, NULL);
}
