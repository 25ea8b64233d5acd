/*
 * floor: what a logon must cost a server whatever its program: one TLS 1.3
 * handshake, the check of one request's signature, one signature of the CA,
 * one durable row of a ledger.  CPU milliseconds of each, the least of some
 * rounds, as one JSON object.
 *
 *   floor rsa|ec HOSTKEY.pem HOSTCHAIN.pem LEDGERFILE
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5
#define TIMES 60
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

static double
time_handshake(const char *key, const char *chain)
{
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	double total = 0;

	if (SSL_CTX_use_PrivateKey_file(server, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_certificate_chain_file(server, chain) != 1)
		die("host key or chain");
	(void)SSL_CTX_set_num_tickets(server, 0);
	(void)SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL);
	for (int i = 0; i < TIMES; i++)
		total += handshake(server, client);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return total / TIMES;
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

static double
least(double a, double b)
{
	return a < b ? a : b;
}

int
main(int argc, char **argv)
{
	double tls = 1e9, sign = 1e9, verify = 1e9, ledger = 1e9;
	EVP_PKEY *key;

	if (argc != 5) {
		fprintf(stderr, "usage: floor rsa|ec KEY CHAIN LEDGER\n");
		return 2;
	}
	key = make_key(strcmp(argv[1], "rsa") == 0);
	for (int r = 0; r < ROUNDS; r++) {
		tls = least(tls, time_handshake(argv[2], argv[3]));
		sign = least(sign, time_sign(key));
		verify = least(verify, time_verify(key));
		ledger = least(ledger, time_ledger(argv[4]));
	}
	printf("{\"handshake\": %.4f, \"csr_check\": %.4f, "
	       "\"signature\": %.4f, \"ledger\": %.4f, \"floor\": %.4f}\n",
	    tls, verify, sign, ledger, tls + verify + sign + ledger);
	EVP_PKEY_free(key);
	return 0;
}
