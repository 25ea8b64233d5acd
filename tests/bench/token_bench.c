/*
 * token_bench: what signing with a token costs beside the bare C_Sign of the
 * same key: signatures a second, and CPU milliseconds of this process for each,
 * as one JSON object.  Rounds of both in turns; the best of each counts.
 *
 *   TOKEN_PIN=... token_bench URI [threads]
 *
 * The URI has module-path and names one key.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "token/token.h"
#include "token/token_make.h"
#include "token/token_module.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 6
#define TIMES 300
#define THREADS_MAX 16

struct run {
	struct token *token;
	CK_FUNCTION_LIST *call; /* of the bare rounds */
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	enum key_kind kind;
	pthread_t thread;
};

struct best {
	double rate;
	double cpu_ms;
};

static void
die(const char *what)
{
	fprintf(stderr, "token_bench: %s\n", what);
	exit(1);
}

static double
cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
wall_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void *
sign_guarded(void *arg)
{
	struct run *run = arg;
	uint8_t data[48] = { 1 };
	struct token_signature signature;
	struct fault f = { 0 };

	for (int i = 0; i < TIMES; i++)
		if (token_sign(run->token, NULL,
			(struct wire_bytes){
			    data, run->kind == KEY_P384 ? 48 : 32 },
			&signature, &f) < 0)
			die(f.text);
	return NULL;
}

/* As many octets as the DigestInfo has. */
static void *
sign_bare(void *arg)
{
	struct run *run = arg;
	CK_MECHANISM mechanism = {
		run->kind == KEY_RSA ? CKM_RSA_PKCS : CKM_ECDSA, NULL, 0
	};
	CK_ULONG in = run->kind == KEY_RSA ? 51
	    : run->kind == KEY_P384	   ? 48
					   : 32;
	uint8_t data[51] = { 1 }, out[512];

	for (int i = 0; i < TIMES; i++) {
		CK_ULONG len = sizeof(out);

		if (run->call->C_SignInit(run->session, &mechanism, run->key) !=
			CKR_OK ||
		    run->call->C_Sign(run->session, data, in, out, &len) !=
			CKR_OK)
			die("C_Sign");
	}
	return NULL;
}

static void
measure(struct run *runs, unsigned threads, void *(*sign)(void *),
    struct best *best)
{
	double cpu = cpu_ms(), wall = wall_ms(), count = TIMES * threads;

	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&runs[i].thread, NULL, sign, &runs[i]) != 0)
			die("no thread");
	for (unsigned i = 0; i < threads; i++)
		(void)pthread_join(runs[i].thread, NULL);
	wall = wall_ms() - wall;
	cpu = (cpu_ms() - cpu) / count;
	if (count * 1e3 / wall > best->rate)
		best->rate = count * 1e3 / wall;
	if (best->cpu_ms <= 0 || cpu < best->cpu_ms)
		best->cpu_ms = cpu;
}

/* Sessions of our own beside the token's, which is logged in. */
static void
open_bare(struct run *runs, unsigned threads, const struct token_uri *uri,
    const struct token_info *info, CK_FUNCTION_LIST *call)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	char label[sizeof(uri->object)];
	CK_ATTRIBUTE like[] = { { CKA_CLASS, &class, sizeof(class) },
		{ CKA_LABEL, label, strlen(uri->object) } };
	CK_ULONG count = 0;

	memcpy(label, uri->object, sizeof(label));
	for (unsigned i = 0; i < threads; i++) {
		runs[i].call = call;
		if (call->C_OpenSession(info->slot, CKF_SERIAL_SESSION, NULL,
			NULL, &runs[i].session) != CKR_OK ||
		    call->C_FindObjectsInit(runs[i].session, like, 2) !=
			CKR_OK ||
		    call->C_FindObjects(runs[i].session, &runs[i].key, 1,
			&count) != CKR_OK ||
		    count != 1)
			die("the bare key");
		(void)call->C_FindObjectsFinal(runs[i].session);
	}
}

static struct token *
open_token(const struct token_uri *uri, struct secret *pin, struct spki *spki)
{
	struct fault f = { 0 };
	static uint8_t der[1024];
	OWN_BUF(out, sizeof(der));
	OWN_STRUCT(token) token = token_open(uri, NULL, &f);

	if (token == NULL || token_show_key(token, pin, &out, &f) < 0)
		die(f.text);
	memcpy(der, out.data, out.len);
	if (spki_read(spki, (struct wire_bytes){ der, out.len }, &f) < 0 ||
	    token_login(token, pin, &f) < 0)
		die(f.text);
	return TAKE(token);
}

/* The function list of a module that is loaded and started already. */
static CK_FUNCTION_LIST *
list_of(const char *path)
{
	struct fault f = { 0 };
	CK_FUNCTION_LIST *call = token_module_list(path, &f);

	if (call == NULL)
		die(f.text);
	return call;
}

int
main(int argc, char **argv)
{
	unsigned threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	const char *text = getenv("TOKEN_PIN");
	struct best guarded = { 0, 0 }, bare = { 0, 0 };
	struct run runs[THREADS_MAX] = { 0 };
	struct fault f = { 0 };
	struct token_info info;
	struct token_uri uri;
	struct spki spki;

	if (argc < 2 || text == NULL || threads < 1 || threads > THREADS_MAX) {
		fprintf(stderr,
		    "usage: TOKEN_PIN=... token_bench URI [threads]\n");
		return 2;
	}
	if (token_uri_read(&uri, argv[1], &f) < 0)
		die(f.text);
	uri.max_sessions = threads;
	OWN_STRUCT(secret) pin = secret_copy(text, strlen(text), &f);
	OWN_STRUCT(token) token = open_token(&uri, pin, &spki);
	token_info(token, &info);
	open_bare(runs, threads, &uri, &info, list_of(uri.module_path));
	for (unsigned i = 0; i < threads; i++) {
		runs[i].token = token;
		runs[i].kind = spki.kind;
	}
	for (int i = 0; i < ROUNDS; i++) {
		measure(runs, threads, sign_bare, &bare);
		measure(runs, threads, sign_guarded, &guarded);
	}
	printf("{\"threads\": %u, \"bare_per_second\": %.0f, "
	       "\"guarded_per_second\": %.0f, \"bare_cpu_ms\": %.3f, "
	       "\"guarded_cpu_ms\": %.3f, \"ratio\": %.3f}\n",
	    threads, bare.rate, guarded.rate, bare.cpu_ms, guarded.cpu_ms,
	    guarded.rate / bare.rate);
	return 0;
}
