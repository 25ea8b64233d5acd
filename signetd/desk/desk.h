#ifndef SIGNETD_DESK_DESK_H
#define SIGNETD_DESK_DESK_H

#include "base/buf.h"
#include "base/checked.h"
#include "ipc/channel.h"
#include "krb/krb_wrap.h"
#include "office/desk_text.h"
#include "office/office_rules.h"
#include "office/staff.h"
#include "signetd/desk/guard.h"
#include "signetd/role.h"

#include <sys/socket.h>

/*
 * The office's desk: who comes (visitor.c), what he wants (errand.c and its
 * sisters), and what is done without anybody coming (sweep.c).  It decides who
 * may do what; that it is written down is the keeper's work, and that nothing
 * is issued against the rules, the issuer's.
 */
struct fault;
struct errand;
struct visitor;

#define DESK_VISITORS 64
/* Of each visitor one, and sweeps.  An errand's number says its place, also
 * when numbers begin anew. */
#define DESK_ERRANDS 128
_Static_assert(DESK_ERRANDS > DESK_VISITORS &&
	(UINT32_MAX % DESK_ERRANDS) == DESK_ERRANDS - 1,
    "numbers of errands divide 2^32");
#define DESK_DOORS 17

struct desk_door {
	struct desk *desk;
	struct loop_watch *watch;
	int fd;
	bool local;
};

struct desk {
	struct role *role;
	struct staff *staff;
	struct office_rules *rules;
	struct krb_keys *keys; /* NULL: nobody is heard from elsewhere */
	struct guard *guard;
	struct channel *keeper;
	struct channel *issuer;
	struct loop_timer *tick;
	struct desk_door door[DESK_DOORS];
	size_t doors;
	struct visitor *visitor[DESK_VISITORS];
	struct errand *errand[DESK_ERRANDS];
	uint32_t turn;
	bool owed; /* something approved could not be signed just then */
	int64_t sweep_at;
	int64_t strangers_told;
	unsigned strangers;
};

/* ---- visitors: visitor.c */

/* Somebody has come through ${door}; ${fd} is taken over. */
void visitor_enter(struct desk_door *door, int fd, const struct sockaddr *from);
void visitor_leave(struct visitor *v);

/* Say one line. */
void visitor_say(struct visitor *v, const struct buf *line);
/* He waits for ${e}; it is done, and he may ask again. */
void visitor_busy(struct visitor *v, struct errand *e);
void visitor_done(struct visitor *v);
/* Each second: see off those whose time is over. */
void visitors_tick(struct desk *desk, int64_t now);

struct desk *visitor_desk(const struct visitor *v);
const char *visitor_method(const struct visitor *v);
const char *visitor_peer(const struct visitor *v);
/* His name in the staff file as it is now; NULL if he is in it no more. */
const char *visitor_who(const struct visitor *v);

/* ---- errands: errand.c */

#define ERRAND_VOTES 128

struct errand;
typedef void errand_fn(struct errand *e);

struct errand {
	uint32_t id;
	struct desk *desk;
	struct visitor *visitor; /* NULL: nobody waits (any more) */
	struct desk_ask ask;
	char who[STAFF_NAME_SIZE];
	char method[64];
	char peer[64];
	char ref[16];
	unsigned roles; /* STAFF_ bits */
	int64_t deadline;
	errand_fn *next; /* when the keeper or the issuer has answered */
	/* What it answered. */
	struct fault fault;
	struct msg_kept kept;
	/* The request it is about, as last found. */
	struct msg_request_row row; /* its file is in ${file} */
	struct buf file;
	size_t votes;
	struct office_vote vote[ERRAND_VOTES];
	struct json_t *decisions;
	struct buf certificate; /* what came of it, or what it renews */
	bool gone;		/* ${certificate} is revoked, or held */
	char cert_profile[64];	/* by which it was issued */
	bool tried;		/* to sign it */
	struct fault problem;	/* that came of it */
	unsigned told;		/* rows of a list, or events */
	/* Of one who watches. */
	uint64_t after;
	bool parked;
	int64_t ask_at;
	/* Of a sweep: struct errand_due, those still to be signed. */
	struct buf due;
};

/* Begin what ${ask} wants for ${v} (NULL: a sweep, begun by the caller).  Takes
 * what ${ask} holds. */
void errand_begin(struct visitor *v, struct desk_ask *ask);
struct errand *errand_new(struct desk *desk, struct fault *f);
void errand_end(struct errand *e);
/* Who asked has left. */
void errand_orphan(struct errand *e);
void errands_tick(struct desk *desk, int64_t now);
/* Keeper or issuer say something. */
void errand_heard(struct desk *desk, const struct msg *m);

/* Answer with an item; with the last line, which ends ${e}; with a fault, which
 * ends it too. */
void errand_item(struct errand *e, struct json_t *body);
void errand_answer(struct errand *e, struct json_t *body);
void errand_fail(struct errand *e, const struct fault *why);
/* Ask, and go on with ${next}. */
void errand_ask(struct errand *e, struct channel *to, const struct msg *m,
    errand_fn *next);

/* A request as people see it. */
struct json_t *errand_request_json(const struct errand *e,
    const struct msg_request_row *row);
/* A moment as text. */
void errand_put_time(struct json_t *object, const char *name, uint64_t when);

/* Find the errand's request (again), and go on with ${next}. */
/* The same for the certificate ${serial} of the CA of its request. */
void errand_find_cert(struct errand *e, const char *serial, errand_fn *next);
void errand_find(struct errand *e, errand_fn *next);
/* If it has what it takes, have it signed; then answer how it stands. */
void errand_consider(struct errand *e);
/* Something is new: those who watch are told. */
void errand_changed(struct desk *desk);

/* What each verb begins with. */
void errand_whoami(struct errand *e);
void errand_submit(struct errand *e);
void errand_list(struct errand *e);
void errand_show(struct errand *e);
void errand_approve(struct errand *e);
void errand_reject(struct errand *e);
void errand_withdraw(struct errand *e);
void errand_fetch(struct errand *e);
void errand_revoke(struct errand *e);
void errand_release(struct errand *e);
void errand_search(struct errand *e);
void errand_watch(struct errand *e);

/* Of rows that came: errand_look.c. */
void errand_list_row(struct errand *e, const struct msg_request_row *row);
void errand_cert_row(struct errand *e, const struct msg_cert_row *row);
void errand_event_row(struct errand *e, const struct msg_event_row *row);
void errand_watch_again(struct errand *e);

/* ---- without being asked: sweep.c */

/* Sign all that is approved and was not signed. */
void desk_sweep(struct desk *desk);
void sweep_row(struct errand *e, const struct msg_request_row *row);

#endif
