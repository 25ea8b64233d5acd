#include "signetd/front/guest.h"

#include "signetd/front/guest_probe.h"

void
house_left(struct house *house)
{
	door_resume(house->door);
}

static void
client_logs_in(uint16_t port)
{
	uint8_t issued[1 + sizeof(leaf)] = { 1 };
	struct tls *t = greet(come(port));

	CONTENT(tls_is_13(t));
	hear(t, "", 1);
	tell(t, "0", 1);
	tell(t, REQUEST, sizeof(REQUEST));
	hear(t, OK, sizeof(OK));
	tell(t, csr, sizeof(csr));
	memcpy(issued + 1, leaf, sizeof(leaf));
	hear(t, issued, sizeof(issued));
	hear(t, OK, sizeof(OK));
	hear_end(t);
}

static void
a_client_gets_his_certificate_over_tls(void **state)
{
	struct stage *s = *state;

	play(s, client_logs_in);
	assert_int_equal(s->role.served, 1);
	assert_int_equal(crowd_count(s->house.crowd), 0);
	assert_false(s->gone);
}

static const char *credential_pem; /* of the client that is next */

static void
client_shows_what_proves_nothing(uint16_t port)
{
	struct fault f = { 0 };
	struct credential c = { 0 };
	struct tls *t;

	CONTENT(credential_read(&c, credential_pem, strlen(credential_pem),
		    NULL, &f) == 0);
	t = greet_with(come(port), &c);
	hear(t, "", 1);
	tell(t, "0", 1);
	tell(t, REQUEST, sizeof(REQUEST));
	hear(t, OK, sizeof(OK));
}

static void
a_certificate_of_nobody_we_know_makes_its_client_anonymous(void **state)
{
	struct stage *s = *state;
	char *text = NULL;

	assert_true(asprintf(&text, "%s%s", s->cert_pem, s->key_pem) > 0);
	credential_pem = text;
	play(s, client_shows_what_proves_nothing);
	assert_int_equal(s->heard, MSG_AUTH_ASK);
	assert_false(s->named);
	free(text);
}

static void
client_sends_no_nul(uint16_t port)
{
	struct tls *t = greet(come(port));

	hear(t, "", 1);
	tell(t, "0", 1);
	tell(t, REQUEST, sizeof(REQUEST) - 2);
	hear(t, OK, sizeof(OK));
}

static void
a_client_that_ends_without_nul_is_understood_after_a_moment(void **state)
{
	play(*state, client_sends_no_nul);
}

static void
client_is_a_browser(uint16_t port)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char told[] =
	    "VERSION=MYPROXYv2\nRESPONSE=1\nERROR=authentication failed\n";
	char text[256];
	size_t len = 0;
	ssize_t n;
	int fd = come(port);

	CONTENT(write(fd, get, strlen(get)) == (ssize_t)strlen(get));
	while ((n = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	CONTENT(n == 0 && len == sizeof(told) && memcmp(text, told, len) == 0);
}

static void
a_browser_is_told_in_clear(void **state)
{
	play(*state, client_is_a_browser);
}

static void
client_wants_to_delegate(uint16_t port)
{
	struct fault f = { 0 };
	struct tls *t = greet(come(port));
	enum tls_result r;
	char byte;
	size_t got;

	hear(t, "", 1);
	tell(t, "D", 1);
	/* Clear text is no TLS record. */
	while ((r = tls_read(t, &byte, 1, &got, &f)) != TLS_FAILED)
		wait_for(t, r);
}

static void
delegation_is_refused_in_clear(void **state)
{
	play(*state, client_wants_to_delegate);
}

static void
client_is_silent(uint16_t port)
{
	char byte;

	CONTENT(read(come(port), &byte, 1) == 0);
}

static void
silence_ends_at_the_handshakes_deadline(void **state)
{
	struct stage *s = *state;

	s->role.conf.handshake_timeout = 0;
	play(s, client_is_silent);
	assert_int_equal(crowd_count(s->house.crowd), 0);
}

static void
client_is_slow(uint16_t port)
{
	struct tls *t = greet(come(port));

	hear(t, "", 1);
	tell(t, "0", 1);
	hear_beginning(t,
	    "VERSION=MYPROXYv2\nRESPONSE=1\n"
	    "ERROR=the request took too long (reference ");
	hear_end(t);
}

static void
who_takes_too_long_is_told_so(void **state)
{
	struct stage *s = *state;

	s->role.conf.request_timeout = 1;
	play(s, client_is_slow);
}

static void
client_goes_early(uint16_t port)
{
	struct tls *t = greet(come(port));

	hear(t, "", 1);
	tell(t, "0", 1);
	tell(t, REQUEST, sizeof(REQUEST));
}

static void
auth_hears_that_a_client_has_gone(void **state)
{
	struct stage *s = *state;

	s->mute = true;
	play(s, client_goes_early);
	assert_true(s->gone);
	assert_int_equal(crowd_count(s->house.crowd), 0);
}

static void
client_comes_twice(uint16_t port)
{
	int first = come(port), second = come(port);
	struct tls *t;
	char byte;

	CONTENT(read(second, &byte, 1) == 0);
	/* The first is served all the same. */
	t = greet(first);
	hear(t, "", 1);
}

static void
one_connection_too_many_is_closed(void **state)
{
	struct stage *s = *state;

	crowd_bounds(s->house.crowd, 100, 1);
	play(s, client_comes_twice);
}

static void
client_sends_after_a_refusal(uint16_t port)
{
	static const char bad[] = "VERSION=MYPROXYv1\n";
	char junk[8192] = { 0 };
	struct tls *t = greet(come(port));

	hear(t, "", 1);
	tell(t, "0", 1);
	tell(t, bad, sizeof(bad));
	for (int i = 0; i < 8; i++)
		tell(t, junk, sizeof(junk));
	hear_beginning(t,
	    "VERSION=MYPROXYv2\nRESPONSE=1\n"
	    "ERROR=error parsing request (reference ");
}

static void
an_error_reaches_a_client_that_is_still_sending(void **state)
{
	play(*state, client_sends_after_a_refusal);
}

#define GUEST_TEST(name) \
	cmocka_unit_test_setup_teardown(name, build_stage, raze_stage)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GUEST_TEST(a_client_gets_his_certificate_over_tls),
		GUEST_TEST(
		    a_certificate_of_nobody_we_know_makes_its_client_anonymous),
		GUEST_TEST(
		    a_client_that_ends_without_nul_is_understood_after_a_moment),
		GUEST_TEST(a_browser_is_told_in_clear),
		GUEST_TEST(delegation_is_refused_in_clear),
		GUEST_TEST(silence_ends_at_the_handshakes_deadline),
		GUEST_TEST(who_takes_too_long_is_told_so),
		GUEST_TEST(auth_hears_that_a_client_has_gone),
		GUEST_TEST(one_connection_too_many_is_closed),
		GUEST_TEST(an_error_reaches_a_client_that_is_still_sending),
	};

	log_open("test", 0);
	return cmocka_run_group_tests_name("front/guest", tests, NULL, NULL);
}
