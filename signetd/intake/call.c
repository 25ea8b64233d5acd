#include "signetd/intake/call.h"

#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "callout/callout_form.h"

#include <stdlib.h>
#include <string.h>

enum call_state {
	CALL_ASKING, /* auth looks who it is */
	CALL_SIGNING /* the issuer is at work */
};

struct call {
	uint32_t connection;
	enum call_state state;
	char ref[RAND_REF_SIZE];
	char peer[CALL_PEER_SIZE];
	char username[CALLOUT_USERNAME_SIZE];
	uint32_t lifetime;
	struct buf csr;
	call_answer_fn *answer;
	void *arg;
	int64_t deadline;
};

struct call_table {
	size_t most;
	size_t count;
	int64_t timeout_ms;
	uint32_t last; /* connection, so that no two are mistaken */
	struct channel *auth;
	struct channel *issuer;
	struct call *call[]; /* ${most} places, NULL where there is room */
};

struct call_table *
call_table_new(size_t most, int64_t timeout_ms, struct fault *f)
{
	struct call_table *t =
	    calloc(1, sizeof(*t) + most * sizeof(struct call *));

	if (t == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for calls");
		return NULL;
	}
	t->most = most;
	t->timeout_ms = timeout_ms;
	return t;
}

static void
free_call(struct call *call)
{
	buf_free(&call->csr);
	free(call);
}

void
call_table_free(struct call_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->most; i++)
		if (t->call[i] != NULL)
			free_call(t->call[i]);
	free(t);
}

void
call_table_attach(struct call_table *t, struct channel *auth,
    struct channel *issuer)
{
	t->auth = auth;
	t->issuer = issuer;
}

size_t
call_count(const struct call_table *t)
{
	return t->count;
}

bool
call_room(const struct call_table *t)
{
	return t->count < t->most;
}

/* ---- answers */

static void
say(call_answer_fn *fn, void *arg, const struct callout_answer *answer)
{
	OWN_BUF(bytes, CALLOUT_ANSWER_MAX);

	callout_answer_write(answer, &bytes);
	fn(arg, &bytes);
}

static void
say_no(call_answer_fn *fn, void *arg, enum fault_code code, const char *ref)
{
	struct callout_answer answer = { .fault = code };

	memcpy(answer.ref, ref, sizeof(answer.ref));
	say(fn, arg, &answer);
}

/* The account is the kernel's word and ours; what a name may hold is checked.
 */
static void
name_peer(char peer[CALL_PEER_SIZE], const char *account)
{
	if (text_fmt(peer, CALL_PEER_SIZE, "local:%s", account) < 0)
		memcpy(peer, "local", sizeof("local"));
}

void
call_refuse(const struct call_from *from, const struct fault *f)
{
	char ref[RAND_REF_SIZE], peer[CALL_PEER_SIZE];

	rand_ref(ref);
	name_peer(peer, from->account);
	LOG(REQUEST_REFUSED, LOG_TEXT("ref", ref), LOG_TEXT("peer", peer),
	    LOG_TEXT("code", fault_name(f->code)), LOG_TEXT("text", f->text));
	say_no(from->answer, from->arg, f->code, ref);
}

/* ---- the table */

static struct call **
place_of(struct call_table *t, uint32_t connection)
{
	for (size_t i = 0; i < t->most; i++)
		if (t->call[i] != NULL && t->call[i]->connection == connection)
			return &t->call[i];
	return NULL;
}

/* The call that an answer is for, if it waits for such a one. */
static struct call *
find(struct call_table *t, uint32_t connection, enum call_state state)
{
	struct call **place = place_of(t, connection);

	return place != NULL && (*place)->state == state ? *place : NULL;
}

/* Out of the table, before its answer is given: who hears that may begin the
 * next. */
static void
end(struct call_table *t, struct call *call,
    const struct callout_answer *answer)
{
	struct call **place = place_of(t, call->connection);

	*place = NULL;
	t->count--;
	say(call->answer, call->arg, answer);
	free_call(call);
}

static void
end_no(struct call_table *t, struct call *call, const struct fault *f)
{
	/* That one of us has gone is not that we cannot be reached. */
	struct callout_answer answer = {
		.fault = f->code == FAULT_UNREACHABLE ? FAULT_BUSY : f->code
	};

	memcpy(answer.ref, call->ref, sizeof(answer.ref));
	LOG(REQUEST_REFUSED, LOG_TEXT("ref", call->ref),
	    LOG_TEXT("peer", call->peer), LOG_TEXT("user", call->username),
	    LOG_TEXT("code", fault_name(f->code)), LOG_TEXT("text", f->text));
	end(t, call, &answer);
}

/* A code that came from another process. */
static enum fault_code
code_of(uint32_t fault)
{
	return fault > FAULT_NONE && fault < FAULT_COUNT
	    ? (enum fault_code)fault
	    : FAULT_INTERNAL;
}

