/*
 * One connection: a line is a line, and the kernel says whose.  All of it is
 * over in two minutes: a person types a pass phrase before he comes.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "map_desk.h"
#include "map_holder.h"
#include "signet-map/base/map_proof.h"
#include "signet-map/base/map_say.h"
#include "sys/net.h"

#include <sys/socket.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE 16384
#define OUT_MAX ((size_t)4 << 20)
#define STAY_MS 120000
#define PER_USER 8
#define LIST_MOST 500
#define TOLD_MS 1000

struct caller {
	struct map_desk *desk;
	size_t place;
	int fd;
	struct loop_watch *watch;
	uid_t uid;
	int64_t deadline;
	struct buf in;
	struct buf out;
	bool over; /* leaves when all is said */
	/* What he is to sign, if ->holder has a name. */
	struct holder holder;
	char nonce[MAP_PROOF_NONCE];
	char time[CLOCK_TEXT_SIZE];
	char account[MAP_REQUEST_ACCOUNT_SIZE];
	char reason[256];
};

void
caller_leave(struct caller *c)
{
	c->desk->caller[c->place] = NULL;
	loop_watch_free(c->watch);
	holder_clear(&c->holder);
	buf_free(&c->in);
	buf_free(&c->out);
	(void)close(c->fd);
	free(c);
}

static void
refuse(struct caller *c, const char *verb, const struct fault *why)
{
	struct fault f = { 0 };

	LOG(MAP_REQUEST_REFUSED, LOG_NUMBER("uid", c->uid),
	    LOG_TEXT("verb", verb), LOG_TEXT("code", fault_name(why->code)),
	    LOG_TEXT("text", why->text));
	if (map_fault_write(why, &c->out, &f) < 0)
		c->over = true;
}

/* ---- add */

static void
complain(void *arg, const char *file, const struct fault *f)
{
	(void)arg;
	LOG(TRUST_FAULT, LOG_TEXT("file", file), LOG_TEXT("text", f->text));
}

/* A directory that cannot be read now is as it was. */
static int
look_at_trust(struct map_desk *desk, struct fault *f)
{
	struct trust_store *fresh;

	if (!trust_changed(desk->trust))
		return 0;
	if ((fresh = trust_reload(desk->trust, complain, NULL, f)) == NULL)
		return -1;
	trust_free(desk->trust);
	desk->trust = fresh;
	return 0;
}

static json_t *
outcome_json(const struct clerk_outcome *out, const char *account,
    const char *name)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "request", out->id, "state",
	    out->state, "account", account, "name", name);
}

static int
add_by_word(struct caller *c, const struct clerk_asker *who,
    const struct map_ask *ask, struct fault *f)
{
	const struct clerk_wish wish = { .account = c->account,
		.name = ask->name,
		.ca = "",
		.proof = "",
		.reason = ask->reason };
	struct clerk_outcome out;

	if (!who->admin)
		return fault_set(f, FAULT_DENIED,
		    "show the certificate: only an administrator may add a "
		    "name without it");
	if (clerk_add(c->desk->clerk, who, &wish, clock_wall(), &out, f) < 0)
		return -1;
	return map_answer_write(MAP_SAY_END,
	    outcome_json(&out, wish.account, wish.name), &c->out, f);
}

static int
challenge(struct caller *c, struct fault *f)
{
	uint8_t random[(MAP_PROOF_NONCE - 1) / 2];

	rand_bytes(random, sizeof(random));
	text_hex(random, sizeof(random), c->nonce);
	clock_text(clock_wall(), c->time);
	return map_answer_write(MAP_SAY_CHALLENGE,
	    json_pack("{s:s, s:s, s:s, s:s}", "nonce", c->nonce, "time",
		c->time, "account", c->account, "name", c->holder.name),
	    &c->out, f);
}

static int
do_add(struct caller *c, const struct clerk_asker *who, struct map_ask *ask,
    struct fault *f)
{
	struct fault trouble = { 0 };

	holder_clear(&c->holder);
	if (clerk_count(c->desk->clerk, who, clock_mono(), f) < 0 ||
	    clerk_account(c->desk->clerk, who, ask->account, c->account, f) < 0)
		return -1;
	if (ask->chain.len == 0)
		return add_by_word(c, who, ask, f);
	if (*ask->name != '\0')
		return fault_set(f, FAULT_USAGE,
		    "a certificate has its own name");
	if (look_at_trust(c->desk, &trouble) < 0)
		log_fault(&trouble, NULL);
	if (holder_read(&c->holder,
		(struct wire_bytes){ ask->chain.data, ask->chain.len },
		c->desk->trust, clock_wall(), f) < 0) {
		holder_clear(&c->holder);
		return -1;
	}
	memcpy(c->reason, ask->reason, sizeof(c->reason));
	return challenge(c, f);
}

