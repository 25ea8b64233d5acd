/* The line to the desk. */
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "ca_desk.h"
#include "krb/krb_wrap.h"
#include "sys/net.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_MS 10000
#define PATIENCE_S 100 /* the desk gives up before */
#define READ_SIZE 16384
#define HOST_SIZE 256
#define BUSY_TRIES 8 /* some thirteen seconds in all */
#define FIRST_WAIT_MS 50

struct ca_desk {
	int fd;
	struct krb_wrap *krb; /* NULL: a Unix socket */
	struct buf in;
};

void
ca_desk_free(struct ca_desk *d)
{
	if (d == NULL)
		return;
	krb_wrap_free(d->krb);
	buf_free(&d->in);
	if (d->fd >= 0)
		(void)close(d->fd);
	free(d);
}

static int
lost(struct fault *f)
{
	return fault_set(f, FAULT_UNREACHABLE,
	    "the daemon ended the conversation; run the command again");
}

/* More of what the other end says.  0 at its end. */
static int
receive(struct ca_desk *d, struct fault *f)
{
	uint8_t *at = buf_room(&d->in, READ_SIZE);
	ssize_t got;

	if (at == NULL)
		return fault_set(f, FAULT_INPUT,
		    "the answer is longer than it may be");
	do
		got = recv(d->fd, at, READ_SIZE, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return fault_set(f, FAULT_TIMEOUT,
		    "the daemon does not answer");
	if (got <= 0)
		return lost(f);
	d->in.len += (size_t)got;
	return 0;
}

/* The other end may have said why it leaves: what cannot be sent is no fault
 * until it turns out that nothing is to be read either. */
static void
transmit(struct ca_desk *d, const struct buf *out)
{
	for (size_t at = 0; at < out->len;) {
		ssize_t sent =
		    send(d->fd, out->data + at, out->len - at, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return;
		at += (size_t)sent;
	}
}

static int
next_frame(struct ca_desk *d, size_t max, struct wire_bytes *frame,
    struct fault *f)
{
	int found;

	while ((found = krb_frame_next(&d->in, max, frame, f)) == 0)
		if (receive(d, f) < 0)
			return -1;
	return found < 0 ? -1 : 0;
}

/* ---- Kerberos */

static int
say_token(struct ca_desk *d, const struct buf *token, struct fault *f)
{
	OWN_BUF(out, KRB_FRAME_MAX);

	if (token->len == 0)
		return 0;
	krb_frame_put(&out, (struct wire_bytes){ token->data, token->len });
	if (out.failed)
		return fault_set(f, FAULT_MEMORY, "Kerberos token");
	transmit(d, &out);
	return 0;
}

static int
shake_hands(struct ca_desk *d, const struct buf *first, struct fault *f)
{
	enum krb_step step = KRB_MORE;

	if (say_token(d, first, f) < 0)
		return -1;
	while (step == KRB_MORE) {
		OWN_BUF(token, KRB_TOKEN_MAX);
		struct wire_bytes frame;

		if (next_frame(d, KRB_TOKEN_MAX, &frame, f) < 0)
			return f->code == FAULT_UNREACHABLE
			    ? fault_set(f, FAULT_LOGIN,
				  "the daemon does not accept our ticket, or "
				  "too many are there; its log says why")
			    : -1;
		step = krb_wrap_step(d->krb, frame, &token, f);
		buf_eat(&d->in, frame.len + KRB_FRAME_HEAD);
		if (step == KRB_FAILED || say_token(d, &token, f) < 0)
			return -1;
	}
	return 0;
}

/* A ticket for office@HOST, or host@HOST where there is no such service. */
static int
get_ticket(struct ca_desk *d, const char *host, struct buf *first,
    struct fault *f)
{
	static const char *const services[] = { "office", "host" };

	for (size_t i = 0; i < 2; i++) {
		krb_wrap_free(d->krb);
		d->krb = krb_wrap_initiate(services[i], host, f);
		if (d->krb == NULL)
			return -1;
		buf_clear(first);
		if (krb_wrap_step(d->krb, (struct wire_bytes){ NULL, 0 }, first,
			f) != KRB_FAILED)
			return 0;
		if (f->code == FAULT_ABSENT || f->code == FAULT_EXPIRED ||
		    f->code == FAULT_UNREACHABLE)
			return -1;
	}
	return -1;
}

static int
open_kerberos(struct ca_desk *d, const char *where, struct fault *f)
{
	char host[HOST_SIZE];
	uint16_t port;
	OWN_BUF(first, KRB_TOKEN_MAX);

	if (net_split(where, CA_DESK_PORT, host, sizeof(host), &port, f) < 0 ||
	    get_ticket(d, host, &first, f) < 0 ||
	    (d->fd = net_connect(host, port, CONNECT_MS, f)) < 0)
		return -1;
	return shake_hands(d, &first, f);
}

/* ---- both */

static int
set_patience(int fd, struct fault *f)
{
	const struct timeval limit = { .tv_sec = PATIENCE_S };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) <
		0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return fault_set(f, FAULT_SYSTEM, "socket: %s",
		    strerror(errno));
	return 0;
}

struct ca_desk *
ca_desk_open(const char *office, struct fault *f)
{
	const char *where = office != NULL ? office : CA_DESK_SOCKET;
	OWN_STRUCT(ca_desk) d = calloc(1, sizeof(*d));
	int result;

	if (d == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "office");
		return NULL;
	}
	d->fd = -1;
	d->in = BUF(KRB_FRAME_MAX + 2 * READ_SIZE);
	if (*where == '/')
		result = d->fd = net_connect_local(where, f);
	else
		result = open_kerberos(d, where, f);
	if (result < 0) {
		(void)fault_wrap(f, "office %s", where);
		return NULL;
	}
	return set_patience(d->fd, f) < 0 ? NULL : TAKE(d);
}

