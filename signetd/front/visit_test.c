#include "signetd/front/visit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/unit.h"
#include "signetd/front/visit_probe.h"

#define REQUEST(command, more)                \
	"VERSION=MYPROXYv2\nCOMMAND=" command \
	"\nUSERNAME=alice\nPASSPHRASE=secret123\nLIFETIME=43200\n" more
#define OK "VERSION=MYPROXYv2\nRESPONSE=0\n"

static const uint8_t ticket[16] = { 1, 2, 3, 4 };
/* DER as far as a stream reader looks. */
static const uint8_t csr[] = { 0x30, 0x03, 0x02, 0x01, 0x2a };

/* Two certificates as far as issued.c looks: a leaf, and its issuer. */
static const uint8_t leaf[] = { 0x30, 0x12, 0x30, 0x10, 0x02, 0x01, 0x01, 0x30,
	0x00, 0x30, 0x03, 0x02, 0x01, 0x01, 0x30, 0x00, 0x30, 0x02, 0x05,
	0x00 };
static const uint8_t issuer[] = { 0x30, 0x12, 0x30, 0x10, 0x02, 0x01, 0x02,
	0x30, 0x00, 0x30, 0x03, 0x02, 0x01, 0x03, 0x30, 0x00, 0x30, 0x02, 0x05,
	0x00 };

static int
setup(void **state)
{
	struct probe *p = calloc(1, sizeof(*p));

	probe_begin(p);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	probe_end(*state);
	free(*state);
	return 0;
}

/* One record, in memory that ends where it does. */
static void
send_bytes(struct probe *p, const void *data, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);

	assert_non_null(exact);
	memcpy(exact, data, len);
	visit_bytes(&p->visit, exact, len);
	free(exact);
}

/* With its NUL. */
static void
send_text(struct probe *p, const char *text)
{
	send_bytes(p, text, strlen(text) + 1);
}

static void
expect_record(struct probe *p, const void *data, size_t len)
{
	struct wire_bytes record;

	assert_true(visit_out(&p->visit, &record));
	assert_int_equal(record.len, len);
	assert_memory_equal(record.data, data, len);
	visit_sent(&p->visit);
}

static void
expect_ok(struct probe *p)
{
	expect_record(p, OK, sizeof(OK));
}

/* An error whose text is ${text} and a reference, and then ${lines}. */
static void
expect_error_with(struct probe *p, const char *text, const char *lines)
{
	struct wire_bytes record;
	char expected[512];

	assert_int_equal(text_fmt(expected, sizeof(expected),
			     "VERSION=MYPROXYv2\nRESPONSE=1\n"
			     "ERROR=%s (reference %s)\n%s",
			     text, p->visit.ref, lines),
	    0);
	assert_true(visit_out(&p->visit, &record));
	assert_string_equal((const char *)record.data, expected);
	assert_int_equal(record.len, strlen(expected) + 1);
	assert_int_equal(p->visit.state, VISIT_OVER);
	assert_false(visit_reads(&p->visit));
	visit_sent(&p->visit);
	assert_false(visit_out(&p->visit, &record));
}

static void
expect_error(struct probe *p, const char *text)
{
	expect_error_with(p, text, "");
}

static void
expect_nothing(const struct probe *p)
{
	struct wire_bytes record;

	assert_false(visit_out(&p->visit, &record));
}

static void
auth_says_yes(struct probe *p)
{
	struct msg m = { .type = MSG_AUTH_YES };

	m.auth_yes.connection = 7;
	m.auth_yes.ticket = (struct wire_bytes){ ticket, sizeof(ticket) };
	visit_heard(&p->visit, &m);
}

static void
auth_says_no(struct probe *p, uint32_t fault)
{
	struct msg m = { .type = MSG_AUTH_NO };

	m.auth_no.connection = 7;
	m.auth_no.fault = fault;
	visit_heard(&p->visit, &m);
}

static void
issuer_says(struct probe *p, uint32_t fault)
{
	uint8_t chain[2 * sizeof(issuer) + sizeof(leaf)];
	struct msg m = { .type = MSG_SIGN_DONE };

	/* With what must not be sent twice. */
	memcpy(chain, issuer, sizeof(issuer));
	memcpy(chain + sizeof(issuer), leaf, sizeof(leaf));
	memcpy(chain + sizeof(issuer) + sizeof(leaf), issuer, sizeof(issuer));
	m.sign_done.connection = 7;
	m.sign_done.fault = fault;
	m.sign_done.certificate = (struct wire_bytes){ leaf, sizeof(leaf) };
	m.sign_done.chain = (struct wire_bytes){ chain, sizeof(chain) };
	visit_heard(&p->visit, &m);
}

