#ifndef SIGNET_MAP_DESK_MAP_CLERK_H
#define SIGNET_MAP_DESK_MAP_CLERK_H

#include "base/checked.h"
#include "base/own.h"
#include "map/map_request.h"
#include "signet-map/base/map_conf.h"
#include "signet-map/base/map_say.h"

#include <sys/types.h>

#include <stdbool.h>
#include <time.h>

/*
 * What is decided at the desk: who may ask for what, whether that waits, and
 * that it is written down before it is answered.  Who asks is a uid that the
 * kernel named; which certificate he holds, the caller has seen proved.
 */
struct fault;
struct clerk;

/* Read the request log, made if it is not there, and hold it open. */
CHECKED struct clerk *clerk_new(const struct map_conf *conf, struct fault *f);
void clerk_free(struct clerk *c);
OWN_FREE_STRUCT(clerk, clerk_free)

/* Who asks: his account, as the system has it now; whether he decides. */
struct clerk_asker {
	uid_t uid;
	char account[MAP_REQUEST_ACCOUNT_SIZE]; /* "" if he has none */
	bool admin;
};
CHECKED int clerk_asker(const struct clerk *c, uid_t uid,
    struct clerk_asker *who, struct fault *f);

/* FAULT_SLOWED if ${who} has asked too often; else it counts. */
CHECKED int clerk_count(struct clerk *c, const struct clerk_asker *who,
    int64_t now_ms, struct fault *f);

/**
 * clerk_account(c, who, wanted, account, f):
 * The account that ${who} asks for: his own, or the one ${wanted} that an
 * administrator names.  FAULT_DENIED for another's, for the superuser's and for
 * one whose uid is too low; FAULT_ABSENT if there is none.
 */
CHECKED int clerk_account(const struct clerk *c, const struct clerk_asker *who,
    const char *wanted, char account[MAP_REQUEST_ACCOUNT_SIZE],
    struct fault *f);

/* A name that is to be on an account. */
struct clerk_wish {
	const char *account;
	const char *name;
	const char *ca; /* that issued the certificate; "": none was shown */
	const char *proof;
	const char *reason;
};

/* What came of it: texts that are shown. */
struct clerk_outcome {
	char id[MAP_REQUEST_ID_SIZE];
	const char *state;
};

/* It is added, or waits, or was so before.  An administrator who shows no
 * certificate must give a reason. */
CHECKED int clerk_add(struct clerk *c, const struct clerk_asker *who,
    const struct clerk_wish *wish, time_t now, struct clerk_outcome *out,
    struct fault *f);

/* Take off: ${ask} says name, account and whether all. */
CHECKED int clerk_remove(struct clerk *c, const struct clerk_asker *who,
    const struct map_ask *ask, time_t now, struct clerk_outcome *out,
    struct fault *f);

/* Approve or refuse what waits. */
CHECKED int clerk_decide(struct clerk *c, const struct clerk_asker *who,
    const struct map_ask *ask, time_t now, struct clerk_outcome *out,
    struct fault *f);

/* Each request that ${who} may see, from that after ${after} on ("": all), as
 * an object of texts; until ${fn} returns non-zero, which is returned.  ${all}:
 * also those that are over. */
struct json_t;
typedef int clerk_list_fn(void *arg, struct json_t *item);
int clerk_list(const struct clerk *c, const struct clerk_asker *who, bool all,
    const char *after, clerk_list_fn *fn, void *arg);

/* One of them; NULL and FAULT_ABSENT. */
CHECKED struct json_t *clerk_show(const struct clerk *c,
    const struct clerk_asker *who, const char *id, struct fault *f);

#endif
