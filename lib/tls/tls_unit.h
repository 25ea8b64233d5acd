#ifndef TLS_TLS_UNIT_H
#define TLS_TLS_UNIT_H

/* For _test.c: identities, a line between two ends, and an outsider's end. */

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

static inline void
name_add(X509_NAME *name, const char *type, const char *value)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(name, type, MBSTRING_ASC,
			     (const unsigned char *)value, -1, -1, 0),
	    1);
}

static inline void
extension_add(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

static inline X509 *
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

static inline char *
text_of(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = strndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static inline char *
pem_of(X509 *leaf, X509 *root)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, leaf), 1);
	if (root != NULL)
		assert_int_equal(PEM_write_bio_X509(bio, root), 1);
	return text_of(bio);
}

static inline char *
key_pem_of(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0,
			     NULL, NULL),
	    1);
	return text_of(bio);
}

static inline int
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

static inline int
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

static inline struct wire_bytes
bytes_of(const char *text)
{
	return (struct wire_bytes){ (const uint8_t *)text, strlen(text) };
}

static inline struct tls_identity
rsa_identity(const struct site *s)
{
	return (struct tls_identity){ bytes_of(s->rsa_key_pem),
		bytes_of(s->rsa_pem) };
}

static inline struct tls_identity
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

static inline void
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

static inline void
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
static inline SSL *
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

static inline void
nonblock(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

/* Run both ends until both are done or one fails. */
static inline bool
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

static inline enum tls_result
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

static inline void
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

#endif