static void
expect_certificates(struct probe *p)
{
	uint8_t expected[1 + sizeof(leaf) + sizeof(issuer)] = { 2 };

	memcpy(expected + 1, leaf, sizeof(leaf));
	memcpy(expected + 1 + sizeof(leaf), issuer, sizeof(issuer));
	expect_record(p, expected, sizeof(expected));
	expect_ok(p);
	assert_int_equal(p->visit.state, VISIT_OVER);
	assert_false(p->visit.refused);
	assert_int_equal(p->served, 1);
}

static void
expect_ask(struct probe *p, const char *username, const char *passphrase)
{
	struct msg m;

	assert_int_equal(probe_heard(p, &m), MSG_AUTH_ASK);
	assert_int_equal(m.auth_ask.connection, 7);
	assert_string_equal(m.auth_ask.ref, p->visit.ref);
	assert_string_equal(m.auth_ask.peer, "192.0.2.1:4711");
	assert_string_equal(m.auth_ask.username, username);
	assert_int_equal(m.auth_ask.passphrase.len, strlen(passphrase));
	assert_memory_equal(m.auth_ask.passphrase.data, passphrase,
	    strlen(passphrase));
}

static void
expect_sign_ask(struct probe *p, uint32_t lifetime)
{
	struct msg m;

	assert_int_equal(probe_heard(p, &m), MSG_SIGN_ASK);
	assert_int_equal(m.sign_ask.connection, 7);
	assert_int_equal(m.sign_ask.ticket.len, sizeof(ticket));
	assert_memory_equal(m.sign_ask.ticket.data, ticket, sizeof(ticket));
	assert_int_equal(m.sign_ask.lifetime, lifetime);
	assert_int_equal(m.sign_ask.csr.len, sizeof(csr));
	assert_memory_equal(m.sign_ask.csr.data, csr, sizeof(csr));
}

static void
a_login_with_a_password_ends_in_a_certificate(void **state)
{
	struct probe *p = *state;

	visit_greet(&p->visit, true);
	expect_record(p, "", 1);
	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", "CRED_NAME=robot\n"));
	expect_ask(p, "alice", "secret123");
	assert_string_equal(p->visit.username, "alice");
	auth_says_yes(p);
	expect_ok(p);
	send_bytes(p, csr, sizeof(csr));
	expect_sign_ask(p, 43200);
	issuer_says(p, FAULT_NONE);
	expect_certificates(p);
}

static void
with_tls_1_2_the_client_speaks_first(void **state)
{
	struct probe *p = *state;

	visit_greet(&p->visit, false);
	expect_nothing(p);
}

static void
records_may_be_cut_anywhere(void **state)
{
	static const char text[] = "0" REQUEST("0", "");
	struct probe *p = *state;

	for (size_t i = 0; i < sizeof(text); i++)
		send_bytes(p, text + i, 1);
	expect_ask(p, "alice", "secret123");
	auth_says_yes(p);
	expect_ok(p);
	for (size_t i = 0; i < sizeof(csr); i++) {
		assert_int_equal(p->said, 1);
		send_bytes(p, csr + i, 1);
	}
	expect_sign_ask(p, 43200);
}

static void
everything_may_come_in_one_record(void **state)
{
	static const char text[] = "0" REQUEST("0", "");
	uint8_t all[sizeof(text) + sizeof(csr)];
	struct probe *p = *state;

	memcpy(all, text, sizeof(text));
	memcpy(all + sizeof(text), csr, sizeof(csr));
	visit_greet(&p->visit, true);
	send_bytes(p, all, sizeof(all));
	assert_int_equal(p->said, 1);
	auth_says_yes(p);
	expect_sign_ask(p, 43200);
	issuer_says(p, FAULT_NONE);
	expect_record(p, "", 1);
	expect_ok(p);
	expect_certificates(p);
}

static void
a_request_without_nul_is_taken_when_all_is_quiet(void **state)
{
	static const char text[] = REQUEST("0", "");
	struct probe *p = *state;

	send_bytes(p, "0", 1);
	assert_false(visit_minds_quiet(&p->visit));
	send_bytes(p, text, sizeof(text) - 2); /* nor its last newline */
	assert_int_equal(p->said, 0);
	assert_true(visit_minds_quiet(&p->visit));
	visit_quiet(&p->visit);
	expect_ask(p, "alice", "secret123");
	visit_quiet(&p->visit);
	assert_int_equal(p->said, 1);
}

