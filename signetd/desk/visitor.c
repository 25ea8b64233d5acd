/*
 * One connection: by a Unix socket a line is a line, and the kernel says whose;
 * by TCP each is a frame that Kerberos has wrapped.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/desk/desk.h"
#include "sys/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE 16384
#define HANDSHAKE_MS 10000
#define IDLE_MS 600000
#define STUCK_MS 60000
#define PARTING_MS 2000
#define OUT_MAX ((size_t)8 << 20)
#define PER_SOURCE 16
#define TOLD_MS 1000

struct visitor {
	struct desk *desk;
	size_t place;
	int fd;
	struct loop_watch *watch;
	bool local;
	uid_t uid;
	struct krb_wrap *krb; /* NULL if local */
	bool proved;
	uint64_t source;
	char method[64];
	char peer[64];
	struct buf in;
	struct buf out;
	bool over;    /* leaves when all is said */
	bool parting; /* all is said */
	bool busy;    /* within hear_all() */
	struct errand *errand;
	int64_t deadline;
};

static const char *const services[] = { "office", "host", NULL };

struct desk *
visitor_desk(const struct visitor *v)
{
	return v->desk;
}

const char *
visitor_method(const struct visitor *v)
{
	return v->method;
}

const char *
visitor_peer(const struct visitor *v)
{
	return v->peer;
}

const char *
visitor_who(const struct visitor *v)
{
	if (!v->proved)
		return NULL;
	return v->local
	    ? staff_by_uid(v->desk->staff, v->uid)
	    : staff_by_principal(v->desk->staff, krb_wrap_principal(v->krb));
}

void
visitor_leave(struct visitor *v)
{
	v->desk->visitor[v->place] = NULL;
	if (v->errand != NULL)
		errand_orphan(v->errand);
	loop_watch_free(v->watch);
	krb_wrap_free(v->krb);
	buf_free(&v->in);
	buf_free(&v->out);
	(void)close(v->fd);
	free(v);
}

/* Strangers are logged once a second, or they would fill the log. */
static void
tell_stranger(struct desk *desk, const char *peer, const char *text)
{
	int64_t now = clock_mono();

	desk->strangers++;
	if (desk->strangers_told != 0 && now - desk->strangers_told < TOLD_MS)
		return;
	LOG(OFFICE_STRANGER, LOG_TEXT("peer", peer), LOG_TEXT("text", text),
	    LOG_NUMBER("count", desk->strangers));
	desk->strangers_told = now;
	desk->strangers = 0;
}

static void
watch(struct visitor *v)
{
	/* One who is told to leave is still written to; by TCP he must also
	 * be read from until he has left, or our last word may be lost. */
	loop_watch_set(v->watch,
	    (v->over && v->local ? 0 : LOOP_READ) |
		(v->out.len > 0 || v->over ? LOOP_WRITE : 0));
	if (v->parting)
		loop_watch_set(v->watch, LOOP_READ);
}

/* So long he may say nothing; or, if something is said to him, not hear it. */
static void
give_time(struct visitor *v)
{
	v->deadline = clock_mono() + (v->out.len > 0 ? STUCK_MS : IDLE_MS);
}

