/*
 * floor: what a logon must cost a server whatever its program: one TLS 1.3
 * handshake, the check of one request's signature, one signature of the CA,
 * one durable row of a ledger.  CPU milliseconds of this process for each, the
 * median of some rounds, as one JSON object.
 *
 * A server has clients, which here run beside it on the same processors: so
 * the handshakes are done over loopback with a client that is a process of its
 * own, and that client goes on computing while the other parts are measured.
 * "in_memory" is the handshake without a socket and without a client's load,
 * the least of the rounds: what the library can do at its best.
 *
 * "pam" is what one login costs in libpam, with a service that lets all in;
 * "pam_audit" the same with records for the kernel's audit log.
 *
 *   floor rsa|ec HOSTKEY.pem HOSTCHAIN.pem LEDGERFILE PAMDIR
 */
#include "signetd/pam/audit.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <security/pam_appl.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 5
#define TIMES 100
#define ROW_SIZE 1300 /* a certificate and who asked for it */

static double
cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
die(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

/* One handshake over memory; the server's share of the CPU. */
static double
handshake(SSL_CTX *server_ctx, SSL_CTX *client_ctx)
{
	SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
	BIO *a = NULL, *b = NULL;
	double spent = 0, began = cpu_ms();
	int done = 0;

	if (server == NULL || client == NULL ||
	    BIO_new_bio_pair(&a, 65536, &b, 65536) != 1)
		die("out of memory");
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	spent += cpu_ms() - began;
	while (done != 3) {
		if (SSL_connect(client) == 1)
			done |= 1;
		began = cpu_ms();
		if (SSL_accept(server) == 1)
			done |= 2;
		spent += cpu_ms() - began;
	}
	began = cpu_ms();
	SSL_free(server);
	spent += cpu_ms() - began;
	SSL_free(client);
	return spent;
}

static SSL_CTX *
server_context(const char *key, const char *chain)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_certificate_chain_file(ctx, chain) != 1)
		die("host key or chain");
	(void)SSL_CTX_set_num_tickets(ctx, 0);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

static SSL_CTX *
client_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		die("no context");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	return ctx;
}

static double
time_in_memory(const char *key, const char *chain)
{
	SSL_CTX *server = server_context(key, chain);
	SSL_CTX *client = client_context();
	double total = 0;

	for (int i = 0; i < TIMES; i++)
		total += handshake(server, client);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return total / TIMES;
}

/* A socket that listens on loopback; where. */
static int
listen_somewhere(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*at);

	memset(at, 0, sizeof(*at));
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)at, sizeof(*at)) < 0 ||
	    listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)at, &len) < 0)
		die("cannot listen");
	return fd;
}

/* One connection of ${ctx} over ${fd}, which is closed. */
static int
one_connection(SSL_CTX *ctx, int fd, int (*shake)(SSL *))
{
	const int yes = 1;
	SSL *ssl = SSL_new(ctx);
	char byte;
	int done;

	if (ssl == NULL || fd < 0)
		die("no connection");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	SSL_set_quiet_shutdown(ssl, 1);
	done = SSL_set_fd(ssl, fd) == 1 && shake(ssl) == 1;
	/* The server closes first; the client sees it. */
	if (done && shake == SSL_connect)
		(void)SSL_read(ssl, &byte, 1);
	SSL_free(ssl);
	(void)close(fd);
	return done;
}

/* The client: TIMES handshakes, and then work of the same kind. */
static void
be_client(const struct sockaddr_in *at)
{
	SSL_CTX *ctx = client_context();

	for (int i = 0; i < TIMES; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0)
			_exit(1);
		(void)one_connection(ctx, fd, SSL_connect);
	}
	for (;;)
		EVP_PKEY_free(EVP_EC_gen("P-256"));
}

/* CPU of this process for one handshake; ${client} goes on computing. */
static double
time_handshake(const char *key, const char *chain, pid_t *client)
{
	SSL_CTX *ctx = server_context(key, chain);
	struct sockaddr_in at;
	int fd = listen_somewhere(&at);
	double began;

	if ((*client = fork()) == 0)
		be_client(&at);
	if (*client < 0)
		die("cannot fork");
	began = cpu_ms();
	for (int i = 0; i < TIMES; i++)
		if (!one_connection(ctx, accept(fd, NULL, NULL), SSL_accept))
			die("no handshake");
	began = (cpu_ms() - began) / TIMES;
	(void)close(fd);
	SSL_CTX_free(ctx);
	return began;
}

static EVP_PKEY *
make_key(int rsa)
{
	EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");

	if (key == NULL)
		die("no key");
	return key;
}

static double
time_sign(EVP_PKEY *key)
{
	unsigned char data[900] = { 0 }, signature[512];
	double began = cpu_ms();

	for (int i = 0; i < TIMES; i++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		size_t len = sizeof(signature);

		if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) !=
			1 ||
		    EVP_DigestSign(ctx, signature, &len, data, sizeof(data)) !=
			1)
			die("cannot sign");
		EVP_MD_CTX_free(ctx);
	}
	return (cpu_ms() - began) / TIMES;
}

