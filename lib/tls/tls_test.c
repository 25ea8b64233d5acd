#include "tls/tls.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/unit.h"
#include "x509/own_ssl.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <sys/socket.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 64 /* more than any handshake takes */

/* A root, and what it signed: made once for all tests. */
struct site {
	EVP_PKEY *root_key, *rsa_key, *ec_key, *weak_key;
	X509 *root, *rsa, *ec, *weak, *user;
	char *root_pem, *rsa_pem, *ec_pem, *weak_pem;
	char *rsa_key_pem, *ec_key_pem, *weak_key_pem;
};

static void
name_add(X509_NAME *name, const char *type, const char *value)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(name, type, MBSTRING_ASC,
			     (const unsigned char *)value, -1, -1, 0),
	    1);
}

static void
extension_add(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

static X509 *
certify(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	static long serial = 1;
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	name_add(name, "O", "Test");
	name_add(name, "CN", cn);
	X509_set_issuer_name(cert,
	    issuer != NULL ? X509_get_subject_name(issuer) : name);
	X509_set_pubkey(cert, key);
	extension_add(cert, NID_basic_constraints,
	    issuer != NULL ? "critical,CA:FALSE" : "critical,CA:TRUE");
	assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
	return cert;
}

static char *
text_of(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = strndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static char *
pem_of(X509 *leaf, X509 *root)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, leaf), 1);
	if (root != NULL)
		assert_int_equal(PEM_write_bio_X509(bio, root), 1);
	return text_of(bio);
}

static char *
key_pem_of(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0,
			     NULL, NULL),
	    1);
	return text_of(bio);
}

static int
build_site(void **state)
{
	struct site *s = calloc(1, sizeof(*s));

	s->root_key = EVP_EC_gen("P-256");
	s->rsa_key = EVP_RSA_gen(2048);
	s->ec_key = EVP_EC_gen("P-256");
	s->weak_key = EVP_RSA_gen(1024);
	s->root = certify("Root", s->root_key, NULL, s->root_key);
	s->rsa = certify("rsa.test", s->rsa_key, s->root, s->root_key);
	s->ec = certify("ec.test", s->ec_key, s->root, s->root_key);
	s->weak = certify("weak.test", s->weak_key, s->root, s->root_key);
	s->user = certify("alice", s->ec_key, s->root, s->root_key);
	s->root_pem = pem_of(s->root, NULL);
	s->rsa_pem = pem_of(s->rsa, s->root);
	s->ec_pem = pem_of(s->ec, s->root);
	s->weak_pem = pem_of(s->weak, s->root);
	s->rsa_key_pem = key_pem_of(s->rsa_key);
	s->ec_key_pem = key_pem_of(s->ec_key);
	s->weak_key_pem = key_pem_of(s->weak_key);
	*state = s;
	return 0;
}

static int
raze_site(void **state)
{
	struct site *s = *state;
	EVP_PKEY *keys[] = { s->root_key, s->rsa_key, s->ec_key, s->weak_key };
	X509 *certs[] = { s->root, s->rsa, s->ec, s->weak, s->user };
	char *texts[] = { s->root_pem, s->rsa_pem, s->ec_pem, s->weak_pem,
		s->rsa_key_pem, s->ec_key_pem, s->weak_key_pem };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		EVP_PKEY_free(keys[i]);
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		X509_free(certs[i]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	free(s);
	return 0;
}

static struct wire_bytes
bytes_of(const char *text)
{
	return (struct wire_bytes){ (const uint8_t *)text, strlen(text) };
}

static struct tls_identity
rsa_identity(const struct site *s)
{
	return (struct tls_identity){ bytes_of(s->rsa_key_pem),
		bytes_of(s->rsa_pem) };
}

static struct tls_identity
ec_identity(const struct site *s)
{
	return (struct tls_identity){ bytes_of(s->ec_key_pem),
		bytes_of(s->ec_pem) };
}

/* A server with one or two identities, and a connection to it. */
struct line {
	struct tls_server *server;
	struct tls *t;
	int fds[2]; /* the server's end, the client's end */
};

static void
line_open(struct line *l, const struct site *s, const char *kinds)
{
	struct tls_identity ids[2];
	struct fault f = { 0 };
	size_t count = 0;

	if (strchr(kinds, 'r') != NULL)
		ids[count++] = rsa_identity(s);
	if (strchr(kinds, 'e') != NULL)
		ids[count++] = ec_identity(s);
	l->server = tls_server_new(ids, count, NULL, &f);
	assert_non_null(l->server);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, l->fds), 0);
	l->t = tls_accept(l->server, l->fds[0], &f);
	assert_non_null(l->t);
}

