/* PINs, sessions, and the way back. */
#include "token/token_part.h"
#include "token/token_rv.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define EVENTS_OLD 64

int
token_give_pin(struct token *token, CK_SESSION_HANDLE session,
    CK_USER_TYPE user, struct secret *pin, struct fault *f)
{
	CK_RV rv = token->module->call->C_Login(session, user,
	    pin == NULL ? NULL : secret_data(pin),
	    pin == NULL ? 0 : secret_len(pin));

	if (rv == CKR_OK)
		return 0;
	if (rv == CKR_PIN_INCORRECT)
		return fault_set(f, FAULT_LOGIN,
		    "the PIN is wrong (CKR_PIN_INCORRECT)");
	if (rv == CKR_PIN_LOCKED)
		return fault_set(f, FAULT_DENIED,
		    "the token is locked (CKR_PIN_LOCKED): its security "
		    "officer must unlock it");
	return token_rv_fault(f, rv, "C_Login");
}

static void
set_stale(struct token *token, bool stale)
{
	(void)pthread_mutex_lock(&token->lock);
	token->stale = stale;
	(void)pthread_mutex_unlock(&token->lock);
}

/* A PIN that cannot be right is not tried. */
static int
check_length(const CK_TOKEN_INFO *raw, const struct secret *pin,
    struct fault *f)
{
	size_t len = secret_len(pin);

	if (len < raw->ulMinPinLen ||
	    (raw->ulMaxPinLen != 0 && len > raw->ulMaxPinLen))
		return fault_set(f, FAULT_LOGIN,
		    "a PIN of this token has %lu to %lu characters; nothing "
		    "was tried",
		    raw->ulMinPinLen, raw->ulMaxPinLen);
	return 0;
}

/* Whether a PIN may be tried: the last try is never ours. */
static int
check_tries(const struct token_info *info, struct fault *f)
{
	if (info->pin_locked)
		return fault_set(f, FAULT_DENIED,
		    "the token is locked: its security officer must unlock it");
	if (info->pin_final)
		return fault_set(f, FAULT_DENIED,
		    "the token has one try left, which is not used here: log "
		    "in "
		    "with its own tools first");
	return 0;
}

static int
check(struct token *token, const struct secret *pin, struct fault *f)
{
	struct token_info info = token->info;
	CK_TOKEN_INFO raw;
	CK_RV rv = token_look(token, token->slot, &raw, &info);

	if (rv != CKR_OK)
		return token_rv_fault(f, rv, "C_GetTokenInfo");
	if (check_tries(&info, f) < 0)
		return -1;
	if (pin == NULL && !info.pin_pad)
		return fault_set(f, FAULT_USAGE,
		    "the token has no reader with keys: it needs its PIN");
	return pin == NULL ? 0 : check_length(&raw, pin, f);
}

/* What the flags say after a try. */
static void
note_flags(struct token *token)
{
	struct token_info info = token->info;
	CK_TOKEN_INFO raw;

	if (token_look(token, token->slot, &raw, &info) != CKR_OK)
		return;
	(void)pthread_mutex_lock(&token->lock);
	token->info = info;
	(void)pthread_mutex_unlock(&token->lock);
}

void
token_leave(struct token *token)
{
	(void)pthread_mutex_lock(&token->lock);
	token->count = 0;
	(void)pthread_mutex_unlock(&token->lock);
	(void)token->module->call->C_CloseAllSessions(token->slot);
}

int
token_enter_pin(struct token *token, struct secret *pin, CK_FLAGS flags,
    CK_SESSION_HANDLE *session, struct fault *f)
{
	CK_FUNCTION_LIST *call = token->module->call;
	CK_RV rv;

	if (check(token, pin, f) < 0)
		return -1;
	/* Whoever was logged in is so no more: a wrong PIN must not pass. */
	token_leave(token);
	rv = call->C_OpenSession(token->slot, flags | CKF_SERIAL_SESSION, NULL,
	    NULL, session);
	if (rv != CKR_OK) {
		set_stale(token, true);
		return token_rv_fault(f, rv, "C_OpenSession");
	}
	if (token_give_pin(token, *session, CKU_USER, pin, f) == 0)
		return 0;
	token_leave(token);
	note_flags(token);
	if (f->code != FAULT_LOGIN && f->code != FAULT_DENIED)
		set_stale(token, true);
	return -1;
}

