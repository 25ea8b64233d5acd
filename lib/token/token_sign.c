/* Signatures, and the guard behind them. */
#include "base/clock.h"
#include "token/token_part.h"
#include "token/token_rv.h"
#include "x509/der.h"
#include "x509/spki_once.h"

#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include <string.h>

/* All at once: asking for the length first costs some cards a signature, and
 * some answer with more than they need (facts: PKCS11, 2). */
#define RAW_MAX 1024

/* RFC 8017 9.2, note 1. */
static const uint8_t digest_info_sha256[] = { 0x30, 0x31, 0x30, 0x0d, 0x06,
	0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
	0x04, 0x20 };

struct raw {
	uint8_t data[RAW_MAX];
	CK_ULONG len;
};

static size_t
digest_len(enum key_kind kind)
{
	return kind == KEY_P384 ? 48 : 32;
}

/* What C_Sign gets: with CKM_RSA_PKCS a DigestInfo, with CKM_ECDSA the digest.
 */
static CK_ULONG
prepare(uint8_t in[RAW_MAX], enum key_kind kind, struct wire_bytes digest)
{
	size_t len = kind == KEY_RSA ? sizeof(digest_info_sha256) : 0;

	memcpy(in, digest_info_sha256, len);
	memcpy(in + len, digest.data, digest.len);
	return len + digest.len;
}

/* RFC 3279 2.2.3: r and s, each as long as the curve, become an
 * ECDSA-Sig-Value. */
static int
finish_ec(const struct raw *raw, struct token_signature *signature,
    struct fault *f)
{
	OWN_BUF(der, TOKEN_SIGNATURE_MAX);
	size_t half = raw->len / 2, mark = der_open(&der, DER_SEQUENCE);

	if (raw->len == 0 || raw->len % 2 != 0)
		return fault_set(f, FAULT_FAILED,
		    "the token gave a signature of %lu octets", raw->len);
	der_put_positive(&der, raw->data, half);
	der_put_positive(&der, raw->data + half, half);
	der_close(&der, mark);
	if (der.failed)
		return fault_set(f, FAULT_FAILED,
		    "the token gave a signature of %lu octets", raw->len);
	memcpy(signature->data, der.data, der.len);
	signature->len = der.len;
	return 0;
}

static int
finish(enum key_kind kind, const struct raw *raw,
    struct token_signature *signature, struct fault *f)
{
	if (kind != KEY_RSA)
		return finish_ec(raw, signature, f);
	if (raw->len == 0 || raw->len > sizeof(signature->data))
		return fault_set(f, FAULT_FAILED,
		    "the token gave a signature of %lu octets", raw->len);
	memcpy(signature->data, raw->data, raw->len);
	signature->len = raw->len;
	return 0;
}

/* For CKA_ALWAYS_AUTHENTICATE: once more, between C_SignInit and C_Sign. */
static int
give_pin_again(struct token *token, CK_SESSION_HANDLE session,
    struct secret *pin, CK_RV *rv, struct fault *f)
{
	struct token_info info;

	token_info(token, &info);
	*rv = CKR_PIN_INCORRECT;
	if (info.pin_final || info.pin_locked)
		return fault_set(f, FAULT_DENIED,
		    "the token has no try to spare for a PIN");
	if (pin == NULL && !info.pin_pad)
		return fault_set(f, FAULT_USAGE,
		    "this key wants its PIN for each signature");
	return token_give_pin(token, session, CKU_CONTEXT_SPECIFIC, pin, f);
}

int
token_make_signature(struct token *token, CK_SESSION_HANDLE session,
    struct secret *pin, struct wire_bytes digest,
    struct token_signature *signature, CK_RV *rv, struct fault *f)
{
	enum key_kind kind = token->spki.kind;
	CK_MECHANISM mechanism = { kind == KEY_RSA ? CKM_RSA_PKCS : CKM_ECDSA,
		NULL, 0 };
	CK_FUNCTION_LIST *call = token->module->call;
	struct raw raw = { .len = RAW_MAX };
	uint8_t in[RAW_MAX];
	CK_ULONG len = prepare(in, kind, digest);