/* One answer to one challenge, whatever it is worth. */
static int
do_prove(struct caller *c, const struct clerk_asker *who, struct map_ask *ask,
    struct fault *f)
{
	const struct map_proof proof = { c->nonce, c->time, c->uid, c->account,
		c->holder.name };
	const struct clerk_wish wish = { .account = c->account,
		.name = c->holder.name,
		.ca = c->holder.ca,
		.proof = c->holder.proof,
		.reason = c->reason };
	struct clerk_outcome out;
	int result;

	if (c->holder.chain.count == 0)
		return fault_set(f, FAULT_INPUT, "nothing is to be proved");
	result = map_proof_check(&proof, &c->holder.chain.cert[0]->spki,
	    (struct wire_bytes){ ask->signature.data, ask->signature.len }, f);
	if (result == 0)
		result = clerk_add(c->desk->clerk, who, &wish, clock_wall(),
		    &out, f);
	if (result == 0)
		result = map_answer_write(MAP_SAY_END,
		    outcome_json(&out, wish.account, wish.name), &c->out, f);
	holder_clear(&c->holder);
	return result;
}

/* ---- the others */

static int
do_remove(struct caller *c, const struct clerk_asker *who, struct map_ask *ask,
    struct fault *f)
{
	struct clerk_outcome out;

	if (clerk_count(c->desk->clerk, who, clock_mono(), f) < 0 ||
	    clerk_remove(c->desk->clerk, who, ask, clock_wall(), &out, f) < 0)
		return -1;
	return map_answer_write(MAP_SAY_END,
	    json_pack("{s:s, s:s}", "request", out.id, "state", out.state),
	    &c->out, f);
}

struct listing {
	struct caller *caller;
	size_t count;
	char last[MAP_REQUEST_ID_SIZE];
	struct fault *f;
};

static int
list_one(void *arg, json_t *item)
{
	struct listing *l = arg;
	const char *id = json_string_value(json_object_get(item, "request"));

	if (l->count == LIST_MOST) {
		json_decref(item);
		return 1;
	}
	if (id == NULL || text_copy(l->last, sizeof(l->last), id) < 0) {
		json_decref(item);
		return fault_set(l->f, FAULT_MEMORY, "a request");
	}
	l->count++;
	return map_answer_write(MAP_SAY_ITEM, item, &l->caller->out, l->f);
}

static int
do_list(struct caller *c, const struct clerk_asker *who, struct map_ask *ask,
    struct fault *f)
{
	struct listing l = { .caller = c, .f = f };
	int result = clerk_list(c->desk->clerk, who, *ask->all != '\0',
	    ask->after, list_one, &l);

	if (result < 0)
		return -1;
	return map_answer_write(MAP_SAY_END,
	    result == 0 ? json_object() : json_pack("{s:s}", "after", l.last),
	    &c->out, f);
}

static int
do_show(struct caller *c, const struct clerk_asker *who, struct map_ask *ask,
    struct fault *f)
{
	json_t *item = clerk_show(c->desk->clerk, who, ask->request, f);

	return item == NULL ? -1
			    : map_answer_write(MAP_SAY_END, item, &c->out, f);
}

static int
do_decide(struct caller *c, const struct clerk_asker *who, struct map_ask *ask,
    struct fault *f)
{
	struct clerk_outcome out;

	if (clerk_decide(c->desk->clerk, who, ask, clock_wall(), &out, f) < 0)
		return -1;
	return map_answer_write(MAP_SAY_END,
	    json_pack("{s:s, s:s}", "request", out.id, "state", out.state),
	    &c->out, f);
}

static int (*const errands[MAP_SAY_VERBS])(struct caller *c,
    const struct clerk_asker *who, struct map_ask *ask, struct fault *f) = {
	[MAP_SAY_ADD] = do_add,
	[MAP_SAY_PROVE] = do_prove,
	[MAP_SAY_REMOVE] = do_remove,
	[MAP_SAY_LIST] = do_list,
	[MAP_SAY_SHOW] = do_show,
	[MAP_SAY_APPROVE] = do_decide,
	[MAP_SAY_REFUSE] = do_decide,
};

static void
hear_line(struct caller *c, struct wire_bytes line)
{
	struct clerk_asker who;
	struct map_ask ask;
	struct fault f = { 0 };

	if (map_ask_read(line, &ask, &f) < 0) {
		refuse(c, "?", &f);
		c->over = true;
		return;
	}
	if (clerk_asker(c->desk->clerk, c->uid, &who, &f) < 0 ||
	    errands[ask.verb](c, &who, &ask, &f) < 0)
		refuse(c, map_say_word(ask.verb), &f);
	map_ask_clear(&ask);
}

/* ---- the socket */

/* False if he has left. */
static bool
flush(struct caller *c)
{
	while (c->out.len > 0) {
		ssize_t sent =
		    send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return true;
		if (sent <= 0)
			return false;
		buf_eat(&c->out, (size_t)sent);
	}
	return !c->over;
}

