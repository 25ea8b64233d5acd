/* Is it still there: looks and slot events. */
#include "token/token_part.h"
#include "token/token_rv.h"

/* Some modules notice what comes back only when they are started anew. */
#define LOOKS_BEFORE_RESTART 5

bool
token_is_waited_for(struct token *token)
{
	bool waiting;

	(void)pthread_mutex_lock(&token->lock);
	waiting = token->waiting;
	(void)pthread_mutex_unlock(&token->lock);
	return waiting;
}

static void
no_events(struct token *token)
{
	(void)pthread_mutex_lock(&token->lock);
	token->info.events = false;
	(void)pthread_mutex_unlock(&token->lock);
}

/* What C_WaitForSlotEvent said: 1 for an event, 0 for none. */
static int
take_event(struct token *token, CK_RV rv, CK_SLOT_ID slot, struct fault *f)
{
	struct fault why = { 0 };
	struct token_info info;

	if (rv == CKR_NO_EVENT)
		return 0;
	/* Another thread starts the module anew. */
	if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
		return 1;
	if (rv != CKR_OK) {
		no_events(token);
		return token_rv_fault(f, rv, "C_WaitForSlotEvent");
	}
	token_info(token, &info);
	(void)fault_set(&why, FAULT_SUSPENDED,
	    "the token was taken out, or put in");
	if (slot == info.slot)
		token_lose(token, TOKEN_ABSENT, &why);
	return 1;
}

static int
wait_for_event(struct token *token, bool block, struct fault *f)
{
	CK_SLOT_ID slot = 0;
	CK_RV rv =
	    token->module->call->C_WaitForSlotEvent(block ? 0 : CKF_DONT_BLOCK,
		&slot, NULL);

	return take_event(token, rv, slot, f);
}

static void
set_waiting(struct token *token, bool waiting)
{
	(void)pthread_mutex_lock(&token->lock);
	token->waiting = waiting;
	(void)pthread_mutex_unlock(&token->lock);
}

int
token_wait(struct token *token, bool block, struct fault *f)
{
	struct token_info info;
	int result;

	token_info(token, &info);
	if (!info.events)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "the module tells nothing of its slots");
	/* Not while the module is being started. */
	(void)pthread_mutex_lock(&token->control);
	set_waiting(token, true);
	(void)pthread_mutex_unlock(&token->control);
	result = wait_for_event(token, block, f);
	set_waiting(token, false);
	return result;
}

static int
check_slot(struct token *token, enum token_state *state, struct fault *f)
{
	CK_SLOT_INFO info;
	CK_RV rv = token->module->call->C_GetSlotInfo(token->slot, &info);

	if (rv != CKR_OK) {
		*state = token_rv_state(rv);
		return token_rv_fault(f, rv, "C_GetSlotInfo");
	}
	*state = TOKEN_ABSENT;
	if ((info.flags & CKF_TOKEN_PRESENT) == 0)
		return fault_set(f, FAULT_SUSPENDED, "the token was taken out");
	return token_check_token(token, state, f);
}

/* With a session of our own if one is free: who uses the others guards
 * himself.  A module without threads is not called beside another. */
static void
look_at_ready(struct token *token)
{
	struct fault why = { 0 };
	enum token_state state = TOKEN_ABSENT;
	uint64_t epoch;
	struct token_session *session =
	    token_take_session(token, false, &epoch, &why);
	int result = 0;

	if (session == NULL && !token->module->threads)
		return;
	if (token->info.events && !token_is_waited_for(token))
		(void)wait_for_event(token, false, &why);
	if (session != NULL)
		result =
		    token_check_session(token, session->handle, &state, &why);
	if (result == 0)
		result = check_slot(token, &state, &why);
	if (result < 0)
		token_lose(token, state, &why);
	if (session != NULL)
		token_give_session(token, session);
}

static void
look_for_lost(struct token *token)
{
	struct fault f = { 0 };

	if (token_is_stale(token) || token_state(token, NULL) == TOKEN_BROKEN ||
	    token->absences >= LOOKS_BEFORE_RESTART) {
		/* Who has not come back yet is waited for next time. */
		if (token_renew(token, 0, &f) == 0)
			token->absences = 0;
		return;
	}
	token_find(token);
	if (token_state(token, NULL) == TOKEN_ABSENT)
		token->absences++;
}

enum token_state
token_poll(struct token *token)
{
	token_take_control(token);
	if (token_state(token, NULL) == TOKEN_READY)
		look_at_ready(token);
	if (token_state(token, NULL) != TOKEN_READY)
		look_for_lost(token);
	token_leave_control(token);
	return token_state(token, NULL);
}
