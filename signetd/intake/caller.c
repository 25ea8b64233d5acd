/*
 * One connection of signet-issue: its request up to the end, then one answer.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "callout/callout_form.h"
#include "signetd/intake/intake.h"
#include "sys/net.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURN 16 /* connections taken before others have a chance */
#define SPEAK_MS 10000
#define PIECE 4096

struct caller {
	struct caller *next;
	struct caller **at; /* what points to it */
	struct intake *intake;
	int fd;
	struct loop_watch *watch;
	char account[CALL_ACCOUNT_SIZE];
	struct buf in;
	struct buf out;
	bool asked; /* its call is under way: no deadline but the call's */
	int64_t deadline;
};

static void
leave(struct caller *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	c->intake->connected--;
	loop_watch_free(c->watch);
	(void)close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

static void
flush(struct caller *c)
{
	struct intake *in = c->intake;

	while (c->out.len > 0) {
		ssize_t sent =
		    send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			loop_watch_set(c->watch, LOOP_WRITE);
			return;
		}
		if (sent <= 0)
			break;
		buf_eat(&c->out, (size_t)sent);
	}
	leave(c);
	intake_ended(in);
}

static void
answer(void *arg, const struct buf *bytes)
{
	struct caller *c = arg;

	c->asked = false;
	c->deadline = clock_mono() + SPEAK_MS;
	buf_put(&c->out, bytes->data, bytes->len);
	flush(c);
}

/* Whether nobody waits for the answer: he has not only said all he had to. */
static bool
has_gone(const struct caller *c)
{
	struct pollfd one = { .fd = c->fd };

	return poll(&one, 1, 0) > 0 && (one.revents & POLLHUP) != 0;
}

/* All is said: ${c} may be gone when this returns. */
static void
begin(struct caller *c)
{
	const struct call_from from = { c->account, answer, c };

	if (has_gone(c)) {
		leave(c);
		return;
	}
	loop_watch_set(c->watch, 0);
	c->asked = true;
	call_begin(c->intake->calls, &from, c->in.data, c->in.len,
	    clock_mono());
}

static void
refuse(struct caller *c, const char *text)
{
	const struct call_from from = { c->account, answer, c };
	struct fault f = { 0 };

	(void)fault_set(&f, FAULT_INPUT, "%s", text);
	loop_watch_set(c->watch, 0);
	call_refuse(&from, &f);
}

static void
hear(struct caller *c)
{
	uint8_t *room = buf_room(&c->in, PIECE);
	ssize_t got;

	if (room == NULL) {
		refuse(c, "a request is not so long");
		return;
	}
	got = recv(c->fd, room, PIECE, 0);
	if (got > 0)
		c->in.len += (size_t)got;
	else if (got == 0)
		begin(c);
	else if (errno != EAGAIN && errno != EINTR)
		leave(c);
}

static void
ready(void *arg, int fd, unsigned what)
{
	struct caller *c = arg;

	(void)fd;
	if ((what & LOOP_WRITE) != 0)
		flush(c);
	else
		hear(c);
}

/* A stranger is told at once and takes no place: nobody is kept out by those
 * who only connect. */
static void
tell_stranger(void *arg, const struct buf *bytes)
{
	const int *fd = arg;

	(void)send(*fd, bytes->data, bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static struct caller *
welcome(struct intake *in, int fd, const char *account)
{
	struct caller *c = calloc(1, sizeof(*c));
	struct fault f = { 0 };

	if (c == NULL)
		return NULL;
	c->intake = in;
	c->fd = fd;
	memcpy(c->account, account, strlen(account) + 1);
	c->in = BUF(CALLOUT_REQUEST_MAX + PIECE);
	c->out = BUF(CALLOUT_ANSWER_MAX);
	c->deadline = clock_mono() + SPEAK_MS;
	c->watch = loop_watch_new(in->role->loop, fd, LOOP_READ, ready, c, &f);
	if (c->watch == NULL) {
		log_fault(&f, NULL);
		free(c);
		return NULL;
	}
	c->next = in->callers;
	c->at = &in->callers;
	if (c->next != NULL)
		c->next->at = &c->next;
	in->callers = c;
	in->connected++;
	return c;
}

/* False if nothing became of it. */
static bool
enter(struct intake *in, int fd)
{
	struct fault f = { 0 };
	const char *account;
	uid_t uid;

	if (net_peer_uid(fd, &uid, &f) < 0) {
		log_fault(&f, NULL);
		return false;
	}
	if ((account = intake_account(in, uid)) == NULL) {
		intake_turn_away(in, uid, true, tell_stranger, &fd);
		return false;
	}
	if (in->connected == INTAKE_CALLS) {
		const struct call_from from = { account, tell_stranger, &fd };

		(void)fault_set(&f, FAULT_BUSY, "%zu are connected",
		    in->connected);
		call_refuse(&from, &f);
		return false;
	}
	return welcome(in, fd, account) != NULL;
}

static void
somebody(void *arg, int fd, unsigned what)
{
	struct intake *in = arg;

	(void)what;
	for (int i = 0; i < TURN; i++) {
		int conn =
		    accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn < 0)
			return;
		if (!enter(in, conn))
			(void)close(conn);
	}
}

int
caller_listen(struct intake *in, int fd, struct fault *f)
{
	if (in->door != NULL)
		return fault_set(f, FAULT_INTERNAL, "a second socket");
	in->listen = fd;
	in->door =
	    loop_watch_new(in->role->loop, fd, LOOP_READ, somebody, in, f);
	return in->door == NULL ? -1 : 0;
}

void
caller_stop(struct intake *in)
{
	if (in->door != NULL)
		loop_watch_set(in->door, 0);
}

void
callers_tick(struct intake *in, int64_t now)
{
	struct caller *c = in->callers;

	while (c != NULL) {
		struct caller *next = c->next;

		/* A call has a deadline of its own. */
		if (!c->asked && c->deadline <= now)
			leave(c);
		c = next;
	}
}
