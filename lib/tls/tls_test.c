#include "tls/tls.h"

#include "tls/tls_unit.h"

static void
both_versions_and_both_kinds_of_key_work(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	static const char *const kinds[] = { "r", "e", "re" };

	for (size_t i = 0; i < 6; i++) {
		struct line l;
		SSL *client;

		line_open(&l, *state, kinds[i % 3]);
		nonblock(l.fds[1]);
		client = outsider(l.fds[1], versions[i / 3], NULL);
		assert_true(shake(l.t, client));
		assert_int_equal(tls_is_13(l.t), i / 3 == 1);
		exchange(l.t, client);
		SSL_free(client);
		line_close(&l);
	}
}

static int
kind_shown(const struct site *s, const char *sigalgs)
{
	struct line l;
	SSL *client;
	int id;

	line_open(&l, s, "re");
	nonblock(l.fds[1]);
	client = outsider(l.fds[1], TLS1_3_VERSION, sigalgs);
	assert_true(shake(l.t, client));
	id = EVP_PKEY_get_base_id(
	    X509_get0_pubkey(SSL_get0_peer_certificate(client)));
	SSL_free(client);
	line_close(&l);
	return id;
}

static void
the_client_that_can_gets_ec_and_the_other_rsa(void **state)
{
	assert_int_equal(kind_shown(*state, NULL), EVP_PKEY_EC);
	assert_int_equal(kind_shown(*state, "RSA-PSS+SHA256:ECDSA+SHA256"),
	    EVP_PKEY_EC);
	assert_int_equal(kind_shown(*state, "RSA-PSS+SHA256"), EVP_PKEY_RSA);
}

static void
versions_before_1_2_are_refused(void **state)
{
	struct line l;
	SSL *client;

	line_open(&l, *state, "r");
	nonblock(l.fds[1]);
	client = outsider(l.fds[1], TLS1_1_VERSION, NULL);
	assert_false(shake(l.t, client));
	SSL_free(client);
	line_close(&l);
}

static void
no_ticket_is_given_and_nothing_is_resumed(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < 2; i++) {
		struct fault f = { 0 };
		struct line l;
		SSL *client;
		char byte;

		line_open(&l, *state, "e");
		nonblock(l.fds[1]);
		client = outsider(l.fds[1], versions[i], NULL);
		assert_true(shake(l.t, client));
		/* A 1.3 ticket would come before the first answer. */
		assert_int_equal(tls_write(l.t, "x", 1, &f), TLS_DONE);
		assert_int_equal(SSL_read(client, &byte, 1), 1);
		assert_false(SSL_SESSION_has_ticket(SSL_get_session(client)));
		assert_false(
		    SSL_SESSION_is_resumable(SSL_get_session(client)) &&
		    versions[i] == TLS1_3_VERSION);
		SSL_free(client);
		line_close(&l);
	}
}

static void
clients_are_asked_for_a_certificate_of_any_ca(void **state)
{
	const STACK_OF(X509_NAME) * names;
	struct cert_list chain;
	struct fault f = { 0 };
	struct line l;
	SSL *client;

	line_open(&l, *state, "e");
	nonblock(l.fds[1]);
	client = outsider(l.fds[1], TLS1_3_VERSION, NULL);
	assert_true(shake(l.t, client));
	names = SSL_get0_peer_CA_list(client);
	assert_true(names == NULL || sk_X509_NAME_num(names) == 0);
	assert_int_equal(tls_peer_chain(l.t, &chain, &f), 0);
	assert_int_equal(chain.count, 0);
	SSL_free(client);
	line_close(&l);
}

static void
the_whole_chain_is_sent_with_its_root(void **state)
{
	const struct site *s = *state;
	struct cert_list chain;
	struct fault f = { 0 };
	struct tls *client;
	struct line l;

	line_open(&l, s, "e");
	client = tls_connect(l.fds[1], NULL, "ec.test", &f);
	assert_non_null(client);
	assert_int_equal(shake_ours(l.t, client, &f, &f), TLS_DONE);
	assert_int_equal(tls_peer_chain(client, &chain, &f), 0);
	assert_int_equal(chain.count, 2);
	assert_false(cert_is_self_issued(chain.cert[0]));
	assert_true(cert_is_self_issued(chain.cert[1]));
	cert_list_free(&chain);
	tls_free(client);
	line_close(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_versions_and_both_kinds_of_key_work),
		cmocka_unit_test(the_client_that_can_gets_ec_and_the_other_rsa),
		cmocka_unit_test(versions_before_1_2_are_refused),
		cmocka_unit_test(no_ticket_is_given_and_nothing_is_resumed),
		cmocka_unit_test(clients_are_asked_for_a_certificate_of_any_ca),
		cmocka_unit_test(the_whole_chain_is_sent_with_its_root),
	};

	return cmocka_run_group_tests_name("tls/tls", tests, build_site,
	    raze_site);
}