static int
say(struct ca_desk *d, const struct desk_ask *ask, struct fault *f)
{
	OWN_BUF(line, DESK_LINE_MAX + 1);
	OWN_BUF(sealed, KRB_FRAME_MAX);
	OWN_BUF(out, KRB_FRAME_MAX + KRB_FRAME_HEAD);

	if (desk_ask_write(ask, &line, f) < 0)
		return -1;
	if (d->krb == NULL) {
		buf_put(&out, line.data, line.len);
		buf_put_u8(&out, '\n');
	} else {
		if (krb_wrap_seal(d->krb,
			(struct wire_bytes){ line.data, line.len }, &sealed,
			f) < 0)
			return -1;
		krb_frame_put(&out,
		    (struct wire_bytes){ sealed.data, sealed.len });
	}
	if (out.failed)
		return fault_set(f, FAULT_MEMORY, "what is to be said");
	transmit(d, &out);
	return 0;
}

static int
hear_line(struct ca_desk *d, struct desk_answer *a, struct fault *f)
{
	const uint8_t *end;
	size_t len;
	int result;

	while (d->in.len == 0 ||
	    (end = memchr(d->in.data, '\n', d->in.len)) == NULL)
		if (receive(d, f) < 0)
			return -1;
	len = (size_t)(end - d->in.data);
	result = desk_answer_read((struct wire_bytes){ d->in.data, len }, a, f);
	buf_eat(&d->in, len + 1);
	return result;
}

static int
hear_frame(struct ca_desk *d, struct desk_answer *a, struct fault *f)
{
	OWN_BUF(line, DESK_LINE_MAX + 1);
	struct wire_bytes frame;
	int result;

	if (next_frame(d, KRB_FRAME_MAX, &frame, f) < 0)
		return -1;
	result = krb_wrap_open(d->krb, frame, &line, f);
	buf_eat(&d->in, frame.len + KRB_FRAME_HEAD);
	if (result < 0)
		return -1;
	return desk_answer_read((struct wire_bytes){ line.data, line.len }, a,
	    f);
}

json_t *
ca_desk_ask(struct ca_desk *d, const struct desk_ask *ask, ca_desk_item_fn *fn,
    void *arg, struct fault *f)
{
	struct desk_answer a;

	if (say(d, ask, f) < 0)
		return NULL;
	for (;;) {
		int result =
		    d->krb == NULL ? hear_line(d, &a, f) : hear_frame(d, &a, f);

		if (result < 0)
			return NULL;
		if (a.kind == DESK_END)
			return a.body;
		if (a.kind == DESK_FAULT) {
			(void)fault_set(f, a.fault, "%s", a.text);
			return NULL;
		}
		result = fn != NULL ? fn(arg, a.body) : 0;
		desk_answer_clear(&a);
		if (result != 0) {
			(void)fault_set(f, FAULT_FAILED, "ended");
			return NULL;
		}
	}
}

static json_t *
try_once(const char *office, const struct desk_ask *ask, struct fault *f)
{
	OWN_STRUCT(ca_desk) d = ca_desk_open(office, f);

	return d == NULL ? NULL : ca_desk_ask(d, ask, NULL, NULL, f);
}

/* Nobody waits at the desk, so that one who finds it full comes again; not all
 * at the same time. */
static void
wait_outside(int times)
{
	int64_t ms = ((int64_t)FIRST_WAIT_MS << times) + getpid() % 64;
	const struct timespec pause = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&pause, NULL);
}

json_t *
ca_desk_once(const char *office, const struct desk_ask *ask, struct fault *f)
{
	json_t *body = try_once(office, ask, f);

	for (int i = 0; body == NULL && f->code == FAULT_BUSY && i < BUSY_TRIES;
	     i++) {
		wait_outside(i);
		memset(f, 0, sizeof(*f));
		body = try_once(office, ask, f);
	}
	return body;
}

const char *
ca_desk_text(const json_t *body, const char *name)
{
	const char *text = json_string_value(json_object_get(body, name));

	return text != NULL ? text : "";
}

long long
ca_desk_number(const json_t *body, const char *name)
{
	return json_integer_value(json_object_get(body, name));
}

int
ca_desk_print(json_t *body, struct fault *f)
{
	int result = json_dumpf(body, stdout, JSON_COMPACT);

	json_decref(body);
	if (result < 0)
		return fault_set(f, FAULT_SYSTEM, "standard output");
	putchar('\n');
	return 0;
}
