#include "tls/tls.h"
#include "tls/tls_unit.h"

/* A credential of alice, with the root as the rest of its chain. */
static void
credential_of(const struct site *s, struct credential *c)
{
	struct fault f = { 0 };
	char *pem = pem_of(s->user, s->root);
	char *text = NULL;

	assert_true(asprintf(&text, "%s%s", pem, s->ec_key_pem) > 0);
	assert_int_equal(credential_read(c, text, strlen(text), NULL, &f), 0);
	free(text);
	free(pem);
}

struct opinion {
	int answer;
	size_t asked;
	size_t count;
	char cn[64];
};

static int
judge(void *arg, const struct cert_list *chain, struct fault *f)
{
	struct opinion *o = arg;

	o->asked++;
	o->count = chain->count;
	assert_int_equal(dn_cn(&chain->cert[0]->subject, o->cn, sizeof(o->cn)),
	    0);
	if (o->answer < 0)
		return fault_set(f, FAULT_EXPIRED, "not today");
	return 0;
}

static void
what_a_client_shows_is_seen_and_judged(void **state)
{
	struct opinion o = { 0 };
	struct credential c;
	struct cert_list chain;
	struct fault f = { 0 };
	struct tls *client;
	struct line l;

	line_open(&l, *state, "re");
	credential_of(*state, &c);
	client = tls_connect(l.fds[1], &c, NULL, &f);
	assert_non_null(client);
	tls_judge(l.t, judge, &o);
	assert_int_equal(shake_ours(l.t, client, &f, &f), TLS_DONE);
	assert_int_equal(o.asked, 1);
	assert_int_equal(o.count, 2);
	assert_string_equal(o.cn, "alice");
	assert_int_equal(tls_peer_chain(l.t, &chain, &f), 0);
	assert_int_equal(chain.count, 2);
	assert_true(chain.cert[0]->len == c.chain.cert[0]->len &&
	    memcmp(chain.cert[0]->der, c.chain.cert[0]->der,
		chain.cert[0]->len) == 0);
	cert_list_free(&chain);
	credential_clear(&c);
	tls_free(client);
	line_close(&l);
}

static void
a_refused_client_is_told_so_by_an_alert(void **state)
{
	struct opinion o = { .answer = -1 };
	struct fault server_f = { 0 }, client_f = { 0 };
	struct credential c;
	struct tls *client;
	struct line l;
	char byte;
	size_t got;

	line_open(&l, *state, "e");
	credential_of(*state, &c);
	client = tls_connect(l.fds[1], &c, NULL, &client_f);
	assert_non_null(client);
	tls_judge(l.t, judge, &o);
	assert_int_equal(shake_ours(l.t, client, &server_f, &client_f),
	    TLS_FAILED);
	assert_int_equal(server_f.code, FAULT_EXPIRED);
	assert_string_equal(server_f.text, "not today");
	/* With TLS 1.3 the client learns of it when it reads. */
	assert_int_equal(tls_read(client, &byte, 1, &got, &client_f),
	    TLS_FAILED);
	assert_int_equal(client_f.code, FAULT_UNTRUSTED);
	credential_clear(&c);
	tls_free(client);
	line_close(&l);
}

static void
the_end_comes_without_a_close_notify(void **state)
{
	struct line l;
	SSL *client;
	char byte;
	int ret;

	line_open(&l, *state, "e");
	nonblock(l.fds[1]);
	client = outsider(l.fds[1], TLS1_3_VERSION, NULL);
	assert_true(shake(l.t, client));
	tls_free(l.t);
	l.t = NULL;
	close(l.fds[0]);
	l.fds[0] = -1;
	/* The outsider answers with an alert, into the void. */
	(void)signal(SIGPIPE, SIG_IGN);
	ret = SSL_read(client, &byte, 1);
	(void)signal(SIGPIPE, SIG_DFL);
	assert_true(ret <= 0);
	/* A close_notify would be SSL_ERROR_ZERO_RETURN. */
	assert_int_equal(SSL_get_error(client, ret), SSL_ERROR_SSL);
	SSL_free(client);
	line_close(&l);
}

