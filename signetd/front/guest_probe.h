#ifndef FRONT_GUEST_PROBE_H
#define FRONT_GUEST_PROBE_H

/*
 * For tests of guests: a house on a free port, whose auth and issuer are
 * played, and what a client of it does and expects.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "base/unit.h"
#include "signetd/front/guest.h"
#include "signetd/front/house.h"
#include "sys/net.h"
#include "x509/own_ssl.h"

#include <openssl/pem.h>

#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUEST                                                     \
	"VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=alice\nPASSPHRASE=" \
	"secret123\nLIFETIME=0\n"
#define OK "VERSION=MYPROXYv2\nRESPONSE=0\n"
#define LONGEST_MS 10000

/* DER as far as it is looked at. */
static const uint8_t csr[] = { 0x30, 0x03, 0x02, 0x01, 0x2a };
static const uint8_t leaf[] = { 0x30, 0x12, 0x30, 0x10, 0x02, 0x01, 0x01, 0x30,
	0x00, 0x30, 0x03, 0x02, 0x01, 0x01, 0x30, 0x00, 0x30, 0x02, 0x05,
	0x00 };

/*
 * A house on a free port, whose auth and issuer are played, and a client in a
 * process of his own: his exit status says whether he was content.
 */
struct stage {
	struct role role;
	struct house house;
	char *key_pem, *cert_pem;
	struct loop_timer *answer;
	enum msg_type heard;
	uint32_t connection;
	bool gone;  /* AUTH_GONE was said */
	bool mute;  /* auth does not answer */
	bool named; /* the client has an identity in TLS */
	pid_t client;
	int status;
	struct loop_signal *child;
	struct loop_timer *end;
};

/* Auth says yes to everybody, and the issuer signs everything. */
static inline void
answer(void *arg)
{
	static const uint8_t ticket[16];
	struct stage *s = arg;
	struct guest *guest = crowd_find(s->house.crowd, s->connection);
	struct msg m = { .type = MSG_SIGN_DONE };

	if (guest == NULL)
		return;
	if (s->heard == MSG_AUTH_ASK) {
		m.type = MSG_AUTH_YES;
		m.auth_yes.ticket =
		    (struct wire_bytes){ ticket, sizeof(ticket) };
	} else {
		m.sign_done.certificate =
		    (struct wire_bytes){ leaf, sizeof(leaf) };
	}
	guest_heard(guest, &m);
}

static inline int
say(void *arg, const struct msg *m, struct fault *f)
{
	struct stage *s = arg;

	(void)f;
	s->heard = m->type;
	if (m->type == MSG_AUTH_ASK) {
		s->connection = m->auth_ask.connection;
		s->named = m->auth_ask.tls_identity[0] != '\0';
	}
	if (m->type == MSG_AUTH_GONE)
		s->gone = true;
	else if (!s->mute)
		loop_timer_set(s->answer, 0);
	return 0;
}

static inline struct reply *
no_roots(void *arg)
{
	(void)arg;
	return NULL;
}

static inline void
served(void *arg)
{
	struct stage *s = arg;

	s->role.served++;
}

static inline void
somebody(void *arg, int fd, const struct sockaddr *from)
{
	struct stage *s = arg;
	struct fault f = { 0 };

	if (guest_enter(&s->house, fd, from, &f) < 0)
		(void)close(fd);
}

static inline void
client_ended(void *arg, int signo)
{
	struct stage *s = arg;

	(void)signo;
	if (waitpid(s->client, &s->status, WNOHANG) == s->client) {
		s->client = 0;
		/* What he leaves behind is still to be seen. */
		loop_timer_set(s->end, 20);
	}
}

static inline void
stop(void *arg)
{
	struct stage *s = arg;

	loop_stop(s->role.loop);
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

static inline void
make_identity(struct stage *s)
{
	OWN(EVP_PKEY) key = EVP_EC_gen("P-256");
	OWN(X509) cert = X509_new();
	BIO *key_out = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)"host", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(out, cert), 1);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(key_out, key, NULL, NULL,
			     0, NULL, NULL),
	    1);
	s->cert_pem = text_of(out);
	s->key_pem = text_of(key_out);
}

static inline int
build_stage(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct house *h = &s->house;
	struct tls_identity id;
	struct fault f = { 0 };

	make_identity(s);
	id.key_pem =
	    (struct wire_bytes){ (uint8_t *)s->key_pem, strlen(s->key_pem) };
	id.chain_pem =
	    (struct wire_bytes){ (uint8_t *)s->cert_pem, strlen(s->cert_pem) };
	s->role.loop = loop_new(&f);
	s->role.conf.handshake_timeout = 30;
	s->role.conf.request_timeout = 60;
	h->role = &s->role;
	h->visits = (struct visit_house){ s, say, no_roots, served };
	h->crowd = crowd_new(100, 100, &f);
	h->roots = roots_new("/no/such/folder", false, &f);
	h->tls = tls_server_new(&id, 1, NULL, &f);
	h->door = door_new(s->role.loop, somebody, s, &f);
	s->answer = loop_timer_new(s->role.loop, answer, s, &f);
	s->end = loop_timer_new(s->role.loop, stop, s, &f);
	s->child = loop_signal_new(s->role.loop, SIGCHLD, client_ended, s, &f);
	assert_true(h->crowd != NULL && h->roots != NULL && h->tls != NULL &&
	    h->door != NULL && s->answer != NULL && s->end != NULL &&
	    s->child != NULL);
	*state = s;
	return 0;
}

