#include "signetd/front/guest.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/secret.h"
#include "myproxy/myproxy_text.h"
#include "signetd/front/house.h"
#include "sys/net.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TLS_HANDSHAKE_RECORD 0x16 /* RFC 8446 5.1 */
#define LINGER_MS 2000
#define LINGER_TURN 16

enum phase {
	PHASE_SILENT,  /* nothing has come yet */
	PHASE_SHAKING, /* TLS handshake */
	PHASE_JUDGED,  /* a revocation list is read that he is judged by */
	PHASE_TALKING,
	PHASE_LEAVING /* all is said; the client may still be reading */
};

struct guest {
	struct house *house;
	int fd;
	uint32_t id;
	enum phase phase;
	unsigned watching;
	bool behind; /* there may be bytes that the kernel has no longer */
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct tls *tls;
	struct visit *visit;
	int64_t entered;
	int64_t deadline;
	int64_t quiet_at;
};

static void
watch(struct guest *g, unsigned what)
{
	if (g->watching == what)
		return;
	g->watching = what;
	loop_watch_set(g->watch, what);
}

static void
end_visit(struct guest *g)
{
	if (g->visit != NULL)
		visit_end(g->visit);
	free(g->visit);
	g->visit = NULL;
	tls_free(g->tls);
	g->tls = NULL;
}

static void
leave(struct guest *g)
{
	struct house *house = g->house;

	end_visit(g);
	loop_watch_free(g->watch);
	loop_timer_free(g->timer);
	(void)close(g->fd);
	crowd_leave(house->crowd, g->id);
	free(g);
	house_left(house);
}

static void
set_timer(struct guest *g)
{
	int64_t due = g->deadline;

	if (g->phase == PHASE_TALKING && visit_minds_quiet(g->visit) &&
	    g->quiet_at < due)
		due = g->quiet_at;
	due -= clock_mono();
	loop_timer_set(g->timer, due > 0 ? due : 0);
}

/*
 * All is said.  To close now would make the kernel throw away what the client
 * has not read yet if it sends more, so that is read first, for a while.
 */
static void
linger(struct guest *g)
{
	end_visit(g);
	g->phase = PHASE_LEAVING;
	g->deadline = clock_mono() + LINGER_MS;
	(void)shutdown(g->fd, SHUT_WR);
	watch(g, LOOP_READ);
	set_timer(g);
}