static void
a_slow_writer_is_waited_for(void **state)
{
	static const char text[] = REQUEST("0", "");
	struct probe *p = *state;

	/* Cut inside LIFETIME=43200: what is there would do, but is not all. */
	send_bytes(p, "0", 1);
	send_bytes(p, text, 20);
	visit_quiet(&p->visit);
	send_bytes(p, text + 20, sizeof(text) - 24);
	assert_false(visit_minds_quiet(&p->visit));
	visit_quiet(&p->visit);
	assert_int_equal(p->said, 0);
	send_bytes(p, text + sizeof(text) - 4, 4);
	expect_ask(p, "alice", "secret123");
}

static void
a_client_that_wants_to_delegate_is_refused_in_clear(void **state)
{
	struct probe *p = *state;

	send_bytes(p, "D", 1);
	assert_int_equal(p->visit.state, VISIT_OVER);
	assert_true(p->visit.in_clear);
	expect_nothing(p);
}

static void
a_broken_request_is_refused_in_the_stock_servers_words(void **state)
{
	struct probe *p = *state;

	send_bytes(p, "0", 1);
	send_text(p, "VERSION=MYPROXYv2\n");
	expect_error(p, "error parsing request");
	assert_int_equal(p->said, 0);
}

static void
a_request_without_end_is_refused(void **state)
{
	struct probe *p = *state;
	char text[16384];

	memset(text, 'A', sizeof(text));
	send_bytes(p, "0", 1);
	for (int i = 0; i < 5 && visit_reads(&p->visit); i++)
		send_bytes(p, text, sizeof(text));
	expect_error(p, "error parsing request");
}

static void
commands_of_a_repository_are_refused(void **state)
{
	static const char *const numbers[] = { "1", "3", "4", "5", "6" };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct probe p;
		char text[256];

		probe_begin(&p);
		assert_int_equal(text_fmt(text, sizeof(text), REQUEST("%s", ""),
				     numbers[i]),
		    0);
		send_bytes(&p, "0", 1);
		send_text(&p, text);
		expect_error(&p, "command not supported by MyProxy CA");
		probe_end(&p);
	}
}

static void
info_says_that_nothing_is_stored_here_and_the_time(void **state)
{
	struct probe *p = *state;
	struct wire_bytes record;
	char lines[64];
	time_t before = clock_wall(), said;

	send_bytes(p, "0", 1);
	send_text(p, REQUEST("2", ""));
	assert_true(visit_out(&p->visit, &record));
	said = strtol(strstr((const char *)record.data, "SERVER_TIME=") + 12,
	    NULL, 10);
	assert_in_range(said, before, clock_wall());
	assert_int_equal(text_fmt(lines, sizeof(lines), "SERVER_TIME=%lld\n",
			     (long long)said),
	    0);
	expect_error_with(p,
	    "no credentials are stored here: this server issues new ones",
	    lines);
}

static void
give_roots(struct probe *p)
{
	p->roots = calloc(1, sizeof(*p->roots));
	p->roots->users = 1;
	p->roots->files = 1;
	p->roots->data = BUF(64);
	buf_put(&p->roots->data, OK "ROOTS\n", sizeof(OK "ROOTS\n"));
}

static void
trust_roots_are_handed_out_to_anybody(void **state)
{
	struct probe *p = *state;

	give_roots(p);
	send_bytes(p, "0", 1);
	send_text(p,
	    "VERSION=MYPROXYv2\nCOMMAND=7\nUSERNAME=\nPASSPHRASE=\n"
	    "LIFETIME=0\n");
	assert_int_equal(p->roots->users, 2);
	expect_record(p, OK "ROOTS\n", sizeof(OK "ROOTS\n"));
	assert_int_equal(p->roots->users, 1);
	assert_int_equal(p->visit.state, VISIT_OVER);
	assert_int_equal(p->said, 0);
}

static void
trust_roots_come_with_the_first_ok_if_asked_for(void **state)
{
	struct probe *p = *state;

	give_roots(p);
	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", "TRUSTED_CERTS=1\n"));
	expect_nothing(p);
	auth_says_yes(p);
	expect_record(p, OK "ROOTS\n", sizeof(OK "ROOTS\n"));
	assert_int_equal(p->visit.state, VISIT_CSR);
}

static void
without_trust_roots_there_is_a_plain_ok(void **state)
{
	struct probe *p = *state;

	send_bytes(p, "0", 1);
	send_text(p, REQUEST("7", ""));
	expect_ok(p);
	assert_int_equal(p->visit.state, VISIT_OVER);
}