static void
a_peer_that_goes_is_noticed_and_harms_nobody(void **state)
{
	struct fault f = { 0 };
	struct line l;
	SSL *client;
	char byte;
	size_t got;

	line_open(&l, *state, "e");
	nonblock(l.fds[1]);
	client = outsider(l.fds[1], TLS1_3_VERSION, NULL);
	assert_true(shake(l.t, client));
	SSL_free(client);
	close(l.fds[1]);
	l.fds[1] = -1;
	assert_int_equal(tls_read(l.t, &byte, 1, &got, &f), TLS_CLOSED);
	/* No SIGPIPE ends us. */
	assert_int_equal(tls_write(l.t, "x", 1, &f), TLS_CLOSED);
	line_close(&l);
}

static void
bytes_that_are_no_tls_fail(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fault f = { 0 };
	struct line l;

	line_open(&l, *state, "e");
	assert_int_equal(write(l.fds[1], text, sizeof(text)), sizeof(text));
	assert_int_equal(tls_handshake(l.t, &f), TLS_FAILED);
	assert_int_equal(f.code, FAULT_INPUT);
	line_close(&l);
}

static void
what_cannot_be_sent_at_once_is_sent_when_called_again(void **state)
{
	static uint8_t out[1 << 20], in[1 << 20];
	struct fault f = { 0 };
	struct tls *client;
	struct line l;
	size_t total = 0;
	int waits = 0;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7);
	line_open(&l, *state, "e");
	client = tls_connect(l.fds[1], NULL, NULL, &f);
	assert_int_equal(shake_ours(l.t, client, &f, &f), TLS_DONE);
	while (tls_write(l.t, out, sizeof(out), &f) == TLS_WANT_WRITE) {
		size_t got;

		waits++;
		while (tls_read(client, in + total, sizeof(in) - total, &got,
			   &f) == TLS_DONE)
			total += got;
	}
	while (total < sizeof(in)) {
		size_t got;

		assert_int_equal(tls_read(client, in + total,
				     sizeof(in) - total, &got, &f),
		    TLS_DONE);
		total += got;
	}
	assert_true(waits > 0);
	assert_memory_equal(in, out, sizeof(out));
	tls_free(client);
	line_close(&l);
}

static void
waiting_ends_at_the_deadline(void **state)
{
	struct fault f = { 0 };
	struct line l;

	line_open(&l, *state, "e");
	assert_int_equal(tls_handshake(l.t, &f), TLS_WANT_READ);
	assert_int_equal(tls_wait(l.t, TLS_WANT_READ, clock_mono() + 20, &f),
	    -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
	assert_int_equal(write(l.fds[1], "x", 1), 1);
	assert_int_equal(tls_wait(l.t, TLS_WANT_READ, clock_mono() + 5000, &f),
	    0);
	line_close(&l);
}

static void
identities_that_cannot_be_shown_are_refused(void **state)
{
	const struct site *s = *state;
	struct tls_identity twice[2] = { ec_identity(s), ec_identity(s) };
	struct tls_identity crossed = { bytes_of(s->rsa_key_pem),
		bytes_of(s->ec_pem) };
	struct tls_identity weak = { bytes_of(s->weak_key_pem),
		bytes_of(s->weak_pem) };
	struct tls_identity keyless = { bytes_of(""), bytes_of(s->ec_pem) };
	struct tls_identity nameless = { bytes_of(s->ec_key_pem),
		bytes_of("") };
	const struct tls_identity *bad[] = { &crossed, &weak, &keyless,
		&nameless };
	struct fault f = { 0 };

	assert_null(tls_server_new(twice, 2, NULL, &f));
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_null(tls_server_new(twice, 0, NULL, &f));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(tls_server_new(bad[i], 1, NULL, &f));
		assert_int_equal(f.code, FAULT_CONFIG);
	}
	assert_null(tls_server_new(twice, 1, "no such cipher", &f));
	assert_int_equal(f.code, FAULT_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_client_shows_is_seen_and_judged),
		cmocka_unit_test(a_refused_client_is_told_so_by_an_alert),
		cmocka_unit_test(the_end_comes_without_a_close_notify),
		cmocka_unit_test(a_peer_that_goes_is_noticed_and_harms_nobody),
		cmocka_unit_test(bytes_that_are_no_tls_fail),
		cmocka_unit_test(
		    what_cannot_be_sent_at_once_is_sent_when_called_again),
		cmocka_unit_test(waiting_ends_at_the_deadline),
		cmocka_unit_test(identities_that_cannot_be_shown_are_refused),
	};

	return cmocka_run_group_tests_name("tls/tls_peer", tests, build_site,
	    raze_site);
}
