#ifndef MYPROXY_MYPROXY_PEER_PROBE_H
#define MYPROXY_MYPROXY_PEER_PROBE_H

/*
 * For tests: a MyProxy server in a child process that follows a script, one
 * connection after another, and hands what it received to the test.
 */
#include "base/clock.h"
#include "base/file.h"
#include "myproxy/myproxy_client.h"
#include "myproxy/myproxy_text.h"
#include "sys/net.h"
#include "tls/tls.h"
#include "trust/pki_probe.h"
#include "x509/csr.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <signal.h>

#define PEER_OK "VERSION=MYPROXYv2\nRESPONSE=0\n\0"
#define PEER_PATIENCE 20000

enum peer_act {
	PEER_END,	/* close */
	PEER_SEND,	/* ${data} */
	PEER_REQUEST,	/* read until a NUL has come */
	PEER_BYTES,	/* read ${len} bytes */
	PEER_CSR,	/* read a request */
	PEER_CERTIFY,	/* send the certificate for it */
	PEER_CERTIFY_ME /* send one for a key of our own */
};

struct peer_step {
	enum peer_act act;
	const char *data;
	size_t len;
};

#define PEER_TEXT(text)                           \
	{                                         \
		PEER_SEND, text, sizeof(text) - 1 \
	}

struct peer {
	struct pki pki;
	pid_t pid;
	int fd;	  /* listens */
	int seen; /* what came, to be read */
	uint16_t port;
	size_t piece; /* bytes a record; 0: all */
};

/* What the child does; all of it asserts by exit status. */

static void
peer_need(bool good)
{
	if (!good)
		_exit(1);
}

static struct tls_server *
peer_identity(const struct peer *p)
{
	OWN_BUF(chain, 65536);
	BIO *bio = BIO_new(BIO_s_mem());
	struct tls_identity id;
	struct tls_server *server;
	struct fault f;
	char *key;

	for (int i = EEC; i >= ROOT; i--) {
		OWN(BIO) one = BIO_new(BIO_s_mem());
		char *text;
		long len;

		peer_need(PEM_write_bio_X509(one, p->pki.cert[i]) == 1);
		len = BIO_get_mem_data(one, &text);
		buf_put(&chain, text, (size_t)len);
	}
	peer_need(PEM_write_bio_PrivateKey(bio, p->pki.key[EEC], NULL, NULL, 0,
		      NULL, NULL) == 1);
	id.key_pem.len = (size_t)BIO_get_mem_data(bio, &key);
	id.key_pem.data = (uint8_t *)key;
	id.chain_pem = (struct wire_bytes){ chain.data, chain.len };
	server = tls_server_new(&id, 1, NULL, &f);
	peer_need(server != NULL);
	BIO_free(bio);
	return server;
}

/* Make ${call} until it is neither WANT_READ nor WANT_WRITE. */
#define PEER_UNTIL_DONE(t, call)                                            \
	__extension__({                                                     \
		struct fault why;                                           \
		enum tls_result done;                                       \
		while ((done = (call)) == TLS_WANT_READ ||                  \
		    done == TLS_WANT_WRITE)                                 \
			if (tls_wait(t, done, clock_mono() + PEER_PATIENCE, \
				&why) < 0)                                  \
				_exit(1);                                   \
		done;                                                       \
	})

static void
peer_send(const struct peer *p, struct tls *t, const void *data, size_t len)
{
	const uint8_t *at = data;
	struct fault f;

	while (len > 0) {
		size_t n = p->piece > 0 && p->piece < len ? p->piece : len;

		if (PEER_UNTIL_DONE(t, tls_write(t, at, n, &f)) != TLS_DONE)
			return;
		at += n;
		len -= n;
	}
}

/* Read until ${enough} is satisfied; false if the client has gone. */
static bool
peer_read(struct tls *t, struct buf *in, int seen, size_t bytes)
{
	struct fault f;

	for (;;) {
		uint8_t data[4096];
		size_t got;

		if (bytes > 0
			? in->len >= bytes
			: in->len > 0 && memchr(in->data, 0, in->len) != NULL)
			return true;
		if (PEER_UNTIL_DONE(t,
			tls_read(t, data, sizeof(data), &got, &f)) != TLS_DONE)
			return false;
		buf_put(in, data, got);
		peer_need(write(seen, data, got) == (ssize_t)got);
	}
}

