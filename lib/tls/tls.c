#include "tls/tls.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "tls/tls_context.h"
#include "x509/key_ssl.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"

#include <openssl/err.h>

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#define NAME_SIZE 256	     /* of a host: RFC 1035 2.3.4 */
#define RECORD_MAX 16384     /* RFC 8446 5.1 */
#define RECORD_OVERHEAD 256  /* more than any suite adds to one */
#define HELD_MAX (64u << 20) /* 64 MiB, in all connections */

struct tls *
connection_new(struct tls_server *shared, int fd, struct fault *f)
{
	struct tls *t = calloc(1, sizeof(*t));
	BIO *bio;

	if (t == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a TLS connection");
		return NULL;
	}
	t->fd = fd;
	t->shared = shared;
	shared->users++;
	if ((t->ssl = SSL_new(shared->ctx)) == NULL ||
	    (bio = BIO_new(shared->method)) == NULL) {
		(void)ossl_fault(f, FAULT_MEMORY, "a TLS connection");
		tls_free(t);
		return NULL;
	}
	BIO_set_data(bio, t);
	SSL_set_bio(t->ssl, bio, bio);
	(void)SSL_set_app_data(t->ssl, t);
	/* The last message is the end: PROTOCOL 1 on close_notify. */
	SSL_set_quiet_shutdown(t->ssl, 1);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	connection_let_go(t);
	SSL_free(t->ssl);
	context_drop(t->shared);
	free(t);
}

void
connection_let_go(struct tls *t)
{
	t->shared->held -= t->held.size;
	buf_free(&t->held);
	t->held_sent = 0;
}

struct tls *
tls_accept(struct tls_server *server, int fd, struct fault *f)
{
	struct tls *t = connection_new(server, fd, f);

	if (t != NULL)
		SSL_set_accept_state(t->ssl);
	return t;
}

void
tls_judge(struct tls *t, tls_judge_fn *judge, void *arg)
{
	t->judge = judge;
	t->judge_arg = arg;
}

static X509 *
from_cert(const struct cert *cert)
{
	const uint8_t *der = cert->der;

	return d2i_X509(NULL, &der, (long)cert->len);
}

/* What the client shows: its leaf and what is between it and a root. */
static int
show_credential(struct tls_server *shared, const struct credential *c,
    struct fault *f)
{
	OWN(x509_stack) above = sk_X509_new_null();
	OWN(X509) leaf = NULL;

	if (c->chain.count == 0 || c->key == NULL)
		return fault_set(f, FAULT_ABSENT,
		    "a credential without certificate or key cannot be shown");
	leaf = from_cert(c->chain.cert[0]);
	for (size_t i = 1; above != NULL && i < c->chain.count; i++) {
		X509 *cert = from_cert(c->chain.cert[i]);

		if (cert == NULL || sk_X509_push(above, cert) == 0) {
			X509_free(cert);
			return ossl_fault(f, FAULT_INPUT,
			    "TLS cannot use certificate %zu of the chain", i);
		}
	}
	if (leaf == NULL || above == NULL)
		return ossl_fault(f, FAULT_INPUT,
		    "TLS cannot use the certificate");
	return context_show(shared, leaf, key_pkey(c->key), above, f);
}

static bool
is_address(const char *host)
{
	uint8_t address[16];

	return inet_pton(AF_INET, host, address) == 1 ||
	    inet_pton(AF_INET6, host, address) == 1;
}

/* RFC 6066 section 3: names only, never addresses. */
static int
name_server(SSL *ssl, const char *host, struct fault *f)
{
	char name[NAME_SIZE];

	if (is_address(host))
		return 0;
	if (text_copy(name, sizeof(name), host) < 0 ||
	    SSL_set_tlsext_host_name(ssl, name) != 1)
		return ossl_fault(f, FAULT_INPUT, "server name \"%s\"", host);
	return 0;
}

struct tls *
tls_connect(int fd, const struct credential *credential, const char *host,
    struct fault *f)
{
	OWN_STRUCT(tls_server) shared =
	    context_new(TLS_client_method(), NULL, f);
	OWN_STRUCT(tls) t = NULL;

	if (shared == NULL)
		return NULL;
	if (credential != NULL && show_credential(shared, credential, f) < 0)
		return NULL;
	if ((t = connection_new(shared, fd, f)) == NULL)
		return NULL;
	if (host != NULL && name_server(t->ssl, host, f) < 0)
		return NULL;
	SSL_set_connect_state(t->ssl);
	return TAKE(t);
}

/* An alert about our certificate: certificate alerts are 42 to 46, unknown_ca
 * 48, access_denied 49, certificate_required 116 (RFC 8446 section 6). */
static bool
is_certificate_alert(int reason)
{
	int alert = reason - SSL_AD_REASON_OFFSET;

	return (alert >= 42 && alert <= 46) || alert == 48 || alert == 49 ||
	    alert == 116;
}