/* ---- a call */

static int
ask_auth(const struct call_table *t, const struct call *call,
    const struct callout_request *r, struct fault *f)
{
	struct msg m = { .type = MSG_CALL_ASK };

	if (t->auth == NULL)
		return fault_set(f, FAULT_BUSY, "nobody to ask yet");
	m.call_ask.connection = call->connection;
	memcpy(m.call_ask.ref, call->ref, sizeof(call->ref));
	memcpy(m.call_ask.peer, call->peer, sizeof(call->peer));
	memcpy(m.call_ask.username, r->username, sizeof(r->username));
	memcpy(m.call_ask.profile, r->profile, sizeof(r->profile));
	return channel_say(t->auth, &m, f);
}

static struct call *
new_call(struct call_table *t, const struct call_from *from, int64_t now,
    struct fault *f)
{
	struct call *call;
	size_t place = 0;

	while (place < t->most && t->call[place] != NULL)
		place++;
	if (place == t->most) {
		(void)fault_set(f, FAULT_BUSY, "%zu calls are under way",
		    t->count);
		return NULL;
	}
	if ((call = calloc(1, sizeof(*call))) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a call");
		return NULL;
	}
	call->connection = ++t->last;
	call->answer = from->answer;
	call->arg = from->arg;
	call->deadline = now + t->timeout_ms;
	call->csr = BUF(CALLOUT_CSR_MAX);
	rand_ref(call->ref);
	name_peer(call->peer, from->account);
	t->call[place] = call;
	t->count++;
	return call;
}

void
call_begin(struct call_table *t, const struct call_from *from, const void *data,
    size_t len, int64_t now)
{
	struct callout_request r;
	struct fault f = { 0 };
	struct call *call;

	if (callout_request_read(&r, data, len, &f) < 0 ||
	    (call = new_call(t, from, now, &f)) == NULL) {
		call_refuse(from, &f);
		return;
	}
	memcpy(call->username, r.username, sizeof(call->username));
	call->lifetime = r.lifetime;
	buf_put(&call->csr, r.csr.data, r.csr.len);
	LOG(REQUEST, LOG_TEXT("ref", call->ref), LOG_TEXT("peer", call->peer),
	    LOG_TEXT("command", "CALLOUT"), LOG_TEXT("user", r.username));
	if (call->csr.failed)
		(void)fault_set(&f, FAULT_MEMORY, "request");
	else if (ask_auth(t, call, &r, &f) == 0)
		return;
	end_no(t, call, &f);
}

void
call_yes(struct call_table *t, const struct msg_call_yes *m)
{
	struct call *call = find(t, m->connection, CALL_ASKING);
	struct msg ask = { .type = MSG_CALL_SIGN };
	struct fault f = { 0 };
	int result;

	if (call == NULL)
		return;
	ask.call_sign.connection = call->connection;
	ask.call_sign.ticket = m->ticket;
	ask.call_sign.lifetime = call->lifetime;
	ask.call_sign.csr =
	    (struct wire_bytes){ call->csr.data, call->csr.len };
	call->state = CALL_SIGNING;
	result = t->issuer == NULL
	    ? fault_set(&f, FAULT_BUSY, "nobody to sign yet")
	    : channel_say(t->issuer, &ask, &f);
	if (result < 0)
		end_no(t, call, &f);
}

void
call_no(struct call_table *t, const struct msg_call_no *m)
{
	struct call *call = find(t, m->connection, CALL_ASKING);
	struct fault f = { 0 };

	if (call == NULL)
		return;
	(void)fault_set(&f, code_of(m->fault), "auth refused");
	end_no(t, call, &f);
}

void
call_signed(struct call_table *t, const struct msg_call_signed *m)
{
	struct call *call = find(t, m->connection, CALL_SIGNING);
	struct callout_answer answer = { .certificate = m->certificate,
		.chain = m->chain };
	struct fault f = { 0 };

	if (call == NULL)
		return;
	if (m->fault != FAULT_NONE || m->certificate.len == 0) {
		(void)fault_set(&f, code_of(m->fault), "the issuer refused");
		end_no(t, call, &f);
		return;
	}
	memcpy(answer.ref, call->ref, sizeof(answer.ref));
	end(t, call, &answer);
}

void
call_expire(struct call_table *t, int64_t now)
{
	for (size_t i = 0; i < t->most; i++) {
		struct call *call = t->call[i];
		struct fault f = { 0 };

		if (call == NULL || call->deadline > now)
			continue;
		(void)fault_set(&f, FAULT_TIMEOUT, "no answer from the %s",
		    call->state == CALL_ASKING ? "auth" : "issuer");
		end_no(t, call, &f);
	}
}