/* False if he has left. */
static bool
flush(struct visitor *v)
{
	while (v->out.len > 0) {
		ssize_t sent =
		    send(v->fd, v->out.data, v->out.len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return true;
		if (sent <= 0)
			return false;
		buf_eat(&v->out, (size_t)sent);
		give_time(v);
	}
	if (!v->over || v->parting)
		return true;
	if (v->local)
		return false;
	v->parting = shutdown(v->fd, SHUT_WR) == 0;
	v->deadline = clock_mono() + PARTING_MS;
	return v->parting;
}

static int
put_sealed(struct visitor *v, const struct buf *line, struct fault *f)
{
	OWN_BUF(sealed, KRB_FRAME_MAX);

	if (krb_wrap_seal(v->krb, (struct wire_bytes){ line->data, line->len },
		&sealed, f) < 0)
		return -1;
	krb_frame_put(&v->out, (struct wire_bytes){ sealed.data, sealed.len });
	return 0;
}

void
visitor_say(struct visitor *v, const struct buf *line)
{
	struct fault f = { 0 };

	if (v->over)
		return;
	if (v->local) {
		buf_put(&v->out, line->data, line->len);
		buf_put_u8(&v->out, '\n');
	} else if (put_sealed(v, line, &f) < 0) {
		log_fault(&f, NULL);
		v->over = true;
	}
	if (v->out.failed) {
		/* Who does not read what he asked for is not waited for. */
		v->out = BUF(OUT_MAX);
		v->over = true;
	}
	if (v->out.len > 0 && v->deadline > clock_mono() + STUCK_MS)
		v->deadline = clock_mono() + STUCK_MS;
	watch(v);
}

static void
refuse(struct visitor *v, const struct fault *why)
{
	struct fault f = { 0 };
	OWN_BUF(line, DESK_LINE_MAX);

	if (desk_fault_write(why, &line, &f) == 0)
		visitor_say(v, &line);
	v->over = true;
	watch(v);
}

/* One clear word to who is nobody here. */
static void
refuse_stranger(struct visitor *v)
{
	struct fault f = { 0 };
	uint64_t source = v->source;

	(void)fault_set(&f, FAULT_DENIED,
	    "%s is no administrator of this office", v->method);
	if (!v->local)
		source = guard_name(krb_wrap_principal(v->krb));
	if (guard_turns_away(v->desk->guard, source, clock_mono())) {
		v->over = true;
		watch(v);
		return;
	}
	guard_failed(v->desk->guard, source, clock_mono());
	tell_stranger(v->desk, v->peer, f.text);
	refuse(v, &f);
}

static void
heard_line(struct visitor *v, struct wire_bytes line)
{
	struct desk_ask ask;
	struct fault f = { 0 };

	v->deadline = clock_mono() + IDLE_MS;
	if (visitor_who(v) == NULL) {
		refuse_stranger(v);
		return;
	}
	if (desk_ask_read(line, &ask, &f) < 0) {
		refuse(v, &f);
		return;
	}
	errand_begin(v, &ask);
}

/* A token of the handshake. */
static void
heard_token(struct visitor *v, struct wire_bytes token)
{
	struct fault f = { 0 };
	OWN_BUF(out, KRB_TOKEN_MAX);
	enum krb_step step = krb_wrap_step(v->krb, token, &out, &f);

	if (step == KRB_FAILED) {
		guard_failed(v->desk->guard, v->source, clock_mono());
		tell_stranger(v->desk, v->peer, f.text);
		v->over = true;
		return;
	}
	if (out.len > 0)
		krb_frame_put(&v->out,
		    (struct wire_bytes){ out.data, out.len });
	if (step == KRB_MORE)
		return;
	v->proved = true;
	v->deadline = clock_mono() + IDLE_MS;
	if (text_fmt(v->method, sizeof(v->method), "kerberos %s",
		krb_wrap_principal(v->krb)) < 0)
		memcpy(v->method, "kerberos", sizeof("kerberos"));
	if (visitor_who(v) == NULL)
		refuse_stranger(v);
}

static void
heard_frame(struct visitor *v, struct wire_bytes frame)
{
	struct fault f = { 0 };
	OWN_BUF(line, DESK_LINE_MAX);

	if (!v->proved) {
		heard_token(v, frame);
		return;
	}
	if (krb_wrap_open(v->krb, frame, &line, &f) < 0) {
		tell_stranger(v->desk, v->peer, f.text);
		v->over = true;
		return;
	}
	heard_line(v, (struct wire_bytes){ line.data, line.len });
}

/* The next line or frame that is there: whether there was one. */
static bool
hear_one(struct visitor *v)
{
	struct fault f = { 0 };
	struct wire_bytes piece = { v->in.data, 0 };
	size_t eat;

	if (v->local) {
		const uint8_t *end =
		    v->in.len == 0 ? NULL : memchr(v->in.data, '\n', v->in.len);

		if (end == NULL)
			return false;
		piece.len = (size_t)(end - v->in.data);
		eat = piece.len + 1;
		heard_line(v, piece);
	} else {
		int found = krb_frame_next(&v->in,
		    v->proved ? KRB_FRAME_MAX : KRB_TOKEN_MAX, &piece, &f);

		if (found < 0)
			v->over = true;
		if (found <= 0)
			return false;
		eat = piece.len + KRB_FRAME_HEAD;
		heard_frame(v, piece);
	}
	buf_eat(&v->in, eat);
	return true;
}

/* All that is there, one errand after the other. */
static void
hear_all(struct visitor *v)
{
	v->busy = true;
	while (v->errand == NULL && !v->over && hear_one(v))
		continue;
	v->busy = false;
}

void
visitor_busy(struct visitor *v, struct errand *e)
{
	v->errand = e;
}

void
visitor_done(struct visitor *v)
{
	v->errand = NULL;
	give_time(v);
	if (!v->busy)
		hear_all(v);
	watch(v);
}

/* False if he has gone, or says more than a line may hold. */
static bool
receive(struct visitor *v)
{
	size_t most =
	    v->local ? DESK_LINE_MAX + 1 : KRB_FRAME_MAX + KRB_FRAME_HEAD;
	size_t room = most > v->in.len ? most - v->in.len : 0;
	uint8_t *at;
	ssize_t got;

	if (room > READ_SIZE)
		room = READ_SIZE;
	if (room == 0 || (at = buf_room(&v->in, room)) == NULL)
		return false;
	got = recv(v->fd, at, room, 0);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	v->in.len += (size_t)got;
	return got > 0;
}

static void
ready(void *arg, int fd, unsigned what)
{
	struct visitor *v = arg;

	(void)fd;
	if ((what & LOOP_READ) != 0) {
		if (!receive(v)) {
			visitor_leave(v);
			return;
		}
		if (v->over)
			buf_clear(&v->in);
		else
			hear_all(v);
	}
	if (!flush(v)) {
		visitor_leave(v);
		return;
	}
	watch(v);
}

static size_t
count_source(const struct desk *desk, uint64_t source)
{
	size_t count = 0;

	for (size_t i = 0; i < DESK_VISITORS; i++)
		if (desk->visitor[i] != NULL &&
		    desk->visitor[i]->source == source)
			count++;
	return count;
}

static int
find_out(struct visitor *v, const struct sockaddr *from, struct fault *f)
{
	if (v->local) {
		if (net_peer_uid(v->fd, &v->uid, f) < 0)
			return -1;
		v->proved = true;
		v->source = guard_uid(v->uid);
		memcpy(v->peer, "local", sizeof("local"));
		return text_fmt(v->method, sizeof(v->method), "uid %lu",
		    (unsigned long)v->uid);
	}
	v->source = guard_address(from);
	net_peer(v->fd, v->peer);
	memcpy(v->method, "kerberos", sizeof("kerberos"));
	if (v->desk->keys == NULL)
		return fault_set(f, FAULT_INTERNAL, "no keytab");
	v->krb = krb_wrap_accept(v->desk->keys, services, f);
	return v->krb == NULL ? -1 : 0;
}

/* Where there is room; if there is none, whoever has been silent for longest
 * before he said who he is, or is to leave, makes it: connections alone keep
 * nobody out. */
static size_t
find_place(struct desk *desk)
{
	struct visitor *silent = NULL;
	size_t place;

	for (size_t i = 0; i < DESK_VISITORS; i++) {
		struct visitor *v = desk->visitor[i];

		if (v == NULL)
			return i;
		if ((!v->proved || v->over) &&
		    (silent == NULL || v->deadline < silent->deadline))
			silent = v;
	}
	if (silent == NULL)
		return DESK_VISITORS;
	place = silent->place;
	tell_stranger(desk, silent->peer, "silent, and no place is left");
	visitor_leave(silent);
	return place;
}

static int
settle(struct visitor *v, const struct sockaddr *from, struct fault *f)
{
	struct desk *desk = v->desk;

	if (find_out(v, from, f) < 0)
		return -1;
	if (guard_turns_away(desk->guard, v->source, clock_mono()))
		return fault_set(f, FAULT_SLOWED, "too many failures");
	if (count_source(desk, v->source) >= PER_SOURCE)
		return fault_set(f, FAULT_BUSY,
		    "%d connections of yours are open at the office: try again "
		    "when one has ended",
		    PER_SOURCE);
	if ((v->place = find_place(desk)) == DESK_VISITORS)
		return fault_set(f, FAULT_BUSY,
		    "%d connections are open at the office: try again later",
		    DESK_VISITORS);
	v->watch =
	    loop_watch_new(desk->role->loop, v->fd, LOOP_READ, ready, v, f);
	return v->watch == NULL ? -1 : 0;
}

/* One of this host hears why there is no place for him, if he can. */
static void
turn_away(const struct visitor *v, const struct fault *why)
{
	struct fault f = { 0 };
	OWN_BUF(line, DESK_LINE_MAX + 1);

	tell_stranger(v->desk, v->peer, why->text);
	if (!v->local || why->code != FAULT_BUSY ||
	    desk_fault_write(why, &line, &f) < 0)
		return;
	buf_put_u8(&line, '\n');
	(void)send(v->fd, line.data, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
visitor_enter(struct desk_door *door, int fd, const struct sockaddr *from)
{
	struct visitor *v = calloc(1, sizeof(*v));
	struct fault f = { 0 };

	if (v == NULL) {
		(void)close(fd);
		return;
	}
	v->desk = door->desk;
	v->fd = fd;
	v->local = door->local;
	v->in = BUF(KRB_FRAME_MAX + 2 * READ_SIZE);
	v->out = BUF(OUT_MAX);
	v->deadline = clock_mono() + (v->local ? IDLE_MS : HANDSHAKE_MS);
	if (settle(v, from, &f) < 0) {
		turn_away(v, &f);
		krb_wrap_free(v->krb);
		(void)close(fd);
		free(v);
		return;
	}
	v->desk->visitor[v->place] = v;
	if (v->local && visitor_who(v) == NULL) {
		refuse_stranger(v);
		if (!flush(v))
			visitor_leave(v);
	}
}

void
visitors_tick(struct desk *desk, int64_t now)
{
	for (size_t i = 0; i < DESK_VISITORS; i++) {
		struct visitor *v = desk->visitor[i];

		/* An errand has a deadline of its own. */
		if (v == NULL || v->deadline > now ||
		    (v->errand != NULL && v->out.len == 0))
			continue;
		if (!v->proved && !v->over)
			guard_failed(desk->guard, v->source, now);
		visitor_leave(v);
	}
}