static enum tls_result
failed(struct tls *t, const char *doing, struct fault *f)
{
	int reason = ERR_GET_REASON(ERR_peek_error());

	if (t->refused) {
		ERR_clear_error();
		*f = t->why;
	} else if (is_certificate_alert(reason)) {
		(void)ossl_fault(f, FAULT_UNTRUSTED,
		    "the other end refuses our certificate");
	} else {
		(void)ossl_fault(f, FAULT_INPUT, "TLS %s", doing);
	}
	return TLS_FAILED;
}

/* What ${ret} of the last call of libssl means. */
static enum tls_result
result_of(struct tls *t, int ret, const char *doing, struct fault *f)
{
	int error = SSL_get_error(t->ssl, ret);

	if (error == SSL_ERROR_WANT_READ)
		return TLS_WANT_READ;
	if (error == SSL_ERROR_WANT_WRITE)
		return TLS_WANT_WRITE;
	if (error == SSL_ERROR_ZERO_RETURN || t->eof ||
	    t->sys_errno == ECONNRESET || t->sys_errno == EPIPE) {
		ERR_clear_error();
		return TLS_CLOSED;
	}
	if (t->sys_errno != 0) {
		ERR_clear_error();
		(void)fault_set(f, FAULT_SYSTEM, "TLS %s: %s", doing,
		    strerror(t->sys_errno));
		return TLS_FAILED;
	}
	return failed(t, doing, f);
}

enum tls_result
tls_handshake(struct tls *t, struct fault *f)
{
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(t->ssl);
	return ret == 1 ? TLS_DONE : result_of(t, ret, "handshake", f);
}

enum tls_result
tls_read(struct tls *t, void *data, size_t size, size_t *got, struct fault *f)
{
	int ret;

	*got = 0;
	ERR_clear_error();
	ret = SSL_read_ex(t->ssl, data, size, got);
	return ret == 1 ? TLS_DONE : result_of(t, ret, "reading", f);
}

/*
 * PROTOCOL 2: the stock client takes a message to be at its end when nothing
 * more of it is there at once.  So a message of several records is made whole
 * before the first byte of it goes, as the stock server does; unless so many
 * clients are slow to read theirs that it would cost too much memory.
 */
static void
hold(struct tls *t, size_t len)
{
	size_t size = len + (len / RECORD_MAX + 1) * RECORD_OVERHEAD;

	if (len <= RECORD_MAX || t->shared->held + 2 * size > HELD_MAX)
		return;
	t->held = BUF(size);
	t->holding = buf_room(&t->held, size) != NULL;
	t->shared->held += t->held.size;
}

enum tls_result
tls_write(struct tls *t, const void *data, size_t len, struct fault *f)
{
	size_t put;
	int ret;

	if (len == 0)
		return TLS_DONE;
	if (t->held.len > 0)
		return socket_send_held(t, f);
	ERR_clear_error();
	hold(t, len);
	ret = SSL_write_ex(t->ssl, data, len, &put);
	t->holding = false;
	if (ret != 1)
		return result_of(t, ret, "writing", f);
	return socket_send_held(t, f);
}

int
tls_wait(const struct tls *t, enum tls_result want, int64_t deadline,
    struct fault *f)
{
	struct pollfd pfd = { .fd = t->fd,
		.events = want == TLS_WANT_WRITE ? POLLOUT : POLLIN };

	for (;;) {
		int64_t left = deadline - clock_mono();
		int n;

		if (left <= 0)
			return fault_set(f, FAULT_UNREACHABLE,
			    "the other end did not answer in time");
		n = poll(&pfd, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return fault_set(f, FAULT_SYSTEM, "poll: %s",
			    strerror(errno));
	}
}

bool
tls_is_13(const struct tls *t)
{
	return SSL_version(t->ssl) == TLS1_3_VERSION;
}

bool
tls_pending(const struct tls *t)
{
	return SSL_has_pending(t->ssl) == 1;
}

void
tls_more(struct tls *t, bool more)
{
	t->more = more;
}

int
tls_peer_chain(const struct tls *t, struct cert_list *chain, struct fault *f)
{
	OWN(x509_stack) all = sk_X509_new_null();
	/* libssl leaves the leaf out of the list at a server's end. */
	STACK_OF(X509) *listed = SSL_get_peer_cert_chain(t->ssl);
	X509 *leaf = SSL_get0_peer_certificate(t->ssl);

	chain->count = 0;
	if (leaf == NULL)
		return 0;
	if (all == NULL)
		return ossl_fault(f, FAULT_MEMORY, "a peer's chain");
	if (X509_add_cert(all, leaf, X509_ADD_FLAG_UP_REF) != 1 ||
	    (listed != NULL &&
		X509_add_certs(all, listed,
		    X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) != 1))
		return ossl_fault(f, FAULT_MEMORY, "a peer's chain");
	return chain_read(all, chain, f);
}
