#include "signetd/front/proof.h"

#include "base/log.h"
#include "base/text.h"
#include "base/unit.h"
#include "myproxy/myproxy_text.h"
#include "signetd/front/visit_probe.h"

#define BIT(method) (1u << MYPROXY_METHOD_##method)
#define GSSAPI_BASE64 "R1NTQVBJ"

static const uint8_t ticket[16];

/* A visit whose client has sent a request without pass phrase. */
static int
setup(void **state)
{
	static const char request[] =
	    "0VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=alice\nPASSPHRASE=\n"
	    "LIFETIME=0\n";
	struct probe *p = calloc(1, sizeof(*p));

	probe_begin(p);
	visit_bytes(&p->visit, request, sizeof(request));
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

static void
offer(struct probe *p, uint32_t methods)
{
	struct msg m = { .type = MSG_AUTH_OFFER };

	m.auth_offer.methods = methods;
	memcpy(m.auth_offer.challenge_sha1, "0011", 5);
	memcpy(m.auth_offer.challenge_sha256, "2233", 5);
	visit_heard(&p->visit, &m);
}

static void
send_bytes(struct probe *p, const void *data, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);

	assert_non_null(exact);
	memcpy(exact, data, len);
	visit_bytes(&p->visit, exact, len);
	free(exact);
}

/* The next record, read as a client reads it. */
static void
answer(struct probe *p, struct myproxy_response *r)
{
	struct wire_bytes record;
	struct fault f = { 0 };

	assert_true(visit_out(&p->visit, &record));
	assert_true(record.len > 0 && record.data[record.len - 1] == '\0');
	assert_int_equal(myproxy_response_read(r, (const char *)record.data,
			     record.len - 1, &f),
	    0);
	visit_sent(&p->visit);
}

static void
expect_sasl(struct probe *p, const char *data)
{
	struct myproxy_response r;

	answer(p, &r);
	assert_int_equal(r.answer, MYPROXY_AUTHORIZATION);
	assert_int_equal(r.offer_count, 1);
	assert_int_equal(r.offer[0].method, MYPROXY_METHOD_SASL);
	assert_string_equal(buf_cstr(&r.offer[0].data), data);
	myproxy_response_clear(&r);
}

static void
expect_refusal(struct probe *p)
{
	struct myproxy_response r;

	answer(p, &r);
	assert_int_equal(r.answer, MYPROXY_ERROR);
	assert_int_equal(p->visit.state, VISIT_OVER);
	myproxy_response_clear(&r);
}

static void
expect_step(struct probe *p, uint32_t method, const void *token, size_t len)
{
	struct msg m;

	assert_int_equal(probe_heard(p, &m), MSG_AUTH_STEP);
	assert_int_equal(m.auth_step.connection, 7);
	assert_int_equal(m.auth_step.method, method);
	assert_int_equal(m.auth_step.token.len, len);
	if (len > 0)
		assert_memory_equal(m.auth_step.token.data, token, len);
	assert_int_equal(p->visit.state, VISIT_PROVING);
}

static void
auth_wants_more(struct probe *p, const char *token)
{
	struct msg m = { .type = MSG_AUTH_MORE };

	m.auth_more.token =
	    (struct wire_bytes){ (const uint8_t *)token, strlen(token) };
	visit_heard(&p->visit, &m);
}

static void
auth_says_yes(struct probe *p)
{
	struct msg m = { .type = MSG_AUTH_YES };

	m.auth_yes.ticket = (struct wire_bytes){ ticket, sizeof(ticket) };
	visit_heard(&p->visit, &m);
}

static void
the_methods_are_offered_with_their_challenges(void **state)
{
	struct probe *p = *state;
	struct myproxy_response r;

	offer(p, BIT(PASSWORD) | BIT(X509_SHA1) | BIT(SASL) | BIT(X509_SHA256));
	answer(p, &r);
	assert_int_equal(r.answer, MYPROXY_AUTHORIZATION);
	assert_int_equal(r.offer_count, 3);
	assert_int_equal(r.offer[0].method, MYPROXY_METHOD_X509_SHA1);
	assert_string_equal(buf_cstr(&r.offer[0].data), "0011");
	assert_int_equal(r.offer[1].method, MYPROXY_METHOD_X509_SHA256);
	assert_string_equal(buf_cstr(&r.offer[1].data), "2233");
	assert_int_equal(r.offer[2].method, MYPROXY_METHOD_SASL);
	assert_string_equal(buf_cstr(&r.offer[2].data),
	    "SASL authorization negotiation server");
	myproxy_response_clear(&r);
}