static void
an_unknown_user_and_a_wrong_password_look_the_same(void **state)
{
	struct probe *p = *state;

	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", ""));
	auth_says_no(p, FAULT_LOGIN);
	expect_error(p, "the user name or the password is wrong");
}

static void
a_fault_that_nobody_knows_is_an_internal_one(void **state)
{
	struct probe *p = *state;

	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", ""));
	auth_says_no(p, 4711);
	expect_error(p, fault_sentence(FAULT_INTERNAL));
}

static void
what_the_issuer_refuses_is_told(void **state)
{
	struct probe *p = *state;

	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", ""));
	auth_says_yes(p);
	expect_ok(p);
	send_bytes(p, csr, sizeof(csr));
	issuer_says(p, FAULT_KEY);
	expect_error(p, fault_sentence(FAULT_KEY));
	assert_int_equal(p->served, 0);
}

static void
what_is_no_request_for_a_certificate_is_refused(void **state)
{
	static const char pem[] = "-----BEGIN CERTIFICATE REQUEST-----\n";
	static const uint8_t huge[] = { 0x30, 0x83, 0x10, 0x00, 0x00 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct probe p;

		probe_begin(&p);
		send_bytes(&p, "0", 1);
		send_text(&p, REQUEST("0", ""));
		auth_says_yes(&p);
		expect_ok(&p);
		if (i == 0)
			send_text(&p, pem);
		else
			send_bytes(&p, huge, sizeof(huge));
		expect_error(&p, "what came is no certificate request");
		assert_int_equal(p.said, 1);
		probe_end(&p);
	}
}

static void
an_issuer_that_sends_no_certificates_is_not_passed_on(void **state)
{
	struct msg m = { .type = MSG_SIGN_DONE };
	struct probe *p = *state;

	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", ""));
	auth_says_yes(p);
	expect_ok(p);
	send_bytes(p, csr, sizeof(csr));
	m.sign_done.certificate = (struct wire_bytes){ leaf, sizeof(leaf) - 1 };
	visit_heard(&p->visit, &m);
	expect_error(p, fault_sentence(FAULT_INTERNAL));
	assert_int_equal(p->served, 0);
}

static void
lifetimes_are_cut_to_what_a_message_holds(void **state)
{
	struct probe *p = *state;

	send_bytes(p, "0", 1);
	send_text(p,
	    "VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=a\nPASSPHRASE=\n"
	    "LIFETIME=999999999999\n");
	auth_says_yes(p);
	send_bytes(p, csr, sizeof(csr));
	expect_sign_ask(p, UINT32_MAX);
}

static void
a_profile_name_too_long_for_any_is_refused(void **state)
{
	struct probe *p = *state;
	char text[512], name[66];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(text_fmt(text, sizeof(text),
			     REQUEST("0", "CRED_NAME=%s\n"), name),
	    0);
	send_bytes(p, "0", 1);
	send_text(p, text);
	expect_error(p, fault_sentence(FAULT_INPUT));
	assert_int_equal(p->said, 0);
}

static void
who_he_is_in_tls_is_told_to_auth(void **state)
{
	struct probe *p = *state;
	struct fault f = { 0 };
	struct msg m;

	assert_int_equal(visit_identify(&p->visit, "/CN=alice", true, &f), 0);
	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", "CRED_NAME=host\n"));
	assert_int_equal(probe_heard(p, &m), MSG_AUTH_ASK);
	assert_string_equal(m.auth_ask.tls_identity, "/CN=alice");
	assert_int_equal(m.auth_ask.tls_limited, 1);
	assert_string_equal(m.auth_ask.profile, "host");
}

static void
auth_is_told_when_a_client_goes_in_between(void **state)
{
	struct probe p;
	struct msg m;

	(void)state;
	probe_begin(&p);
	send_bytes(&p, "0", 1);
	send_text(&p, REQUEST("0", ""));
	visit_end(&p.visit);
	assert_int_equal(probe_heard(&p, &m), MSG_AUTH_GONE);
	assert_int_equal(m.auth_gone.connection, 7);
	for (size_t i = 0; i < PROBE_SAID; i++)
		free(p.frame[i].bytes);
}

static void
auth_is_not_told_of_what_it_has_finished(void **state)
{
	struct probe p;
	struct msg m;

	(void)state;
	probe_begin(&p);
	send_bytes(&p, "0", 1);
	send_text(&p, REQUEST("0", ""));
	auth_says_no(&p, FAULT_LOGIN);
	visit_end(&p.visit);
	assert_int_equal(probe_heard(&p, &m), MSG_AUTH_ASK);
	for (size_t i = 0; i < PROBE_SAID; i++)
		free(p.frame[i].bytes);
}

