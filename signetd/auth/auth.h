#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "authn/authn_slow.h"
#include "base/checked.h"
#include "base/fault.h"
#include "ipc/msg.h"
#include "signetd/auth/pool.h"
#include "signetd/auth/talk.h"
#include "signetd/role.h"
#include "trust/upkeep.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * auth: vouches for identities.  What it holds, and the steps of a login.
 */

#define AUTH_PROFILES_MAX CONF_LIST_MAX
#define AUTH_VALID_MS 120000

/* What auth wants to know of a profile. */
struct auth_profile {
	char name[64];
	char subject[CONF_STRING_SIZE]; /* template */
};

struct auth {
	struct role *role;
	struct channel *issuer;
	struct talk_table *talks;
	struct pool *workers;
	struct pool *pam;
	struct authn_slow *slow;
	struct krb_gss *keys; /* what tickets are for; NULL: none */
	struct upkeep *trust; /* NULL: no certificate method */
	int64_t trust_every;  /* ms */
	struct loop_timer *trust_look;
	struct loop_timer *trust_turn;
	size_t profiles;
	struct auth_profile profile[AUTH_PROFILES_MAX];
};

/* ---- login.c: a login from the question to the answer */

/* A front process asks who somebody is. */
void login_ask(struct auth *a, struct channel *front,
    const struct msg_auth_ask *m);

/* Say no: ${f} to the log, ${code} to the stranger.  ${talk} is the caller's no
 * more. */
void login_refuse(struct talk *talk, enum fault_code code,
    const struct fault *f);

/* ${talk} has proven its principal by its method: find the subject, vouch. */
void login_proven(struct talk *talk);

/* For the pools: a worker is free for ${job}, or has answered it. */
bool login_turn(struct pool_job *job, struct msg *m);
void login_answer(struct pool_job *job, enum fault_code code, const char *text);

/* ---- password.c: what workers try */

/* Try the pass phrase with each mechanism that is configured. */
void password_begin(struct talk *talk);
bool password_turn(struct talk *talk, struct msg *m);
void password_answer(struct talk *talk, enum fault_code code, const char *text);

/* ---- callout.c: whom a MyProxy server beside us has authenticated */

/* The intake asks for somebody in the name of that server. */
void callout_ask(struct auth *a, struct channel *intake,
    const struct msg_call_ask *m);
/* Say no.  It is said to the server's own account, not to a stranger. */
void callout_no(struct channel *intake, uint32_t connection,
    enum fault_code code);

/* ---- challenge.c: what the client must do for itself */

/* Offer the methods that need no password. */
void challenge_offer(struct talk *talk);
/* The client has taken a step of the method it chose. */
void challenge_step(struct talk *talk, const struct msg_auth_step *m);
/* There is news about the trust directory, for which it may wait. */
void challenge_again(struct talk *talk);
/* The methods that are configured, as bits 1 << number. */
uint32_t challenge_methods(const struct auth *a);

/* ---- trusted.c: the trust directory, for certificates */

/* Whether certificates are taken. */
bool trusted_wanted(const struct signetd_conf *conf);
/* Load it, if they are; look at it again in ${every} ms, and so
 * on. */
CHECKED int trusted_start(struct auth *a, int64_t every, struct fault *f);
/* The settings are new, and it is to be read again. */
CHECKED int trusted_reload(struct auth *a, struct fault *f);
/* A conversation waits for news. */
void trusted_await(struct auth *a);
void trusted_end(struct auth *a);

/* ---- subject.c: principal to subject */

/* The profile called ${name}, "" being the first; NULL if there is none. */
const struct auth_profile *subject_profile(const struct auth *a,
    const char *name);
/* Read the profiles that came from the parent. */
CHECKED int subject_read_profiles(struct auth *a, struct fault *f);
/* The subject by the profile's template. */
CHECKED int subject_fill(const struct talk *talk, struct dn *subject,
    struct fault *f);
/* Whether a worker must be asked, and the method it is asked for. */
const char *subject_work(const struct signetd_conf *conf);

#endif