static void
a_password_is_never_asked_for_on_the_wire(void **state)
{
	struct probe *p = *state;
	struct msg m;

	offer(p, BIT(PASSWORD));
	expect_refusal(p);
	assert_int_equal(probe_heard(p, &m), MSG_AUTH_GONE);
}

/* The bytes of PROTOCOL 5.3. */
static void
kerberos_goes_as_the_stock_client_does_it(void **state)
{
	struct probe *p = *state;
	struct myproxy_response r;
	char token[64];

	offer(p, BIT(SASL));
	answer(p, &r);
	myproxy_response_clear(&r);
	send_bytes(p, "\3\0\0\0\0\0", 6);
	expect_sasl(p, GSSAPI_BASE64);
	text_base64("GSSAPI\0first", 12, token);
	send_bytes(p, "\3\0\0\0", 4);
	send_bytes(p, token, strlen(token) + 1);
	expect_step(p, MYPROXY_METHOD_SASL, "first", 5);
	auth_wants_more(p, "reply");
	expect_sasl(p, "cmVwbHk=");
	send_bytes(p, "\3\0\0\0\0", 5);
	expect_step(p, MYPROXY_METHOD_SASL, "", 0);
	auth_wants_more(p, "layers");
	expect_sasl(p, "bGF5ZXJz");
	send_bytes(p, "\3\0\0\0bGFzdA==", 13);
	expect_step(p, MYPROXY_METHOD_SASL, "last", 4);
	auth_says_yes(p);
	answer(p, &r);
	assert_int_equal(r.answer, MYPROXY_OK);
	assert_int_equal(p->visit.state, VISIT_CSR);
	myproxy_response_clear(&r);
}

static void
a_mechanism_without_a_first_token_is_asked_for_one(void **state)
{
	struct probe *p = *state;
	struct myproxy_response r;

	offer(p, BIT(SASL));
	answer(p, &r);
	myproxy_response_clear(&r);
	send_bytes(p, "\3\0\0\0\0", 5);
	expect_sasl(p, GSSAPI_BASE64);
	send_bytes(p, "\3\0\0\0" GSSAPI_BASE64, 13);
	expect_sasl(p, "");
	assert_int_equal(p->said, 1);
	send_bytes(p, "\3\0\0\0Zmlyc3Q=", 13);
	expect_step(p, MYPROXY_METHOD_SASL, "first", 5);
}

static void
refuse_after_list(const char *text)
{
	struct myproxy_response r;
	void *state;

	assert_int_equal(setup(&state), 0);
	offer(state, BIT(SASL));
	answer(state, &r);
	myproxy_response_clear(&r);
	send_bytes(state, "\3\0\0\0\0", 5);
	expect_sasl(state, GSSAPI_BASE64);
	send_bytes(state, "\3\0\0\0", 4);
	send_bytes(state, text, strlen(text) + 1);
	expect_refusal(state);
	assert_int_equal(teardown(&state), 0);
}

static void
other_mechanisms_and_broken_base64_are_refused(void **state)
{
	(void)state;
	refuse_after_list("UExBSU4=");	   /* PLAIN */
	refuse_after_list("R1NTQVBJWA=="); /* GSSAPIX */
	refuse_after_list("R1NT");	   /* GSS */
	refuse_after_list("R1NTQVBJ\n");
	refuse_after_list("R1NTQVB");
}

static void
sasl_that_never_ends_is_refused(void **state)
{
	struct probe *p = *state;
	struct myproxy_response r;
	char text[16384];

	offer(p, BIT(SASL));
	answer(p, &r);
	myproxy_response_clear(&r);
	memset(text, 'A', sizeof(text));
	send_bytes(p, "\3\0\0\0", 4);
	for (int i = 0; i < 10 && visit_reads(&p->visit); i++)
		send_bytes(p, text, sizeof(text));
	expect_refusal(p);
}

/* u32 length, signature, count, two "certificates"; then something else. */
static const uint8_t x509[] = { 0, 0, 0, 3, 's', 'i', 'g', 2, 0x30, 0x01, 0x05,
	0x30, 0x02, 0x05, 0x00 };