static void
a_deadline_is_told_to_both_sides(void **state)
{
	struct probe *p = *state;
	struct msg m;

	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", ""));
	visit_refuse(&p->visit, FAULT_TIMEOUT);
	expect_error(p, fault_sentence(FAULT_TIMEOUT));
	assert_int_equal(probe_heard(p, &m), MSG_AUTH_GONE);
	/* The answer comes too late, and is not a fault. */
	auth_says_yes(p);
	expect_nothing(p);
}

static void
an_answer_out_of_turn_ends_the_visit(void **state)
{
	struct probe *p = *state;

	send_bytes(p, "0", 1);
	auth_says_yes(p);
	expect_error(p, fault_sentence(FAULT_INTERNAL));
}

static void
when_auth_cannot_be_reached_the_client_may_try_again(void **state)
{
	struct probe *p = *state;

	p->deaf = true;
	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", ""));
	expect_error(p, fault_sentence(FAULT_BUSY));
}

static void
the_pass_phrase_does_not_stay(void **state)
{
	static const char text[] = REQUEST("0", "");
	uint8_t both[sizeof(text) + sizeof(csr)];
	struct probe *p = *state;

	memcpy(both, text, sizeof(text));
	memcpy(both + sizeof(text), csr, sizeof(csr));
	send_bytes(p, "0", 1);
	send_bytes(p, both, sizeof(both));
	assert_int_equal(p->said, 1);
	assert_null(memmem(p->visit.in.data, p->visit.in.size, "secret", 6));
	assert_null(memmem(&p->visit, sizeof(p->visit), "secret", 6));
}

static void
a_client_that_sends_ahead_is_held_back(void **state)
{
	struct probe *p = *state;
	char text[16384] = { 0 };
	int sent = 0;

	send_bytes(p, "0", 1);
	send_text(p, REQUEST("0", ""));
	for (; sent < 100 && visit_reads(&p->visit); sent++)
		send_bytes(p, text, sizeof(text));
	assert_true(sent < 10);
	assert_int_equal(p->visit.state, VISIT_ASKED);
}

#define VISIT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		VISIT_TEST(a_login_with_a_password_ends_in_a_certificate),
		VISIT_TEST(with_tls_1_2_the_client_speaks_first),
		VISIT_TEST(records_may_be_cut_anywhere),
		VISIT_TEST(everything_may_come_in_one_record),
		VISIT_TEST(a_request_without_nul_is_taken_when_all_is_quiet),
		VISIT_TEST(a_slow_writer_is_waited_for),
		VISIT_TEST(a_client_that_wants_to_delegate_is_refused_in_clear),
		VISIT_TEST(
		    a_broken_request_is_refused_in_the_stock_servers_words),
		VISIT_TEST(a_request_without_end_is_refused),
		cmocka_unit_test(commands_of_a_repository_are_refused),
		VISIT_TEST(info_says_that_nothing_is_stored_here_and_the_time),
		VISIT_TEST(trust_roots_are_handed_out_to_anybody),
		VISIT_TEST(trust_roots_come_with_the_first_ok_if_asked_for),
		VISIT_TEST(without_trust_roots_there_is_a_plain_ok),
		VISIT_TEST(an_unknown_user_and_a_wrong_password_look_the_same),
		VISIT_TEST(a_fault_that_nobody_knows_is_an_internal_one),
		VISIT_TEST(what_the_issuer_refuses_is_told),
		cmocka_unit_test(
		    what_is_no_request_for_a_certificate_is_refused),
		VISIT_TEST(
		    an_issuer_that_sends_no_certificates_is_not_passed_on),
		VISIT_TEST(lifetimes_are_cut_to_what_a_message_holds),
		VISIT_TEST(a_profile_name_too_long_for_any_is_refused),
		VISIT_TEST(who_he_is_in_tls_is_told_to_auth),
		cmocka_unit_test(auth_is_told_when_a_client_goes_in_between),
		cmocka_unit_test(auth_is_not_told_of_what_it_has_finished),
		VISIT_TEST(a_deadline_is_told_to_both_sides),
		VISIT_TEST(an_answer_out_of_turn_ends_the_visit),
		VISIT_TEST(
		    when_auth_cannot_be_reached_the_client_may_try_again),
		VISIT_TEST(the_pass_phrase_does_not_stay),
		VISIT_TEST(a_client_that_sends_ahead_is_held_back),
	};

	log_open("test", 0);
	return cmocka_run_group_tests_name("front/visit", tests, NULL, NULL);
}
