#include "base/clock.h"
#include "base/text.h"
#include "token/token_part.h"

#include <stdlib.h>
#include <string.h>

#define SESSIONS_DEFAULT 4
#define RSA_LEAST 2048
#define RSA_MOST 4096

static const char *const names[] = {
	[TOKEN_ABSENT] = "absent",
	[TOKEN_NEEDS_PIN] = "needs-pin",
	[TOKEN_READY] = "ready",
	[TOKEN_BROKEN] = "broken",
};

const char *
token_state_name(enum token_state state)
{
	return names[state];
}

void
token_take_control(struct token *token)
{
	(void)pthread_mutex_lock(&token->control);
	(void)pthread_mutex_lock(&token->lock);
	token->controlled = clock_mono();
	(void)pthread_mutex_unlock(&token->lock);
}

void
token_leave_control(struct token *token)
{
	(void)pthread_mutex_lock(&token->lock);
	token->controlled = 0;
	(void)pthread_mutex_unlock(&token->lock);
	(void)pthread_mutex_unlock(&token->control);
}

void
token_enter(struct token *token, enum token_state state,
    const struct fault *why)
{
	(void)pthread_mutex_lock(&token->lock);
	token->state = state;
	token->why = *why;
	(void)pthread_cond_broadcast(&token->changed);
	(void)pthread_mutex_unlock(&token->lock);
}

void
token_lose(struct token *token, enum token_state state, const struct fault *why)
{
	(void)pthread_mutex_lock(&token->lock);
	token->epoch++;
	if (token->state == TOKEN_READY) {
		token->state = state;
		token->why = *why;
		token->stale = true;
		(void)pthread_cond_broadcast(&token->changed);
	}
	(void)pthread_mutex_unlock(&token->lock);
}

bool
token_is_stale(struct token *token)
{
	bool stale;

	(void)pthread_mutex_lock(&token->lock);
	stale = token->stale;
	(void)pthread_mutex_unlock(&token->lock);
	return stale;
}

int
token_set_key(struct token *token, const struct spki *ca, struct fault *f)
{
	struct wire_bytes der = { NULL, ca->der.len };

	if (ca->kind == KEY_OTHER ||
	    (ca->kind == KEY_RSA &&
		(ca->size < RSA_LEAST || ca->size > RSA_MOST)))
		return fault_set(f, FAULT_KEY,
		    "a CA's key in a token is RSA of %d to %d bits, P-256 or "
		    "P-384",
		    RSA_LEAST, RSA_MOST);
	if ((token->ca = malloc(ca->der.len)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a public key");
	memcpy(token->ca, ca->der.data, ca->der.len);
	der.data = token->ca;
	return spki_read(&token->spki, der, f);
}

/* Waits are for the clock that nobody sets. */
static int
make_locks(struct token *token, struct fault *f)
{
	pthread_condattr_t attr;

	if (pthread_mutex_init(&token->control, NULL) != 0 ||
	    pthread_mutex_init(&token->lock, NULL) != 0 ||
	    pthread_condattr_init(&attr) != 0 ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&token->changed, &attr) != 0)
		return fault_set(f, FAULT_SYSTEM, "locks");
	(void)pthread_condattr_destroy(&attr);
	return 0;
}

static int
start(struct token *token, struct fault *f)
{
	char path[256];

	if (token_module_find(&token->which, path, f) < 0)
		return -1;
	if ((token->module = token_module_open(path, f)) == NULL)
		return -1;
	token->info.threads = token->module->threads;
	token->info.events = token->module->threads;
	token->wanted = token->which.max_sessions > 0
	    ? token->which.max_sessions
	    : SESSIONS_DEFAULT;
	if (!token->module->threads)
		token->wanted = 1;
	return 0;
}

struct token *
token_open(const struct token_uri *which, const struct spki *ca,
    struct fault *f)
{
	OWN_STRUCT(token) token = calloc(1, sizeof(*token));

	if (token == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a token");
		return NULL;
	}
	token->which = *which;
	token->epoch = 1;
	if (make_locks(token, f) < 0)
		return NULL;
	if (ca != NULL && token_set_key(token, ca, f) < 0)
		return NULL;
	if (start(token, f) < 0)
		return NULL;
	token_take_control(token);
	token_find(token);
	token_leave_control(token);
	return TAKE(token);
}

void
token_close(struct token *token)
{
	if (token == NULL)
		return;
	if (token->module != NULL)
		token_leave(token);
	token_module_close(token->module);
	(void)pthread_cond_destroy(&token->changed);
	(void)pthread_mutex_destroy(&token->lock);
	(void)pthread_mutex_destroy(&token->control);
	free(token->ca);
	free(token);
}

enum token_state
token_state(struct token *token, struct fault *why)
{
	enum token_state state;

	(void)pthread_mutex_lock(&token->lock);
	state = token->state;
	if (why != NULL)
		*why = token->why;
	(void)pthread_mutex_unlock(&token->lock);
	return state;
}

uint64_t
token_epoch(struct token *token)
{
	uint64_t epoch;

	(void)pthread_mutex_lock(&token->lock);
	epoch = token->epoch;
	(void)pthread_mutex_unlock(&token->lock);
	return epoch;
}

void
token_info(struct token *token, struct token_info *info)
{
	(void)pthread_mutex_lock(&token->lock);
	*info = token->info;
	info->sessions = token->count;
	(void)pthread_mutex_unlock(&token->lock);
}

int64_t
token_longest(struct token *token)
{
	int64_t now = clock_mono(), since = now;

	(void)pthread_mutex_lock(&token->lock);
	if (token->controlled != 0)
		since = token->controlled;
	for (unsigned i = 0; i < token->count; i++)
		if (token->sessions[i].busy && token->sessions[i].since < since)
			since = token->sessions[i].since;
	(void)pthread_mutex_unlock(&token->lock);
	return now - since;
}

void
token_verified_elsewhere(struct token *token)
{
	(void)pthread_mutex_lock(&token->lock);
	token->elsewhere = true;
	(void)pthread_mutex_unlock(&token->lock);
}

void
token_wrong(struct token *token)
{
	struct fault f = { 0 };

	(void)fault_set(&f, FAULT_SUSPENDED,
	    "the token gave a signature that is wrong");
	token_lose(token, TOKEN_BROKEN, &f);
}

void
token_lost(struct token *token, const char *why)
{
	struct fault f = { 0 };

	(void)fault_set(&f, FAULT_SUSPENDED, "%s", why);
	token_lose(token, TOKEN_ABSENT, &f);
}
