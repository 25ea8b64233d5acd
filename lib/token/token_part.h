#ifndef TOKEN_PART_H
#define TOKEN_PART_H

#include "token/token.h"
#include "token/token_module.h"

#include <pthread.h>

/*
 * For lib/token: what is inside.  Two locks.  `control` is held through login,
 * recovery, looks and the making of keys, calls of the module included.  `lock`
 * is held for moments only, never while the module is called.
 */

#define TOKEN_DRAIN_MS 2000

struct token_session {
	CK_SESSION_HANDLE handle;
	bool busy;
	int64_t since;	/* clock_mono of when it became busy */
	uint64_t epoch; /* in which it did */
};

struct token {
	struct token_module *module; /* owned */
	struct token_uri which;
	unsigned wanted;  /* sessions */
	uint8_t *ca;	  /* owned: DER of spki; NULL: any key will do */
	struct spki spki; /* in ca */

	pthread_mutex_t control;
	/* Set in control, read while signing. */
	CK_SLOT_ID slot;
	CK_OBJECT_HANDLE key;
	bool each_time;
	char pinned[17]; /* serial of the first token that was logged in to */
	unsigned absences;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum token_state state;
	struct fault why;
	bool stale; /* to be recovered before it can be used */
	bool no_events;
	bool elsewhere; /* signatures are verified by others */
	bool waiting;	/* somebody is in token_wait */
	uint64_t epoch;
	struct token_info info;
	struct token_session sessions[TOKEN_SESSIONS_MAX];
	unsigned count; /* of sessions */
	unsigned busy;
	int64_t controlled; /* clock_mono of when control was taken, or 0 */
};

/* Where bytes that are only read go into a CK_ATTRIBUTE. */
static inline void *
token_lend(const void *data)
{
	return (void *)(uintptr_t)data;
}

/* The key that is to be found: a copy of ${ca}. */
CHECKED int token_set_key(struct token *token, const struct spki *ca,
    struct fault *f);

void token_take_control(struct token *token);
void token_leave_control(struct token *token);

/* It is in ${state} now, because of ${why}. */
void token_enter(struct token *token, enum token_state state,
    const struct fault *why);

/* Something is amiss while it was in use: a new epoch; and if it was ready it
 * is so no more, but ${state}, because of ${why}. */
void token_lose(struct token *token, enum token_state state,
    const struct fault *why);

/* With `control` held.  Up to ${ms} for those who sign to end; then start the
 * module anew and look for the token. */
CHECKED int token_renew(struct token *token, int ms, struct fault *f);

/* With `control` held.  Find the slot of the one token that matches, and note
 * how it is: it needs a PIN, is absent or broken. */
void token_find(struct token *token);

/* What is in ${slot}: 0 and ${info}, or the module's answer. */
CK_RV token_look(struct token *token, CK_SLOT_ID slot, CK_TOKEN_INFO *raw,
    struct token_info *info);

/* Whether ${info} is of the token that is meant, or was logged in to. */
bool token_matches(const struct token *token, const struct token_info *info);

bool token_is_stale(struct token *token);

/* Whether somebody is in token_wait. */
bool token_is_waited_for(struct token *token);

/* With `control` held.  Recover if that is due, and find the token anew; a
 * fault if it is not there. */
CHECKED int token_prepare(struct token *token, struct fault *f);

/* With `control` held.  See that a PIN may be tried, open a session with
 * ${flags}, and log in.  On failure nobody is logged in. */
CHECKED int token_enter_pin(struct token *token, struct secret *pin,
    CK_FLAGS flags, CK_SESSION_HANDLE *session, struct fault *f);
/* Close all, which logs out. */
void token_leave(struct token *token);

/* C_Login, once; what went wrong, in words. */
CHECKED int token_give_pin(struct token *token, CK_SESSION_HANDLE session,
    CK_USER_TYPE user, struct secret *pin, struct fault *f);

/* A session of a token that is ready, until token_give_session; NULL and a
 * fault if it is not; NULL if none is free and ${wait} is false. */
struct token_session *token_take_session(struct token *token, bool wait,
    uint64_t *epoch, struct fault *f);
void token_give_session(struct token *token, struct token_session *session);

/* Whether somebody is logged in in ${session}; whether what is in the slot is
 * the token that was logged in to.  If not, ${state} is what that means. */
CHECKED int token_check_session(struct token *token, CK_SESSION_HANDLE session,
    enum token_state *state, struct fault *f);
CHECKED int token_check_token(struct token *token, enum token_state *state,
    struct fault *f);

/* The one private key that is meant.  FAULT_CONFIG if there is none, or more.
 */
CHECKED int token_find_key(struct token *token, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE *key, struct fault *f);
CHECKED int token_count_keys(struct token *token, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE *key, unsigned *count, struct fault *f);

/* Find the key in ${session}, which is logged in, and see that it is the CA's;
 * the first session is this. */
CHECKED int token_bind(struct token *token, CK_SESSION_HANDLE session,
    struct secret *pin, struct fault *f);

/* A signature of ${digest} by the key in ${session}, as X.509 wants it; on
 * failure ${rv} is what the module answered, or what its answer amounts to. */
CHECKED int token_make_signature(struct token *token, CK_SESSION_HANDLE session,
    struct secret *pin, struct wire_bytes digest,
    struct token_signature *signature, CK_RV *rv, struct fault *f);
/* Whether ${signature} is one of the key of ${spki}. */
bool token_verifies(const struct spki *spki, struct wire_bytes digest,
    const struct token_signature *signature);

#endif
