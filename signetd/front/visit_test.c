#include "signetd/front/visit_unit.h"

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
	};

	log_open("test", 0);
	return cmocka_run_group_tests_name("front/visit", tests, NULL, NULL);
}