static void
peer_certify(const struct peer *p, struct tls *t, struct wire_bytes der,
    bool mine)
{
	struct pki_spec spec = p->pki.spec[EEC];
	struct csr csr;
	struct fault f;
	const uint8_t *at;
	OWN(EVP_PKEY) key = NULL;
	OWN(X509) x = NULL;
	OWN_BUF(out, 65536);
	unsigned char *leaf = NULL;
	int len;

	peer_need(csr_read(&csr, der, &f) == 0);
	at = csr.spki.der.data;
	key = d2i_PUBKEY(NULL, &at, (long)csr.spki.der.len);
	peer_need(key != NULL);
	spec.subject = PKI_PERSON;
	x = pki_cert(&spec, mine ? p->pki.key[EEC] : key, p->pki.cert[SUB],
	    p->pki.key[SUB]);
	len = i2d_X509(x, &leaf);
	buf_put_u8(&out, 1);
	buf_put(&out, leaf, (size_t)len);
	peer_send(p, t, out.data, out.len);
	OPENSSL_free(leaf);
}

static void
peer_follow(const struct peer *p, struct tls *t, const struct peer_step *step,
    int seen)
{
	OWN_BUF(in, 65536);
	OWN_BUF(csr, 65536);

	for (; step->act != PEER_END; step++) {
		long n;

		switch (step->act) {
		case PEER_END:
			return;
		case PEER_SEND:
			peer_send(p, t, step->data, step->len);
			break;
		case PEER_REQUEST:
			if (!peer_read(t, &in, seen, 0))
				return;
			buf_eat(&in,
			    (size_t)((uint8_t *)memchr(in.data, 0, in.len) -
				in.data) +
				1);
			break;
		case PEER_BYTES:
			if (!peer_read(t, &in, seen, step->len))
				return;
			buf_eat(&in, step->len);
			break;
		case PEER_CSR:
			if (!peer_read(t, &in, seen, 4))
				return;
			n = csr_length(in.data, in.len, CSR_MAX);
			peer_need(n > 0);
			if (!peer_read(t, &in, seen, (size_t)n))
				return;
			buf_clear(&csr);
			buf_put(&csr, in.data, (size_t)n);
			buf_eat(&in, (size_t)n);
			break;
		case PEER_CERTIFY:
		case PEER_CERTIFY_ME:
			peer_certify(p, t,
			    (struct wire_bytes){ csr.data, csr.len },
			    step->act == PEER_CERTIFY_ME);
			break;
		}
	}
}

_Noreturn static void
peer_serve(const struct peer *p, const struct peer_step *script, int seen)
{
	struct tls_server *server = peer_identity(p);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)fcntl(p->fd, F_SETFL, 0);
	for (;;) {
		int fd = accept(p->fd, NULL, NULL);
		struct fault f;
		struct tls *t;

		peer_need(fd >= 0);
		t = tls_accept(server, fd, &f);
		peer_need(t != NULL);
		if (PEER_UNTIL_DONE(t, tls_handshake(t, &f)) == TLS_DONE) {
			if (tls_is_13(t))
				peer_send(p, t, "", 1);
			peer_follow(p, t, script, seen);
		}
		tls_free(t);
		(void)close(fd);
	}
}

/* The PKI: a host "localhost", valid around now, and the trust directory. */
static void
peer_init(struct peer *p)
{
	long now = (long)(time(NULL) - PKI_NOW);

	memset(p, 0, sizeof(*p));
	pki_init(&p->pki);
	for (int i = 0; i < PKI_COUNT; i++) {
		p->pki.spec[i].begins = now - PKI_DAY;
		p->pki.spec[i].ends = now + PKI_DAY * (PKI_COUNT - i);
	}
	p->pki.spec[EEC].subject = PKI_BASE "/OU=People/CN=localhost";
	p->pki.spec[PROXY].subject = PKI_BASE "/CN=a";
	p->pki.spec[DEEPER].subject = PKI_BASE "/CN=b";
	pki_make(&p->pki);
	pki_dir(&p->pki);
}

static void
peer_start(struct peer *p, const struct peer_step *script)
{
	struct fault f;
	int ends[2];

	p->fd = net_listen("127.0.0.1:0", &f);
	assert_true(p->fd >= 0);
	p->port = (uint16_t)net_port(p->fd);
	assert_int_equal(pipe(ends), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		(void)close(ends[0]);
		peer_serve(p, script, ends[1]);
	}
	(void)close(ends[1]);
	(void)close(p->fd);
	p->seen = ends[0];
}

/* End the child; append all that it received to ${seen}. */
static void
peer_stop(struct peer *p, struct buf *seen)
{
	struct fault f;
	int status;

	assert_int_equal(kill(p->pid, SIGTERM), 0);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	/* It was asked to end: it did not fail before. */
	assert_true(WIFSIGNALED(status));
	assert_int_equal(file_read_fd(p->seen, "peer", seen, &f), 0);
	(void)close(p->seen);
}

static void
peer_free(struct peer *p)
{
	pki_remove(p->pki.dir);
	for (int i = 0; i < PKI_COUNT; i++) {
		EVP_PKEY_free(p->pki.key[i]);
		X509_free(p->pki.cert[i]);
	}
}

#endif