static double
time_verify(EVP_PKEY *key)
{
	unsigned char data[600] = { 0 }, signature[512];
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	double began;

	if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, signature, &len, data, sizeof(data)) != 1)
		die("cannot sign");
	EVP_MD_CTX_free(ctx);
	began = cpu_ms();
	for (int i = 0; i < TIMES; i++) {
		ctx = EVP_MD_CTX_new();
		if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) !=
			1 ||
		    EVP_DigestVerify(ctx, signature, len, data, sizeof(data)) !=
			1)
			die("cannot verify");
		EVP_MD_CTX_free(ctx);
	}
	return (cpu_ms() - began) / TIMES;
}

static double
time_ledger(const char *path)
{
	static const unsigned char row[ROW_SIZE];
	sqlite3 *db = NULL;
	sqlite3_stmt *put = NULL;
	double began;

	(void)remove(path);
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db,
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"CREATE TABLE t(serial BLOB PRIMARY KEY, der BLOB);",
		NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "INSERT INTO t VALUES(randomblob(16), ?)",
		-1, &put, NULL) != SQLITE_OK)
		die("cannot make a ledger");
	began = cpu_ms();
	for (int i = 0; i < TIMES; i++) {
		sqlite3_bind_blob(put, 1, row, sizeof(row), SQLITE_STATIC);
		if (sqlite3_step(put) != SQLITE_DONE)
			die("cannot write");
		sqlite3_reset(put);
	}
	began = (cpu_ms() - began) / TIMES;
	sqlite3_finalize(put);
	sqlite3_close(db);
	return began;
}

static int
say_nothing(int count, const struct pam_message **questions,
    struct pam_response **replies, void *arg)
{
	(void)count;
	(void)questions;
	(void)replies;
	(void)arg;
	return PAM_CONV_ERR;
}

static pam_handle_t *
start_pam(const char *dir)
{
	static const struct pam_conv conv = { say_nothing, NULL };
	pam_handle_t *pam = NULL;

	if (pam_start_confdir("signet", "user0", &conv, dir, &pam) !=
		PAM_SUCCESS ||
	    pam_set_item(pam, PAM_RHOST, "127.0.0.1") != PAM_SUCCESS)
		die("cannot start PAM");
	return pam;
}

static double
time_pam(const char *dir, bool audit)
{
	pam_handle_t *kept = start_pam(dir);
	double began = cpu_ms();

	audit_allow(audit);

	for (int i = 0; i < TIMES; i++) {
		pam_handle_t *pam = start_pam(dir);

		if (pam_authenticate(pam, PAM_SILENT) != PAM_SUCCESS ||
		    pam_acct_mgmt(pam, PAM_SILENT) != PAM_SUCCESS)
			die("PAM refuses");
		(void)pam_end(pam, PAM_SUCCESS);
	}
	began = (cpu_ms() - began) / TIMES;
	(void)pam_end(kept, PAM_SUCCESS);
	return began;
}

enum part {
	HANDSHAKE,
	VERIFY,
	SIGN,
	LEDGER,
	PAM,
	PAM_AUDIT,
	IN_MEMORY,
	PARTS
};

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	double ms[PARTS][ROUNDS], sum = 0;
	EVP_PKEY *key;
	pid_t client = -1;

	if (argc != 6) {
		fprintf(stderr, "usage: floor rsa|ec KEY CHAIN LEDGER PAM\n");
		return 2;
	}
	key = make_key(strcmp(argv[1], "rsa") == 0);
	for (int r = 0; r < ROUNDS; r++) {
		ms[IN_MEMORY][r] = time_in_memory(argv[2], argv[3]);
		ms[HANDSHAKE][r] = time_handshake(argv[2], argv[3], &client);
		ms[VERIFY][r] = time_verify(key);
		ms[SIGN][r] = time_sign(key);
		ms[LEDGER][r] = time_ledger(argv[4]);
		ms[PAM][r] = time_pam(argv[5], false);
		ms[PAM_AUDIT][r] = time_pam(argv[5], true);
		(void)kill(client, SIGKILL);
		(void)waitpid(client, NULL, 0);
	}
	for (int p = 0; p < PARTS; p++)
		qsort(ms[p], ROUNDS, sizeof(ms[p][0]), by_size);
	for (int p = 0; p < PAM; p++)
		sum += ms[p][ROUNDS / 2];
	printf("{\"handshake\": %.4f, \"csr_check\": %.4f, "
	       "\"signature\": %.4f, \"ledger\": %.4f, \"floor\": %.4f, "
	       "\"pam\": %.4f, \"pam_audit\": %.4f, \"in_memory\": %.4f}\n",
	    ms[HANDSHAKE][ROUNDS / 2], ms[VERIFY][ROUNDS / 2],
	    ms[SIGN][ROUNDS / 2], ms[LEDGER][ROUNDS / 2], sum,
	    ms[PAM][ROUNDS / 2], ms[PAM_AUDIT][ROUNDS / 2], ms[IN_MEMORY][0]);
	EVP_PKEY_free(key);
	return 0;
}
