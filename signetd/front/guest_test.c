#include "signetd/front/guest.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "base/unit.h"
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

void
house_left(struct house *house)
{
	door_resume(house->door);
}

/* Auth says yes to everybody, and the issuer signs everything. */
static void
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

static int
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

static struct reply *
no_roots(void *arg)
{
	(void)arg;
	return NULL;
}

static void
served(void *arg)
{
	struct stage *s = arg;

	s->role.served++;
}

static void
somebody(void *arg, int fd, const struct sockaddr *from)
{
	struct stage *s = arg;
	struct fault f = { 0 };

	if (guest_enter(&s->house, fd, from, &f) < 0)
		(void)close(fd);
}

static void
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

static void
stop(void *arg)
{
	struct stage *s = arg;

	loop_stop(s->role.loop);
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

static void
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

static int
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

static void
send_away(void *arg, void *guest)
{
	(void)arg;
	guest_dismiss(guest, true);
}

static int
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
	loop_free(s->role.loop);
	crowd_free(s->house.crowd);
	roots_free(s->house.roots);
	tls_server_free(s->house.tls);
	free(s->key_pem);
	free(s->cert_pem);
	free(s);
	return 0;
}

/* A client's means: each ends his process if it is disappointed. */

static void
content(bool is_so, int line)
{
	if (!is_so) {
		(void)fprintf(stderr, "client: line %d\n", line);
		_exit(1);
	}
}
#define CONTENT(is_so) content((is_so), __LINE__)

static int
come(uint16_t port)
{
	struct fault f = { 0 };
	int fd = net_connect("127.0.0.1", port, LONGEST_MS, &f);

	CONTENT(fd >= 0);
	return fd;
}

static void
wait_for(struct tls *t, enum tls_result r)
{
	struct fault f = { 0 };

	CONTENT(r == TLS_WANT_READ || r == TLS_WANT_WRITE);
	CONTENT(tls_wait(t, r, clock_mono() + LONGEST_MS, &f) == 0);
}

static struct tls *
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

static struct tls *
greet(int fd)
{
	return greet_with(fd, NULL);
}

static void
tell(struct tls *t, const void *data, size_t len)
{
	struct fault f = { 0 };
	enum tls_result r;

	while ((r = tls_write(t, data, len, &f)) != TLS_DONE)
		wait_for(t, r);
}

/* The next record, which must be this. */
static void
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

static void
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

static void
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
static void
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
