#include "signetd/front/visit_unit.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	return cmocka_run_group_tests_name("front/visit_end", tests, NULL,
	    NULL);
}