static void
line_close(struct line *l)
{
	/* The server first: a connection outlives a reload. */
	tls_server_free(l->server);
	tls_free(l->t);
	if (l->fds[0] >= 0)
		close(l->fds[0]);
	if (l->fds[1] >= 0)
		close(l->fds[1]);
}

/* A client as OpenSSL makes it, to look at us from outside. */
static SSL *
outsider(int fd, int version, const char *sigalgs)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	SSL_CTX_set_security_level(ctx, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (sigalgs != NULL) {
		char *copy = strdup(sigalgs);

		assert_int_equal(SSL_set1_sigalgs_list(ssl, copy), 1);
		free(copy);
	}
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	SSL_set_connect_state(ssl);
	return ssl;
}

static void
nonblock(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

/* Run both ends until both are done or one fails. */
static bool
shake(struct tls *server, SSL *client)
{
	enum tls_result r = TLS_WANT_READ;
	struct fault f = { 0 };
	int ret = 0;

	for (int i = 0; i < ROUNDS && (r != TLS_DONE || ret != 1); i++) {
		if (ret != 1)
			ret = SSL_do_handshake(client);
		if (ret != 1 &&
		    SSL_get_error(client, ret) != SSL_ERROR_WANT_READ)
			return false;
		if (r != TLS_DONE)
			r = tls_handshake(server, &f);
		if (r == TLS_FAILED || r == TLS_CLOSED)
			return false;
	}
	return r == TLS_DONE && ret == 1;
}

static enum tls_result
shake_ours(struct tls *server, struct tls *client, struct fault *server_f,
    struct fault *client_f)
{
	enum tls_result a = TLS_WANT_READ, b = TLS_WANT_READ;

	for (int i = 0; i < ROUNDS && (a != TLS_DONE || b != TLS_DONE); i++) {
		if (b != TLS_DONE)
			b = tls_handshake(client, client_f);
		if (a != TLS_DONE)
			a = tls_handshake(server, server_f);
		if (a == TLS_FAILED || b == TLS_FAILED)
			return TLS_FAILED;
	}
	return a == TLS_DONE && b == TLS_DONE ? TLS_DONE : TLS_WANT_READ;
}

static void
exchange(struct tls *server, SSL *client)
{
	struct fault f = { 0 };
	char text[8];
	size_t got;

	assert_int_equal(SSL_write(client, "hello", 5), 5);
	assert_int_equal(SSL_write(client, "you", 3), 3);
	assert_int_equal(tls_read(server, text, sizeof(text), &got, &f),
	    TLS_DONE);
	assert_int_equal(got, 5); /* one record, not two */
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(tls_read(server, text, 1, &got, &f), TLS_DONE);
	assert_true(tls_pending(server));
	assert_int_equal(tls_read(server, text, sizeof(text), &got, &f),
	    TLS_DONE);
	assert_int_equal(got, 2);
	assert_false(tls_pending(server));
	assert_int_equal(tls_read(server, text, sizeof(text), &got, &f),
	    TLS_WANT_READ);
	assert_false(tls_pending(server));
	assert_int_equal(tls_write(server, "fine", 4, &f), TLS_DONE);
	assert_int_equal(SSL_read(client, text, sizeof(text)), 4);
	assert_memory_equal(text, "fine", 4);
}

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
		cmocka_unit_test(both_versions_and_both_kinds_of_key_work),
		cmocka_unit_test(the_client_that_can_gets_ec_and_the_other_rsa),
		cmocka_unit_test(versions_before_1_2_are_refused),
		cmocka_unit_test(no_ticket_is_given_and_nothing_is_resumed),
		cmocka_unit_test(clients_are_asked_for_a_certificate_of_any_ca),
		cmocka_unit_test(the_whole_chain_is_sent_with_its_root),
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

	return cmocka_run_group_tests_name("tls/tls", tests, build_site,
	    raze_site);
}