	if ((*rv = call->C_SignInit(session, &mechanism, token->key)) != CKR_OK)
		return token_rv_fault(f, *rv, "C_SignInit");
	if (token->each_time && give_pin_again(token, session, pin, rv, f) < 0)
		return -1;
	if ((*rv = call->C_Sign(session, in, len, raw.data, &raw.len)) !=
	    CKR_OK)
		return token_rv_fault(f, *rv, "C_Sign");
	if (raw.len <= RAW_MAX && finish(kind, &raw, signature, f) == 0)
		return 0;
	*rv = CKR_SIGNATURE_LEN_RANGE;
	return fault_set(f, FAULT_FAILED, "the token gave no signature");
}

bool
token_verifies(const struct spki *spki, struct wire_bytes digest,
    const struct token_signature *signature)
{
	struct wire_bytes bytes = { signature->data, signature->len };
	int curve =
	    spki->kind == KEY_P256 ? NID_X9_62_prime256v1 : NID_secp384r1;
	struct spki_rsa rsa;
	bool usable = false, good;

	if (spki->kind == KEY_RSA)
		good = spki_rsa(spki->bits, &rsa) == 0 &&
		    spki_once_rsa(NID_sha256, &rsa, digest, bytes, &usable);
	else
		good = spki_once_ec(curve, spki->bits, digest, bytes, &usable);
	if (!good)
		ERR_clear_error();
	return good;
}

/* Nothing is signed now: say why. */
static int
refuse(const struct fault *why, struct fault *f)
{
	return fault_set(f, FAULT_SUSPENDED, "signing is suspended: %.180s",
	    why->text);
}

/* A session that nobody uses, with `lock` held; NULL if there is none. */
static struct token_session *
free_session(struct token *token)
{
	for (unsigned i = 0; i < token->count; i++)
		if (!token->sessions[i].busy)
			return &token->sessions[i];
	return NULL;
}

struct token_session *
token_take_session(struct token *token, bool wait, uint64_t *epoch,
    struct fault *f)
{
	struct token_session *session = NULL;

	(void)pthread_mutex_lock(&token->lock);
	while (token->state == TOKEN_READY &&
	    (session = free_session(token)) == NULL && wait)
		(void)pthread_cond_wait(&token->changed, &token->lock);
	if (token->state != TOKEN_READY) {
		(void)refuse(&token->why, f);
		session = NULL;
	}
	if (session != NULL) {
		session->busy = true;
		session->since = clock_mono();
		token->busy++;
		session->epoch = token->epoch;
		*epoch = token->epoch;
	}
	(void)pthread_mutex_unlock(&token->lock);
	return session;
}

void
token_give_session(struct token *token, struct token_session *session)
{
	(void)pthread_mutex_lock(&token->lock);
	session->busy = false;
	token->busy--;
	(void)pthread_cond_broadcast(&token->changed);
	(void)pthread_mutex_unlock(&token->lock);
}

int
token_check_session(struct token *token, CK_SESSION_HANDLE session,
    enum token_state *state, struct fault *f)
{
	CK_SESSION_INFO info;
	CK_RV rv = token->module->call->C_GetSessionInfo(session, &info);

	if (rv != CKR_OK) {
		*state = token_rv_state(rv);
		return token_rv_fault(f, rv, "C_GetSessionInfo");
	}
	*state = TOKEN_NEEDS_PIN;
	if (info.state != CKS_RO_USER_FUNCTIONS &&
	    info.state != CKS_RW_USER_FUNCTIONS)
		return fault_set(f, FAULT_SUSPENDED, "nobody is logged in");
	return 0;
}

int
token_check_token(struct token *token, enum token_state *state, struct fault *f)
{
	struct token_info info;
	CK_TOKEN_INFO raw;
	CK_RV rv = token_look(token, token->slot, &raw, &info);

	if (rv != CKR_OK) {
		*state = token_rv_state(rv);
		return token_rv_fault(f, rv, "C_GetTokenInfo");
	}
	*state = TOKEN_ABSENT;
	if (!token_matches(token, &info))
		return fault_set(f, FAULT_SUSPENDED,
		    "there is a token with serial number %s, not %s",
		    info.serial, token->pinned);
	(void)pthread_mutex_lock(&token->lock);
	token->info.pin_low = info.pin_low;
	token->info.pin_final = info.pin_final;
	token->info.pin_locked = info.pin_locked;
	(void)pthread_mutex_unlock(&token->lock);
	return 0;
}