static bool
receive(struct caller *c)
{
	uint8_t *room = buf_room(&c->in, READ_SIZE);
	ssize_t got;

	if (room == NULL)
		return false;
	got = recv(c->fd, room, READ_SIZE, 0);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	c->in.len += (size_t)got;
	return got > 0;
}

/* Nothing is heard while he has not read what was said. */
static void
hear_all(struct caller *c)
{
	const uint8_t *end;
	struct fault f = { 0 };

	while (!c->over && c->out.len == 0 && c->in.len > 0 &&
	    (end = memchr(c->in.data, '\n', c->in.len)) != NULL) {
		size_t len = (size_t)(end - c->in.data);

		hear_line(c, (struct wire_bytes){ c->in.data, len });
		buf_eat(&c->in, len + 1);
		if (!flush(c)) {
			c->over = true;
			buf_clear(&c->out);
		}
	}
	if (!c->over && c->in.len > MAP_SAY_MAX) {
		(void)fault_set(&f, FAULT_INPUT, "a line of more than %d bytes",
		    MAP_SAY_MAX);
		refuse(c, "?", &f);
		c->over = true;
	}
}

static void
ready(void *arg, int fd, unsigned what)
{
	struct caller *c = arg;

	(void)fd;
	if ((what & LOOP_READ) != 0 && !receive(c)) {
		caller_leave(c);
		return;
	}
	if (!flush(c)) {
		caller_leave(c);
		return;
	}
	hear_all(c);
	if (c->out.failed || !flush(c)) {
		caller_leave(c);
		return;
	}
	loop_watch_set(c->watch,
	    c->out.len > 0 ? LOOP_WRITE : (unsigned)LOOP_READ);
}

static size_t
find_place(const struct map_desk *desk, uid_t uid, struct fault *f)
{
	size_t place = DESK_CALLERS, his = 0;

	for (size_t i = 0; i < DESK_CALLERS; i++) {
		if (desk->caller[i] == NULL)
			place = i;
		else if (desk->caller[i]->uid == uid)
			his++;
	}
	if (his < PER_USER && place < DESK_CALLERS)
		return place;
	(void)fault_set(f, FAULT_BUSY,
	    his < PER_USER ? "the desk is busy: try again later"
			   : "too many connections of yours are open");
	return DESK_CALLERS;
}

static void
turn_away(struct map_desk *desk, int fd, uid_t uid, const struct fault *why)
{
	OWN_BUF(line, MAP_SAY_MAX);
	struct fault f = { 0 };
	int64_t now = clock_mono();

	if (why->code == FAULT_BUSY &&
	    (desk->told_capped == 0 || now - desk->told_capped >= TOLD_MS)) {
		LOG(MAP_DESK_CAPPED, LOG_NUMBER("uid", uid));
		desk->told_capped = now;
	}
	if (map_fault_write(why, &line, &f) == 0)
		(void)send(fd, line.data, line.len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A user with a range of subordinate uids could else take every place, and
 * forget what was counted of him. */
static int
check_known(const struct map_desk *desk, uid_t uid, struct fault *f)
{
	struct clerk_asker who;

	if (clerk_asker(desk->clerk, uid, &who, f) < 0)
		return -1;
	if (*who.account == '\0' && !who.admin)
		return fault_set(f, FAULT_ABSENT, "uid %lu has no account here",
		    (unsigned long)uid);
	return 0;
}

void
caller_enter(struct map_desk *desk, int fd)
{
	struct caller *c = calloc(1, sizeof(*c));
	struct fault f = { 0 };
	uid_t uid = (uid_t)-1;
	size_t place = DESK_CALLERS;

	if (c == NULL || net_peer_uid(fd, &uid, &f) < 0 ||
	    check_known(desk, uid, &f) < 0 ||
	    (place = find_place(desk, uid, &f)) == DESK_CALLERS ||
	    (c->watch = loop_watch_new(desk->loop, fd, LOOP_READ, ready, c,
		 &f)) == NULL) {
		if (uid != (uid_t)-1)
			turn_away(desk, fd, uid, &f);
		free(c);
		(void)close(fd);
		return;
	}
	c->desk = desk;
	c->place = place;
	c->fd = fd;
	c->uid = uid;
	c->in = BUF(MAP_SAY_MAX + 2 * READ_SIZE);
	c->out = BUF(OUT_MAX);
	c->deadline = clock_mono() + STAY_MS;
	desk->caller[place] = c;
}

void
callers_tick(struct map_desk *desk, int64_t now_ms)
{
	for (size_t i = 0; i < DESK_CALLERS; i++)
		if (desk->caller[i] != NULL &&
		    desk->caller[i]->deadline <= now_ms)
			caller_leave(desk->caller[i]);
}