/* What the stock server says to whom it cannot speak TLS with: PROTOCOL 12. */
static void
refuse_in_clear(struct guest *g)
{
	OWN_BUF(out, 256);

	myproxy_write_error(&out, "authentication failed");
	/* If even that finds no room, closing must say it. */
	if (send(g->fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		leave(g);
		return;
	}
	linger(g);
}

static void
finish(struct guest *g)
{
	if (g->visit->in_clear)
		refuse_in_clear(g);
	else if (g->visit->refused || g->visit->in.len > 0)
		linger(g);
	else
		/* The usual end: the client has sent all it had to. */
		leave(g);
}

/* Send what waits.  False if it cannot all be sent now, or if he has gone and
 * ${g} with him. */
static bool
flush(struct guest *g)
{
	struct wire_bytes record;
	struct fault f = { 0 };

	while (visit_out(g->visit, &record)) {
		/* After the very last word the connection is closed at once:
		 * its end can go in the same segment. */
		tls_more(g->tls,
		    g->visit->out_count > 1 || g->visit->state == VISIT_OVER);
		switch (tls_write(g->tls, record.data, record.len, &f)) {
		case TLS_DONE:
			visit_sent(g->visit);
			break;
		case TLS_WANT_WRITE:
			g->behind = true;
			watch(g, LOOP_WRITE);
			set_timer(g);
			return false;
		case TLS_WANT_READ:
			g->behind = true;
			watch(g, LOOP_READ);
			set_timer(g);
			return false;
		case TLS_FAILED:
			log_fault(&f, g->visit->ref);
			leave(g);
			return false;
		case TLS_CLOSED:
			leave(g);
			return false;
		}
	}
	return true;
}

/* Take one record.  False if there is nothing to be done now, or if ${g} has
 * gone; *${more} says whether there may be another one at once. */
static bool
take_record(struct guest *g, bool *more)
{
	struct house *house = g->house;
	struct fault f = { 0 };
	size_t got;

	*more = false;
	switch (tls_read(g->tls, house->record, sizeof(house->record), &got,
	    &f)) {
	case TLS_DONE:
		visit_bytes(g->visit, house->record, got);
		secret_wipe(house->record, got);
		g->quiet_at = clock_mono() + VISIT_QUIET_MS;
		/* Of what the kernel still has the loop will tell. */
		*more = g->behind = tls_pending(g->tls);
		return true;
	case TLS_WANT_READ:
		g->behind = false;
		return true;
	case TLS_WANT_WRITE:
		g->behind = true;
		watch(g, LOOP_WRITE);
		set_timer(g);
		return false;
	case TLS_FAILED:
		log_fault(&f, g->visit->ref);
		leave(g);
		return false;
	case TLS_CLOSED:
		leave(g);
		return false;
	}
	return true;
}

static void
talk(struct guest *g, bool may_read)
{
	bool more = may_read || g->behind;

	for (;;) {
		if (!flush(g))
			return;
		if (g->visit->state == VISIT_OVER) {
			finish(g);
			return;
		}
		if (!visit_reads(g->visit)) {
			g->behind = true;
			watch(g, 0);
			break;
		}
		if (!more) {
			watch(g, LOOP_READ);
			break;
		}
		if (!take_record(g, &more))
			return;
	}
	set_timer(g);
}

/*
 * Who he is: 1 if he has to wait until that can be said.
 *
 * Who shows a certificate that proves nothing goes on as anonymous, rather
 * than be refused: it is what grid clients try next, and with TLS 1.3 the
 * stock client would learn of a refusal too late to try anything.
 */
static int
identify(struct guest *g, struct fault *f)
{
	struct cert_list chain = { 0 };
	struct visit *v = g->visit;
	bool limited = false;
	char *identity;
	int result = 0;

	if (tls_peer_chain(g->tls, &chain, f) == 0) {
		if (chain.count == 0)
			return 0;
		identity = roots_judge(g->house->roots, &chain, &limited, f);
		cert_list_free(&chain);
		if (identity != NULL) {
			result = visit_identify(v, identity, limited, f);
			free(identity);
			return result;
		}
		if (f->code == FAULT_BUSY)
			return 1;
	}
	LOG(CLIENT_UNPROVEN, LOG_TEXT("ref", v->ref), LOG_TEXT("peer", v->peer),
	    LOG_TEXT("code", fault_name(f->code)), LOG_TEXT("text", f->text));
	return 0;
}

static void
start_talk(struct guest *g)
{
	struct fault f = { 0 };
	int waits = identify(g, &f);

	if (waits < 0) {
		log_fault(&f, g->visit->ref);
		leave(g);
		return;
	}
	if (waits > 0) {
		g->phase = PHASE_JUDGED;
		watch(g, 0);
		return;
	}
	g->phase = PHASE_TALKING;
	g->deadline = g->entered + 1000 * g->house->role->conf.request_timeout;
	visit_greet(g->visit, tls_is_13(g->tls));
	g->behind = tls_pending(g->tls);
	talk(g, false);
}

static void
shake(struct guest *g)
{
	struct fault f = { 0 };

	switch (tls_handshake(g->tls, &f)) {
	case TLS_DONE:
		start_talk(g);
		return;
	case TLS_WANT_READ:
		watch(g, LOOP_READ);
		return;
	case TLS_WANT_WRITE:
		watch(g, LOOP_WRITE);
		return;
	case TLS_CLOSED:
		leave(g);
		return;
	case TLS_FAILED:
		LOG(REQUEST_REFUSED, LOG_TEXT("ref", g->visit->ref),
		    LOG_TEXT("peer", g->visit->peer),
		    LOG_TEXT("code", fault_name(f.code)),
		    LOG_TEXT("text", f.text));
		refuse_in_clear(g);
		return;
	}
}

/* A guest costs little until he has said something. */
static int
begin(struct guest *g, struct fault *f)
{
	char peer[NET_NAME_SIZE];

	net_peer(g->fd, peer);
	if ((g->visit = malloc(sizeof(*g->visit))) == NULL)
		return fault_set(f, FAULT_MEMORY, "a visit");
	if (visit_begin(g->visit, &g->house->visits, g->id, peer, f) < 0) {
		free(g->visit);
		g->visit = NULL;
		return -1;
	}
	LOG(CONNECTED, LOG_TEXT("ref", g->visit->ref), LOG_TEXT("peer", peer));
	if ((g->tls = tls_accept(g->house->tls, g->fd, f)) == NULL)
		return -1;
	g->phase = PHASE_SHAKING;
	return 0;
}

static void
first_byte(struct guest *g)
{
	struct fault f = { 0 };
	uint8_t byte;
	ssize_t n = recv(g->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		leave(g);
		return;
	}
	if (byte != TLS_HANDSHAKE_RECORD) {
		refuse_in_clear(g);
		return;
	}
	if (begin(g, &f) < 0) {
		log_fault(&f, NULL);
		leave(g);
		return;
	}
	shake(g);
}

/* Read on until the client has closed, or has sent more than he should. */
static void
see_off(struct guest *g)
{
	struct house *house = g->house;

	for (int i = 0; i < LINGER_TURN; i++) {
		ssize_t n = recv(g->fd, house->record, sizeof(house->record),
		    MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;
	}
	leave(g);
}

static void
guest_ready(void *arg, int fd, unsigned ready)
{
	struct guest *g = arg;

	(void)fd;
	(void)ready;
	switch (g->phase) {
	case PHASE_SILENT:
		first_byte(g);
		return;
	case PHASE_SHAKING:
		shake(g);
		return;
	case PHASE_JUDGED:
		return;
	case PHASE_TALKING:
		talk(g, true);
		return;
	case PHASE_LEAVING:
		see_off(g);
		return;
	}
}

static void
guest_due(void *arg)
{
	struct guest *g = arg;
	bool late = clock_mono() >= g->deadline;

	if (g->phase != PHASE_TALKING ||
	    (late && g->visit->state == VISIT_OVER)) {
		leave(g);
		return;
	}
	if (late) {
		visit_refuse(g->visit, FAULT_TIMEOUT);
		g->deadline = clock_mono() + LINGER_MS;
	} else {
		visit_quiet(g->visit);
		g->quiet_at = g->deadline;
	}
	talk(g, false);
}

int
guest_enter(struct house *house, int fd, const struct sockaddr *from,
    struct fault *f)
{
	struct guest *g = calloc(1, sizeof(*g));
	struct loop *loop = house->role->loop;

	if (g == NULL)
		return fault_set(f, FAULT_MEMORY, "a guest");
	g->house = house;
	g->fd = fd;
	g->phase = PHASE_SILENT;
	g->entered = clock_mono();
	g->deadline = g->entered + 1000 * house->role->conf.handshake_timeout;
	g->watching = LOOP_READ;
	if ((g->timer = loop_timer_new(loop, guest_due, g, f)) != NULL &&
	    (g->watch = loop_watch_new(loop, fd, LOOP_READ, guest_ready, g,
		 f)) != NULL &&
	    crowd_enter(house->crowd, from, g, &g->id, f) == 0) {
		set_timer(g);
		return 0;
	}
	loop_watch_free(g->watch);
	loop_timer_free(g->timer);
	free(g);
	return -1;
}

void
guest_heard(struct guest *g, const struct msg *m)
{
	if (g->phase != PHASE_TALKING)
		return;
	visit_heard(g->visit, m);
	talk(g, false);
}

void
guest_again(struct guest *g)
{
	if (g->phase == PHASE_JUDGED)
		start_talk(g);
}

void
guest_dismiss(struct guest *g, bool all)
{
	if (g->phase == PHASE_SILENT || (all && g->phase != PHASE_TALKING)) {
		leave(g);
		return;
	}
	if (!all)
		return;
	visit_refuse(g->visit, FAULT_BUSY);
	g->deadline = clock_mono() + LINGER_MS;
	talk(g, false);
}
