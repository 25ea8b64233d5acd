#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H

#include "base/checked.h"
#include "callout/drop.h"
#include "signetd/intake/call.h"
#include "signetd/role.h"

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * intake: where the call-out of a MyProxy server beside us is heard, by a Unix
 * socket or by the request directory, and by both under the same rule: the
 * kernel says whose it is, and issue-from has that account or it is refused.
 */
struct fault;

#define INTAKE_CALLS 256
#define INTAKE_ACCOUNTS CONF_LIST_MAX

struct intake_account {
	uid_t uid;
	char name[CALL_ACCOUNT_SIZE];
};

struct slot;
struct caller;

struct intake {
	struct role *role;
	struct channel *auth;
	struct channel *issuer;
	struct call_table *calls;
	size_t accounts;
	struct intake_account account[INTAKE_ACCOUNTS];
	int listen; /* -1: no socket */
	struct loop_watch *door;
	struct caller *callers; /* who is connected */
	size_t connected;
	struct slot *slot; /* the request directory, or NULL */
	struct loop_timer *tick;
	bool draining;
	/* Strangers are logged once a second, or they would fill the log. */
	int64_t told;
	unsigned strangers;
};

/* The name of ${uid} in issue-from, or NULL. */
const char *intake_account(const struct intake *in, uid_t uid);

/* ${uid} is not in issue-from: answer so, and log it; where ${anyone} may come,
 * once a second. */
void intake_turn_away(struct intake *in, uid_t uid, bool anyone,
    call_answer_fn *answer, void *arg);

/* Something has ended: others may have their turn, or all is drained. */
void intake_ended(struct intake *in);

/* ---- caller.c: those who come by the socket */

CHECKED int caller_listen(struct intake *in, int fd, struct fault *f);
void caller_stop(struct intake *in);
void callers_tick(struct intake *in, int64_t now);

/* ---- slot.c: those who leave their requests in the directory */

/* Before the walls: open it, make it for ${owner} and ${group} if need be. */
CHECKED struct slot *slot_open(struct intake *in, const char *path, uid_t owner,
    gid_t group, struct fault *f);
/* Within them. */
CHECKED int slot_start(struct slot *slot, struct fault *f);
/* There may be room again: take what is announced, soon. */
void slot_wake(struct slot *slot);
void slot_tick(struct slot *slot, int64_t now);

#endif