static inline void
send_away(void *arg, void *guest)
{
	(void)arg;
	guest_dismiss(guest, true);
}

static inline int
raze_stage(void **state)
{
	struct stage *s = *state;

	/* Twice: who was told first is seen off then. */
	for (int i = 0; i < 2; i++)
		crowd_each(s->house.crowd, send_away, NULL);
	door_free(s->house.door);
	loop_timer_free(s->answer);
	loop_timer_free(s->end);
	loop_signal_free(s->child);
	roots_free(s->house.roots);
	loop_free(s->role.loop);
	crowd_free(s->house.crowd);
	tls_server_free(s->house.tls);
	free(s->key_pem);
	free(s->cert_pem);
	free(s);
	return 0;
}

/* A client's means: each ends his process if it is disappointed. */

static inline void
content(bool is_so, int line)
{
	if (!is_so) {
		(void)fprintf(stderr, "client: line %d\n", line);
		_exit(1);
	}
}
#define CONTENT(is_so) content((is_so), __LINE__)

static inline int
come(uint16_t port)
{
	struct fault f = { 0 };
	int fd = net_connect("127.0.0.1", port, LONGEST_MS, &f);

	CONTENT(fd >= 0);
	return fd;
}

static inline void
wait_for(struct tls *t, enum tls_result r)
{
	struct fault f = { 0 };

	CONTENT(r == TLS_WANT_READ || r == TLS_WANT_WRITE);
	CONTENT(tls_wait(t, r, clock_mono() + LONGEST_MS, &f) == 0);
}

static inline struct tls *
greet_with(int fd, const struct credential *credential)
{
	struct fault f = { 0 };
	struct tls *t = tls_connect(fd, credential, NULL, &f);
	enum tls_result r;

	CONTENT(t != NULL);
	while ((r = tls_handshake(t, &f)) != TLS_DONE)
		wait_for(t, r);
	return t;
}

static inline struct tls *
greet(int fd)
{
	return greet_with(fd, NULL);
}

static inline void
tell(struct tls *t, const void *data, size_t len)
{
	struct fault f = { 0 };
	enum tls_result r;

	while ((r = tls_write(t, data, len, &f)) != TLS_DONE)
		wait_for(t, r);
}

/* The next record, which must be this. */
static inline void
hear(struct tls *t, const void *data, size_t len)
{
	struct fault f = { 0 };
	char record[16384];
	enum tls_result r;
	size_t got;

	while ((r = tls_read(t, record, sizeof(record), &got, &f)) != TLS_DONE)
		wait_for(t, r);
	CONTENT(got == len && memcmp(record, data, len) == 0);
}

static inline void
hear_beginning(struct tls *t, const char *text)
{
	struct fault f = { 0 };
	char record[16384];
	enum tls_result r;
	size_t got;

	while ((r = tls_read(t, record, sizeof(record), &got, &f)) != TLS_DONE)
		wait_for(t, r);
	CONTENT(got > strlen(text) && memcmp(record, text, strlen(text)) == 0);
}

static inline void
hear_end(struct tls *t)
{
	struct fault f = { 0 };
	enum tls_result r;
	char byte;
	size_t got;

	while ((r = tls_read(t, &byte, 1, &got, &f)) != TLS_CLOSED)
		wait_for(t, r);
}

typedef void client_fn(uint16_t port);

/* Let ${client} come, and serve him until he has ended. */
static inline void
play(struct stage *s, client_fn *client)
{
	struct fault f = { 0 };
	int fd = net_listen("127.0.0.1:0", &f);
	int port = net_port(fd);

	assert_true(fd >= 0 && port > 0);
	assert_int_equal(door_add(s->house.door, fd, &f), 0);
	if ((s->client = fork()) == 0) {
		(void)alarm(20);
		client((uint16_t)port);
		_exit(0);
	}
	assert_true(s->client > 0);
	/* A test that hangs is one that fails. */
	loop_timer_set(s->end, 2 * LONGEST_MS);
	assert_int_equal(loop_run(s->role.loop, &f), 0);
	assert_int_equal(s->client, 0);
	assert_true(WIFEXITED(s->status));
	assert_int_equal(WEXITSTATUS(s->status), 0);
}

#endif