static void
a_certificates_proof_is_cut_by_its_own_lengths(void **state)
{
	struct probe *p = *state;
	struct myproxy_response r;

	offer(p, BIT(X509_SHA256));
	answer(p, &r);
	myproxy_response_clear(&r);
	send_bytes(p, "\4\0\0\0", 4);
	for (size_t i = 0; i + 1 < sizeof(x509); i++) {
		send_bytes(p, x509 + i, 1);
		assert_int_equal(p->said, 1);
	}
	/* With the last byte, the first of what follows. */
	send_bytes(p, (const uint8_t[]){ x509[sizeof(x509) - 1], 0x30 }, 2);
	expect_step(p, MYPROXY_METHOD_X509_SHA256, x509, sizeof(x509));
	assert_int_equal(p->visit.in.len, 1);
}

static void
a_certificates_proof_takes_one_step(void **state)
{
	struct probe *p = *state;
	struct myproxy_response r;

	offer(p, BIT(X509_SHA1));
	answer(p, &r);
	myproxy_response_clear(&r);
	send_bytes(p, "\2\0\0\0", 4);
	send_bytes(p, x509, sizeof(x509));
	expect_step(p, MYPROXY_METHOD_X509_SHA1, x509, sizeof(x509));
	auth_wants_more(p, "why");
	expect_refusal(p);
}

static void
refuse_choice(uint32_t offered, const void *data, size_t len)
{
	struct myproxy_response r;
	void *state;

	assert_int_equal(setup(&state), 0);
	offer(state, offered);
	answer(state, &r);
	myproxy_response_clear(&r);
	send_bytes(state, data, len);
	expect_refusal(state);
	assert_int_equal(teardown(&state), 0);
}

static void
what_was_not_offered_cannot_be_chosen(void **state)
{
	(void)state;
	refuse_choice(BIT(SASL), "\4\0\0\0", 4);
	refuse_choice(BIT(SASL), "\2\0\0\0", 4);
	refuse_choice(BIT(SASL), "\1\0\0\0secret\0", 11);
	refuse_choice(BIT(SASL), "\5\0\0\0", 4);
	refuse_choice(BIT(X509_SHA256), "\377\0\0\0", 4);
	refuse_choice(BIT(X509_SHA256), "\2\0\0\0", 4);
}

static void
proofs_of_impossible_length_are_refused(void **state)
{
	(void)state;
	refuse_choice(BIT(X509_SHA256), "\4\0\0\0\377\377\377\377", 8);
	refuse_choice(BIT(X509_SHA256), "\4\0\0\0\0\0\0\0\1\60\203\20\0\0", 14);
	refuse_choice(BIT(X509_SHA256), "\4\0\0\0\0\0\0\0\1\2\1\0", 12);
}

static void
the_method_cannot_change_on_the_way(void **state)
{
	struct probe *p = *state;
	struct myproxy_response r;

	offer(p, BIT(SASL) | BIT(X509_SHA256));
	answer(p, &r);
	myproxy_response_clear(&r);
	send_bytes(p, "\3\0\0\0\0", 5);
	expect_sasl(p, GSSAPI_BASE64);
	send_bytes(p, "\4\0\0\0", 4);
	send_bytes(p, x509, sizeof(x509));
	expect_refusal(p);
}

static void
a_client_that_floods_sasl_gets_no_more_than_its_turns(void **state)
{
	struct probe *p = *state;

	offer(p, BIT(SASL));
	/* Without reading one answer. */
	for (int i = 0; i < 20; i++)
		send_bytes(p, "\3\0\0\0" GSSAPI_BASE64, 13);
	assert_true(p->visit.out_count <= VISIT_OUT_MAX);
	assert_true(p->visit.in.len > 0);
}

#define PROOF_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PROOF_TEST(the_methods_are_offered_with_their_challenges),
		PROOF_TEST(a_password_is_never_asked_for_on_the_wire),
		PROOF_TEST(kerberos_goes_as_the_stock_client_does_it),
		PROOF_TEST(a_mechanism_without_a_first_token_is_asked_for_one),
		cmocka_unit_test(
		    other_mechanisms_and_broken_base64_are_refused),
		PROOF_TEST(sasl_that_never_ends_is_refused),
		PROOF_TEST(a_certificates_proof_is_cut_by_its_own_lengths),
		PROOF_TEST(a_certificates_proof_takes_one_step),
		cmocka_unit_test(what_was_not_offered_cannot_be_chosen),
		cmocka_unit_test(proofs_of_impossible_length_are_refused),
		PROOF_TEST(the_method_cannot_change_on_the_way),
		PROOF_TEST(
		    a_client_that_floods_sasl_gets_no_more_than_its_turns),
	};

	log_open("test", 0);
	return cmocka_run_group_tests_name("front/proof", tests, NULL, NULL);
}
