#ifndef TOKEN_PROBE_H
#define TOKEN_PROBE_H

/*
 * For tests: a SoftHSM of the test's own, with tokens, PINs and keys that are
 * made when it runs, behind tests/peers/token_shim.c, which plays what happens
 * to them.
 */
#include "base/fault.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/text.h"
#include "base/unit.h"
#include "token/token.h"
#include "token/token_make.h"
#include "token/token_module.h"
#include "x509/key_hash.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBE_SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"
#define PROBE_LABEL "grid ca"

struct probe {
	char dir[64];
	char shim[96];
	char pin[17];
	char log[96];
	char play[96];
	long insertion;
	uint8_t ca_der[512];
	struct spki ca; /* of the key "ca", P-256 */
};

static inline void
probe_must(int result, const struct fault *f)
{
	if (result < 0)
		fail_msg("%s", f->text);
}

static inline void
probe_copy(const char *from, const char *to, mode_t mode)
{
	OWN_BUF(content, 16 << 20);
	struct fault f = { 0 };

	probe_must(file_read(from, &content, &f), &f);
	probe_must(file_write(to, mode, content.data, content.len, &f), &f);
}

/* What the shim plays from its next call on. */
static inline void
probe_play(const struct probe *p, const char *text)
{
	struct fault f = { 0 };

	probe_must(file_write(p->play, 0600, text, strlen(text), &f), &f);
}

/* The token is put in anew. */
static inline void
probe_put_back(struct probe *p)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "insertion=%ld\n", ++p->insertion);
	probe_play(p, text);
}

/* How often the shim was asked for ${call} since the log was forgotten. */
static inline unsigned
probe_calls(const struct probe *p, const char *call)
{
	FILE *in = fopen(p->log, "re");
	char line[64];
	unsigned count = 0;

	while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		count += strcmp(line, call) == 0;
	}
	if (in != NULL)
		(void)fclose(in);
	return count;
}

static inline void
probe_forget_calls(const struct probe *p)
{
	(void)unlink(p->log);
}

static inline struct secret *
probe_secret(const char *text)
{
	struct fault f = { 0 };
	struct secret *secret = secret_copy(text, strlen(text), &f);

	assert_non_null(secret);
	return secret;
}

/* A new token called ${label}. */
static inline void
probe_add_token(const struct probe *p, const char *label)
{
	struct fault f = { 0 };
	OWN_STRUCT(token_module)
	module = token_module_open(PROBE_SOFTHSM, &f);
	CK_UTF8CHAR so[] = "security officer", name[32];
	CK_SLOT_ID slots[8];
	CK_ULONG count = 8;
	CK_SESSION_HANDLE session;

	probe_must(module == NULL ? -1 : 0, &f);
	memset(name, ' ', sizeof(name));
	memcpy(name, label, strlen(label));
	/* The last one is always empty. */
	assert_int_equal(module->call->C_GetSlotList(CK_TRUE, NULL, &count),
	    CKR_OK);
	count = 8;
	assert_int_equal(module->call->C_GetSlotList(CK_TRUE, slots, &count),
	    CKR_OK);
	assert_int_equal(module->call->C_InitToken(slots[count - 1], so,
			     sizeof(so) - 1, name),
	    CKR_OK);
	assert_int_equal(module->call->C_OpenSession(slots[count - 1],
			     CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			     &session),
	    CKR_OK);
	assert_int_equal(module->call->C_Login(session, CKU_SO, so,
			     sizeof(so) - 1),
	    CKR_OK);
	assert_int_equal(module->call->C_InitPIN(session,
			     (CK_UTF8CHAR *)(uintptr_t)p->pin, strlen(p->pin)),
	    CKR_OK);
}

/* The key ${object} behind the shim; any if it is NULL. */
static inline struct token_uri
probe_uri(const struct probe *p, const char *object)
{
	struct token_uri uri = { .token = PROBE_LABEL };

	assert_int_equal(text_copy(uri.module_path, sizeof(uri.module_path),
			     p->shim),
	    0);
	if (object != NULL)
		assert_int_equal(text_copy(uri.object, sizeof(uri.object),
				     object),
		    0);
	return uri;
}

/* Make a key in the token; its public half, in ${der}. */
static inline void
probe_add_key(const struct probe *p, const char *object, const char *what,
    uint8_t der[512], struct spki *spki)
{
	struct token_uri uri = probe_uri(p, object);
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	OWN_BUF(out, 512);
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, NULL, &f);

	probe_must(token == NULL ? -1 : 0, &f);
	probe_must(token_make_key(token, pin, what, &out, &f), &f);
	memcpy(der, out.data, out.len);
	probe_must(spki_read(spki, (struct wire_bytes){ der, out.len }, &f),
	    &f);
}

