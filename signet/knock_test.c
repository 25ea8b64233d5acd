#include "knock.h"

#include "base/fault.h"
#include "sys/net.h"
#include "trust/pki_probe.h"

#include <openssl/ssl.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>

#define SECONDS 20 /* a machine may be slow */

/* What the other end does with the one who knocks. */
enum manner {
	SHAKES,
	CLOSES,
	BABBLES
};

struct server {
	struct pki pki;
	int fd;
	uint16_t port;
	pid_t pid;
};

static void
serve_tls(const struct pki *p, int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	if (SSL_CTX_use_certificate(ctx, p->cert[EEC]) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, p->key[EEC]) != 1 ||
	    SSL_CTX_add1_chain_cert(ctx, p->cert[SUB]) != 1 ||
	    (ssl = SSL_new(ctx)) == NULL || SSL_set_fd(ssl, fd) != 1)
		_exit(1);
	(void)SSL_accept(ssl);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

/* In a process of its own: one visitor. */
static void
serve(const struct server *s, enum manner manner)
{
	static const char words[] = "220 this is no TLS at all\r\n";
	struct pollfd wait = { .fd = s->fd, .events = POLLIN };
	char heard[512];
	int fd;

	(void)alarm(SECONDS);
	/* Who knocks may be gone before the last message of the handshake. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (poll(&wait, 1, SECONDS * 1000) != 1 ||
	    (fd = accept(s->fd, NULL, NULL)) < 0)
		_exit(1);
	if (manner == SHAKES)
		serve_tls(&s->pki, fd);
	else if (read(fd, heard, sizeof(heard)) <= 0 ||
	    (manner == BABBLES && write(fd, words, sizeof(words) - 1) < 0))
		_exit(1);
	(void)close(fd);
	_exit(0);
}

static void
server_open(struct server *s)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	struct fault f = { 0 };

	s->fd = net_listen("127.0.0.1:0", &f);
	assert_true(s->fd >= 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
}

static void
server_start(struct server *s, enum manner manner)
{
	pki_init(&s->pki);
	pki_make(&s->pki);
	server_open(s);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		serve(s, manner);
}

static void
server_stop(struct server *s)
{
	int status;

	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_int_equal(status, 0);
	assert_int_equal(close(s->fd), 0);
	pki_free(&s->pki);
}

/* What the judge was shown, and whether he is content. */
struct bench {
	size_t count;
	char subject[DN_TEXT_MAX];
	bool content;
};

static int
judge(void *arg, const struct cert_list *chain, struct fault *f)
{
	struct bench *b = arg;

	b->count = chain->count;
	assert_int_equal(dn_show_slash(&chain->cert[0]->subject, b->subject,
			     sizeof(b->subject)),
	    0);
	return b->content ? 0 : fault_set(f, FAULT_UNTRUSTED, "not him");
}

static void
the_judge_is_shown_what_the_server_shows(void **state)
{
	struct bench b = { .content = true };
	struct server s = { 0 };
	struct fault f = { 0 };

	(void)state;
	server_start(&s, SHAKES);
	if (knock("127.0.0.1", s.port, SECONDS * 1000, judge, &b, &f) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(b.count, 2);
	assert_string_equal(b.subject, PKI_PERSON);
	server_stop(&s);
}

static void
what_the_judge_says_is_the_fault(void **state)
{
	struct bench b = { .content = false };
	struct server s = { 0 };
	struct fault f = { 0 };

	(void)state;
	server_start(&s, SHAKES);
	assert_int_equal(knock("127.0.0.1", s.port, SECONDS * 1000, judge, &b,
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	assert_non_null(strstr(f.text, "not him"));
	server_stop(&s);
}

static void
who_speaks_no_tls_shows_nobody_anything(void **state)
{
	static const enum manner manners[] = { CLOSES, BABBLES };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bench b = { .content = true };
		struct server s = { 0 };
		struct fault f = { 0 };

		server_start(&s, manners[i]);
		assert_int_equal(knock("127.0.0.1", s.port, SECONDS * 1000,
				     judge, &b, &f),
		    -1);
		assert_int_not_equal(f.code, FAULT_NONE);
		assert_true(f.text[0] != '\0');
		assert_int_equal(b.count, 0);
		server_stop(&s);
	}
}

static void
nobody_at_home_is_unreachable(void **state)
{
	struct bench b = { .content = true };
	struct server s = { 0 };
	struct fault f = { 0 };

	(void)state;
	server_open(&s);
	assert_int_equal(close(s.fd), 0);
	assert_int_equal(knock("127.0.0.1", s.port, SECONDS * 1000, judge, &b,
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
	assert_int_equal(b.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_judge_is_shown_what_the_server_shows),
		cmocka_unit_test(what_the_judge_says_is_the_fault),
		cmocka_unit_test(who_speaks_no_tls_shows_nobody_anything),
		cmocka_unit_test(nobody_at_home_is_unreachable),
	};

	return cmocka_run_group_tests_name("signet/knock", tests, NULL, NULL);
}