/* As many sessions as are wanted and to be had, ${first} among them. */
static void
open_sessions(struct token *token, CK_SESSION_HANDLE first)
{
	/* With a PIN for each signature a wrong one must not be tried twice. */
	unsigned wanted = token->each_time ? 1 : token->wanted;
	unsigned count = 1;

	memset(token->sessions, 0, sizeof(token->sessions));
	token->sessions[0].handle = first;
	while (count < wanted &&
	    token->module->call->C_OpenSession(token->slot, CKF_SERIAL_SESSION,
		NULL, NULL, &token->sessions[count].handle) == CKR_OK)
		count++;
	(void)pthread_mutex_lock(&token->lock);
	token->count = count;
	(void)pthread_mutex_unlock(&token->lock);
}

/* Events of what was before are no news. */
static void
forget_events(struct token *token)
{
	CK_SLOT_ID slot;

	for (int i = 0; i < EVENTS_OLD; i++)
		if (token->module->call->C_WaitForSlotEvent(CKF_DONT_BLOCK,
			&slot, NULL) != CKR_OK)
			return;
}

int
token_prepare(struct token *token, struct fault *f)
{
	if (token_is_stale(token) && token_renew(token, TOKEN_DRAIN_MS, f) < 0)
		return -1;
	if (token->info.events && !token_is_waited_for(token))
		forget_events(token);
	token_find(token);
	return token_state(token, f) == TOKEN_NEEDS_PIN ? 0 : -1;
}

/* From here on it is the one of this serial number, and signs. */
static void
begin(struct token *token)
{
	memcpy(token->pinned, token->info.serial, sizeof(token->pinned));
	note_flags(token);
	(void)pthread_mutex_lock(&token->lock);
	token->info.each_time = token->each_time;
	token->epoch++;
	token->state = TOKEN_READY;
	token->why = (struct fault){ 0 };
	(void)pthread_cond_broadcast(&token->changed);
	(void)pthread_mutex_unlock(&token->lock);
}

static int
enter_and_bind(struct token *token, struct secret *pin, struct fault *f)
{
	CK_SESSION_HANDLE session;

	if (token_enter_pin(token, pin, CKF_SERIAL_SESSION, &session, f) < 0)
		return -1;
	if (token_bind(token, session, pin, f) == 0) {
		open_sessions(token, session);
		return 0;
	}
	token_leave(token);
	/* Whatever it was may be cured by starting the module anew. */
	set_stale(token, true);
	return -1;
}

static int
login(struct token *token, struct secret *pin, struct fault *f)
{
	if (token_state(token, NULL) == TOKEN_READY)
		return fault_set(f, FAULT_USAGE, "the token is logged in");
	if (token_prepare(token, f) < 0)
		return -1;
	if (enter_and_bind(token, pin, f) < 0)
		return fault_wrap(f, "token %s", token->info.serial);
	begin(token);
	return 0;
}

int
token_login(struct token *token, struct secret *pin, struct fault *f)
{
	int result;

	token_take_control(token);
	result = login(token, pin, f);
	token_leave_control(token);
	return result;
}

/* Wait until nobody signs: 0, or -1 after ${ms}. */
static int
drain(struct token *token, int ms)
{
	struct timespec until;
	int result = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	(void)pthread_mutex_lock(&token->lock);
	while (token->busy > 0 && result == 0)
		result = pthread_cond_timedwait(&token->changed, &token->lock,
		    &until);
	result = token->busy > 0 ? -1 : 0;
	(void)pthread_mutex_unlock(&token->lock);
	return result;
}

int
token_renew(struct token *token, int ms, struct fault *f)
{
	/* Sessions are not closed under one who signs: modules crash (facts:
	 * PKCS11, 5). */
	if (drain(token, ms) < 0)
		return fault_set(f, FAULT_TIMEOUT,
		    "a call of %s has not come back", token->module->path);
	token_leave(token);
	if (token_module_restart(token->module, f) < 0) {
		token_enter(token, TOKEN_BROKEN, f);
		return -1;
	}
	set_stale(token, false);
	token_find(token);
	return 0;
}

int
token_recover(struct token *token, int ms, struct fault *f)
{
	struct fault why = { 0 };
	int result;

	(void)fault_set(&why, FAULT_SUSPENDED, "the module is started anew");
	token_lose(token, TOKEN_ABSENT, &why);
	token_take_control(token);
	result = token_renew(token, ms, f);
	token_leave_control(token);
	return result;
}
