/*
 * loadgen: how many logons a MyProxy server gives, and how long each takes.
 *
 * N processes each connect, authenticate (by pass phrase or by Kerberos), send
 * the same ready-made request and read the certificate, again and again for
 * some seconds.  With -i or -S the same program holds idle or slow
 * connections instead.  Prints one JSON object.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "krb/krb_gss.h"

#include <openssl/ssl.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX 200000
#define REPLY_MAX 65536

struct wish {
	uint16_t port;
	int clients;
	int seconds;
	const char *user;
	const char *phrase; /* NULL: Kerberos */
	const char *host;   /* of the Kerberos service */
	bool tls12;
	int idle; /* connections to hold instead */
	int slow;
	bool handshake; /* idle ones do the TLS handshake first */
	uint8_t csr[16384];
	size_t csr_len;
};

struct shared {
	_Atomic unsigned count;
	_Atomic unsigned errors;
	_Atomic int held;
	double ms[SAMPLES_MAX];
};

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int
dial(const struct wish *w)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(w->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Handshake, the server's 0x00 in TLS 1.3, and our '0'. */
static SSL *
greet(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);
	char zero = 0;

	if (ssl == NULL)
		return NULL;
	if (SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1 &&
	    (SSL_version(ssl) < TLS1_3_VERSION ||
		SSL_read(ssl, &zero, 1) == 1) &&
	    zero == 0 && SSL_write(ssl, "0", 1) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

/* A text message up to its NUL; its RESPONSE number or -1. */
static int
read_answer(SSL *ssl, char *text, size_t size)
{
	size_t have = 0;
	const char *at;

	for (;;) {
		int got = SSL_read(ssl, text + have, (int)(size - 1 - have));

		if (got <= 0)
			return -1;
		have += (size_t)got;
		text[have] = '\0';
		if (memchr(text, '\0', have) != NULL)
			break;
	}
	at = strstr(text, "RESPONSE=");
	return at == NULL ? -1 : at[9] - '0';
}

/* The base64 data of a SASL line, decoded into ${token}. */
static int
sasl_data(const char *text, uint8_t *token, size_t size)
{
	const char *at = strstr(text, "AUTHORIZATION_DATA=SASL:");
	size_t len;

	if (at == NULL)
		return -1;
	at += strlen("AUTHORIZATION_DATA=SASL:");
	len = strcspn(at, "\n");
	return text_unbase64(at, len, token, size);
}

static bool
send_sasl(SSL *ssl, const void *token, size_t len)
{
	static const uint8_t method[4] = { 3, 0, 0, 0 };
	static uint8_t message[4 + TEXT_BASE64_SIZE(REPLY_MAX)];

	memcpy(message, method, sizeof(method));
	text_base64(token, len, (char *)message + 4);
	return SSL_write(ssl, message,
		   (int)(4 + strlen((char *)message + 4) + 1)) > 0;
}

static bool
kerberos(SSL *ssl, const struct wish *w, char *text)
{
	static const uint8_t hello[5] = { 3, 0, 0, 0, 0 };
	static uint8_t in[REPLY_MAX];
	OWN_BUF(out, REPLY_MAX);
	struct fault f = { 0 };
	OWN_STRUCT(krb_gss) g = krb_gss_initiate(w->host, w->user, &f);
	int answer = 2, len = 0;
	bool first = true;

	if (g == NULL || SSL_write(ssl, hello, sizeof(hello)) <= 0 ||
	    (answer = read_answer(ssl, text, REPLY_MAX)) != 2)
		return false;
	while (answer == 2) {
		if (!first && (len = sasl_data(text, in, sizeof(in))) < 0)
			return false;
		buf_clear(&out);
		if (first)
			buf_put(&out, "GSSAPI", 7);
		if (krb_gss_step(g, (struct wire_bytes){ in, (size_t)len },
			&out, &f) == KRB_FAILED ||
		    !send_sasl(ssl, out.data, out.len))
			return false;
		first = false;
		answer = read_answer(ssl, text, REPLY_MAX);
	}
	return answer == 0;
}

static bool
converse(SSL *ssl, const struct wish *w)
{
	static char text[REPLY_MAX];
	int len = snprintf(text, sizeof(text),
	    "VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=%s\nPASSPHRASE=%s\n"
	    "LIFETIME=43200\n",
	    w->user, w->phrase == NULL ? "" : w->phrase);
	int answer, got;

	if (SSL_write(ssl, text, len + 1) <= 0)
		return false;
	answer = read_answer(ssl, text, sizeof(text));
	if (w->phrase == NULL && answer == 2)
		answer = kerberos(ssl, w, text) ? 0 : 1;
	if (answer != 0) {
		fprintf(stderr, "loadgen: %s\n", text);
		return false;
	}
	if (SSL_write(ssl, w->csr, (int)w->csr_len) <= 0)
		return false;
	got = SSL_read(ssl, text, sizeof(text) - 1);
	/* A count, then a DER SEQUENCE; an error would begin with 'V'. */
	if (got < 100 || text[0] < 1 || text[0] > 9 || text[1] != 0x30) {
		fprintf(stderr, "loadgen: no certificate: %.*s\n",
		    got > 0 ? got : 0, text);
		return false;
	}
	/* The last word, which real clients wait for. */
	return read_answer(ssl, text, sizeof(text)) == 0;
}

static bool
logon(SSL_CTX *ctx, const struct wish *w)
{
	int fd = dial(w);
	SSL *ssl = fd < 0 ? NULL : greet(ctx, fd);
	bool done = ssl != NULL && converse(ssl, w);

	SSL_free(ssl);
	if (fd >= 0)
		(void)close(fd);
	return done;
}

static SSL_CTX *
new_context(const struct wish *w)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		return NULL;
	(void)SSL_CTX_set_max_proto_version(ctx,
	    w->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	return ctx;
}

static void
work(const struct wish *w, struct shared *s, double end)
{
	SSL_CTX *ctx = new_context(w);

	while (ctx != NULL && now_ms() < end) {
		double began = now_ms();

		if (!logon(ctx, w)) {
			s->errors++;
			if (s->errors > 1000)
				break;
			continue;
		}
		unsigned n = s->count++;

		if (n < SAMPLES_MAX)
			s->ms[n] = now_ms() - began;
	}
	SSL_CTX_free(ctx);
}

/* Open ${n} connections and keep them until the time is over; slow ones send
 * a byte of a request every half second. */
static void
hold(const struct wish *w, struct shared *s, int n, bool slow, double end)
{
	SSL_CTX *ctx = new_context(w);
	SSL **ssl = calloc((size_t)n, sizeof(*ssl));
	int *fd = calloc((size_t)n, sizeof(*fd));

	if (ctx == NULL || ssl == NULL || fd == NULL)
		return;
	for (int i = 0; i < n; i++) {
		fd[i] = dial(w);
		if (fd[i] >= 0 && (slow || w->handshake))
			ssl[i] = greet(ctx, fd[i]);
		if (fd[i] < 0 || ((slow || w->handshake) && ssl[i] == NULL))
			s->errors++;
		else
			s->held++;
	}
	while (now_ms() < end) {
		struct timespec pause = { 0, 500000000 };

		(void)nanosleep(&pause, NULL);
		for (int i = 0; slow && i < n; i++)
			if (ssl[i] != NULL && SSL_write(ssl[i], "V", 1) <= 0)
				s->errors++;
	}
	for (int i = 0; i < n; i++) {
		SSL_free(ssl[i]);
		if (fd[i] >= 0)
			(void)close(fd[i]);
	}
	free(ssl);
	free(fd);
	SSL_CTX_free(ctx);
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
percentile(const struct shared *s, unsigned n, double p)
{
	size_t at = n == 0 ? 0 : (size_t)(p * (double)(n - 1));

	return n == 0 ? 0 : s->ms[at];
}

static int
read_options(int argc, char **argv, struct wish *w)
{
	struct fault f = { 0 };
	OWN_BUF(csr, sizeof(w->csr));
	const char *csr_path = NULL;
	int64_t number = 0;
	int option;

	while ((option = getopt(argc, argv, "p:c:s:u:w:k:q:i:S:H2")) != -1) {
		if (strchr("pcsiS", option) != NULL &&
		    text_number(optarg, 0, 65535, &number) < 0)
			return -1;
		switch (option) {
		case 'p':
			w->port = (uint16_t)number;
			break;
		case 'c':
			w->clients = (int)number;
			break;
		case 's':
			w->seconds = (int)number;
			break;
		case 'i':
			w->idle = (int)number;
			break;
		case 'S':
			w->slow = (int)number;
			break;
		case 'u':
			w->user = optarg;
			break;
		case 'w':
			w->phrase = optarg;
			break;
		case 'k':
			w->host = optarg;
			break;
		case 'q':
			csr_path = optarg;
			break;
		case 'H':
			w->handshake = true;
			break;
		case '2':
			w->tls12 = true;
			break;
		default:
			return -1;
		}
	}
	if (w->idle + w->slow > 0)
		return 0;
	if (csr_path == NULL || file_read(csr_path, &csr, &f) < 0) {
		fprintf(stderr, "loadgen: %s\n", f.text);
		return -1;
	}
	memcpy(w->csr, csr.data, csr.len);
	w->csr_len = csr.len;
	return 0;
}

int
main(int argc, char **argv)
{
	static struct wish w = { .clients = 1, .seconds = 5, .user = "user0" };
	struct shared *s;
	double began, end, seconds;
	unsigned n;

	if (read_options(argc, argv, &w) < 0) {
		fprintf(stderr,
		    "usage: loadgen -p port -q csr.der [-c clients] [-s "
		    "seconds]"
		    " [-u user] [-w phrase | -k host] [-2]\n"
		    "       loadgen -p port -i idle|-S slow [-H] [-s "
		    "seconds]\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return 1;
	began = now_ms();
	end = began + w.seconds * 1e3;
	if (w.idle + w.slow > 0) {
		hold(&w, s, w.idle > 0 ? w.idle : w.slow, w.slow > 0, end);
		printf("{\"held\": %d, \"errors\": %u}\n", s->held, s->errors);
		return 0;
	}
	for (int i = 0; i < w.clients; i++)
		if (fork() == 0) {
			work(&w, s, end);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	seconds = (now_ms() - began) / 1e3;
	n = s->count < SAMPLES_MAX ? s->count : SAMPLES_MAX;
	qsort(s->ms, n, sizeof(s->ms[0]), by_size);
	printf("{\"logons\": %u, \"errors\": %u, \"seconds\": %.3f, "
	       "\"per_second\": %.1f, \"p50\": %.2f, \"p90\": %.2f, "
	       "\"p99\": %.2f, \"max\": %.2f}\n",
	    s->count, s->errors, seconds, s->count / seconds,
	    percentile(s, n, 0.5), percentile(s, n, 0.9),
	    percentile(s, n, 0.99), percentile(s, n, 1.0));
	return s->count > 0 ? 0 : 1;
}