static bool
is_verified_elsewhere(struct token *token)
{
	bool elsewhere;

	(void)pthread_mutex_lock(&token->lock);
	elsewhere = token->elsewhere;
	(void)pthread_mutex_unlock(&token->lock);
	return elsewhere;
}

/*
 * After the signatures: what made them was the same token in the same insertion
 * all the time (facts: PKCS11, 5).  The session knows of an insertion since the
 * first of them, the serial number of another token, the epoch of what others
 * saw meanwhile.
 */
static int
guard(struct token *token, const struct token_session *session,
    enum token_state *state, struct fault *f)
{
	if (token_check_session(token, session->handle, state, f) < 0)
		return -1;
	return token_check_token(token, state, f);
}

/* One signature; that it is the CA's key's, unless others see to that. */
static int
make_one(struct token *token, const struct token_session *session,
    struct secret *pin, struct token_job *job, enum token_state *state,
    struct fault *f)
{
	CK_RV rv;

	if (token_make_signature(token, session->handle, pin, job->digest,
		&job->signature, &rv, f) < 0) {
		job->signature.len = 0;
		*state = token_rv_state(rv);
		return -1;
	}
	if (is_verified_elsewhere(token) ||
	    token_verifies(&token->spki, job->digest, &job->signature))
		return 0;
	job->signature.len = 0;
	*state = TOKEN_BROKEN;
	return fault_set(f, FAULT_SUSPENDED,
	    "the token gave a signature that is wrong");
}

/* Whether all that was seen meanwhile leaves the epoch as it was.  If so, the
 * call that comes is a new one to token_longest. */
static int
check_epoch(struct token *token, struct token_session *session, struct fault *f)
{
	bool same;

	(void)pthread_mutex_lock(&token->lock);
	same = token->state == TOKEN_READY && token->epoch == session->epoch;
	session->since = clock_mono();
	if (!same)
		(void)refuse(&token->why, f);
	(void)pthread_mutex_unlock(&token->lock);
	return same ? 0 : -1;
}

/* All signatures, and the guard behind the last. */
static int
sign_in(struct token *token, struct token_session *session, struct secret *pin,
    struct token_job *jobs, size_t count, struct fault *f)
{
	enum token_state state;
	struct fault why = { 0 };
	size_t made = 0;

	while (made < count && check_epoch(token, session, f) == 0 &&
	    make_one(token, session, pin, &jobs[made], &state, &why) == 0)
		made++;
	if (made == count && guard(token, session, &state, &why) == 0)
		return check_epoch(token, session, f);
	/* What ended it was seen by others. */
	if (why.code == FAULT_NONE)
		return -1;
	token_lose(token, state, &why);
	return refuse(&why, f);
}

int
token_sign_all(struct token *token, struct secret *pin, struct token_job *jobs,
    size_t count, struct fault *f)
{
	struct token_session *session;
	uint64_t epoch = 0;
	int result;

	for (size_t i = 0; i < count; i++) {
		jobs[i].signature.len = 0;
		jobs[i].signature.epoch = 0;
		if (jobs[i].digest.len != digest_len(token->spki.kind))
			return fault_set(f, FAULT_USAGE,
			    "a digest of %zu octets", jobs[i].digest.len);
	}
	session = token_take_session(token, true, &epoch, f);
	if (session == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		jobs[i].signature.epoch = epoch;
	result = sign_in(token, session, pin, jobs, count, f);
	token_give_session(token, session);
	return result;
}

int
token_sign(struct token *token, struct secret *pin, struct wire_bytes digest,
    struct token_signature *signature, struct fault *f)
{
	struct token_job job = { .digest = digest };
	int result = token_sign_all(token, pin, &job, 1, f);

	*signature = job.signature;
	return result;
}