/* A key that wants its PIN each time, made by SoftHSM's own means. */
static inline void
probe_add_careful_key(const struct probe *p, uint8_t der[512],
    struct spki *spki)
{
	static const char *const params =
	    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
	CK_MECHANISM mechanism = { CKM_EC_KEY_PAIR_GEN, NULL, 0 };
	CK_BBOOL yes = CK_TRUE;
	CK_UTF8CHAR label[] = "careful", id[] = "7";
	CK_ATTRIBUTE public[] = { { CKA_TOKEN, &yes, 1 },
		{ CKA_EC_PARAMS, (void *)(uintptr_t)params, 10 },
		{ CKA_ID, id, 1 } };
	CK_ATTRIBUTE private[] = { { CKA_TOKEN, &yes, 1 },
		{ CKA_PRIVATE, &yes, 1 }, { CKA_SIGN, &yes, 1 },
		{ CKA_ALWAYS_AUTHENTICATE, &yes, 1 }, { CKA_LABEL, label, 7 },
		{ CKA_ID, id, 1 } };
	struct token_uri uri = probe_uri(p, "careful");
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	OWN_BUF(out, 512);
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, NULL, &f);
	OWN_STRUCT(token_module) module = NULL;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE a, b;
	struct token_info info;

	token_info(token, &info);
	token_close(TAKE(token));
	module = token_module_open(p->shim, &f);
	assert_int_equal(module->call->C_OpenSession(info.slot,
			     CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			     &session),
	    CKR_OK);
	assert_int_equal(module->call->C_Login(session, CKU_USER,
			     secret_data(pin), secret_len(pin)),
	    CKR_OK);
	assert_int_equal(module->call->C_GenerateKeyPair(session, &mechanism,
			     public, 3, private, 6, &a, &b),
	    CKR_OK);
	token_module_close(TAKE(module));
	token = token_open(&uri, NULL, &f);
	probe_must(token_show_key(token, pin, &out, &f), &f);
	memcpy(der, out.data, out.len);
	probe_must(spki_read(spki, (struct wire_bytes){ der, out.len }, &f),
	    &f);
}

/* A SoftHSM with one token, in which there is the key "ca". */
static inline struct probe *
probe_start(void)
{
	struct probe *p = calloc(1, sizeof(*p));
	char conf[96], text[256];
	uint8_t pin[8];
	struct fault f = { 0 };

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/signet-token.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(conf, sizeof(conf), "%s/softhsm2.conf", p->dir);
	(void)snprintf(p->shim, sizeof(p->shim), "%s/shim.so", p->dir);
	(void)snprintf(p->log, sizeof(p->log), "%s/log", p->dir);
	(void)snprintf(p->play, sizeof(p->play), "%s/play", p->dir);
	(void)snprintf(text, sizeof(text), "%s/tokens", p->dir);
	assert_int_equal(mkdir(text, 0700), 0);
	(void)snprintf(text, sizeof(text),
	    "directories.tokendir = %s/tokens\nobjectstore.backend = file\n"
	    "log.level = ERROR\n",
	    p->dir);
	probe_must(file_write(conf, 0600, text, strlen(text), &f), &f);
	rand_bytes(pin, sizeof(pin));
	text_hex(pin, sizeof(pin), p->pin);
	assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
	assert_int_equal(setenv("TOKEN_SHIM_PLAY", p->play, 1), 0);
	assert_int_equal(setenv("TOKEN_SHIM_LOG", p->log, 1), 0);
	assert_int_equal(setenv("TOKEN_SHIM_PIN", p->pin, 1), 0);
	probe_copy(TOKEN_SHIM, p->shim, 0700);
	probe_play(p, "");
	probe_add_token(p, PROBE_LABEL);
	probe_add_key(p, "ca", "ec:P-256", p->ca_der, &p->ca);
	return p;
}

/* Remove what probe_start and the tests made. */
static inline void
probe_end(struct probe *p)
{
	char *const argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, p->dir,
		NULL };
	pid_t pid = fork();

	if (pid == 0) {
		(void)execvp("rm", argv);
		_exit(127);
	}
	free(p);
}

/* SHA-2 of ${text}, as a key of ${kind} signs it. */
static inline struct wire_bytes
probe_digest(const char *text, enum key_kind kind, uint8_t out[KEY_HASH_MAX])
{
	struct fault f = { 0 };
	OWN_STRUCT(key_hash) hash = key_hash_new(kind, &f);
	struct wire_bytes digest = { out, 0 };

	assert_non_null(hash);
	key_hash_add(hash,
	    (struct wire_bytes){ (const uint8_t *)text, strlen(text) });
	probe_must(key_hash_end(hash, out, &digest.len, &f), &f);
	return digest;
}

/* A token that is ready, with the key "ca". */
static inline struct token *
probe_ready(struct probe *p)
{
	struct token_uri uri = probe_uri(p, "ca");
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	struct fault f = { 0 };
	struct token *token;

	probe_put_back(p);
	token = token_open(&uri, &p->ca, &f);
	probe_must(token == NULL ? -1 : 0, &f);
	assert_int_equal(token_state(token, NULL), TOKEN_NEEDS_PIN);
	probe_must(token_login(token, pin, &f), &f);
	assert_int_equal(token_state(token, NULL), TOKEN_READY);
	return token;
}

/* Sign something. */
static inline int
probe_sign(struct token *token, struct token_signature *signature,
    struct fault *f)
{
	uint8_t data[KEY_HASH_MAX];

	return token_sign(token, NULL,
	    probe_digest("to be signed", KEY_P256, data), signature, f);
}

/* Whether ${signature} over what probe_sign signs is ${spki}'s. */
static inline bool
probe_verifies(const struct spki *spki, const struct token_signature *signature)
{
	static const char text[] = "to be signed";
	struct fault f = { 0 };

	return spki_verify(spki, key_signature_algorithm(spki->kind),
		   (struct wire_bytes){ (const uint8_t *)text, strlen(text) },
		   (struct wire_bytes){ signature->data, signature->len },
		   &f) == 0;
}

static inline int
probe_login(struct token *token, const char *text, struct fault *f)
{
	OWN_STRUCT(secret) pin = probe_secret(text);

	return token_login(token, pin, f);
}

#endif
