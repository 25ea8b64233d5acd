#ifndef AUTH_AUTH_PROBE_H
#define AUTH_AUTH_PROBE_H

/*
 * For _test.c: auth without its process.  The test is all others: the front end
 * that asks, the workers, and the issuer that hears who it is; each at the far
 * end of a channel, so that what may not be said cannot be said here either.
 */

#include "base/clock.h"
#include "base/fault.h"
#include "base/unit.h"
#include "signetd/auth/auth.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBE_REALM "EX.ORG"
#define PROBE_PEER "192.0.2.1:4711"

struct house {
	struct role_spec spec;
	struct role role;
	struct auth auth;
	struct loop_timer *stop;
	struct channel *front;
	int front_fd; /* these are the far ends */
	int issuer_fd;
	int worker_fd;
	int pam_fd;
	uint8_t frame[MSG_MAX_FRAME]; /* of what was heard last */
	struct msg heard;
};

static inline void
probe_stop(void *arg)
{
	loop_stop(arg);
}

/* All that has been said to auth by now is heard. */
static inline void
house_turn(struct house *h)
{
	struct fault f = { 0 };

	loop_timer_set(h->stop, 0);
	assert_int_equal(loop_run(h->role.loop, &f), 0);
}

static inline bool
probe_is_silent(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return poll(&one, 1, 0) == 0;
}

/* Whether the near end has been closed, and nothing is left to be heard. */
static inline bool
house_has_closed(struct house *h, int fd, enum msg_role self)
{
	struct fault f = { 0 };
	int passed;

	return !probe_is_silent(fd) &&
	    channel_hear(fd, self, MSG_ROLE_AUTH, h->frame, &h->heard, &passed,
		&f) == 0;
}

/* What auth has said to ${self}, which must be a ${type}. */
static inline const struct msg *
house_hear(struct house *h, int fd, enum msg_role self, enum msg_type type)
{
	struct fault f = { 0 };
	int passed;

	if (probe_is_silent(fd))
		fail_msg("%s hears nothing", msg_role_name(self));
	if (channel_hear(fd, self, MSG_ROLE_AUTH, h->frame, &h->heard, &passed,
		&f) != 1)
		fail_msg("%s", f.text);
	assert_string_equal(msg_name(h->heard.type), msg_name(type));
	return &h->heard;
}

static inline void
house_tell(struct house *h, int fd, const struct msg *m)
{
	struct fault f = { 0 };

	if (channel_tell(fd, m, &f) < 0)
		fail_msg("%s", f.text);
	house_turn(h);
}

/* The answer "no", with this fault, and nothing else. */
static inline void
house_refuses(struct house *h, uint32_t connection, enum fault_code code)
{
	const struct msg *m =
	    house_hear(h, h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_NO);

	assert_int_equal(m->auth_no.connection, connection);
	assert_string_equal(fault_name((enum fault_code)m->auth_no.fault),
	    fault_name(code));
	assert_true(probe_is_silent(h->front_fd));
	assert_true(probe_is_silent(h->issuer_fd));
	assert_null(talk_find(h->auth.talks, h->front, connection));
}

/* The answer "yes": the issuer is told first, and of the same ticket.  Returns
 * what it was told. */
static inline struct msg_vouch
house_vouches(struct house *h, uint32_t connection)
{
	struct msg_vouch vouch;
	uint8_t ticket[16];

	vouch = house_hear(h, h->issuer_fd, MSG_ROLE_ISSUER, MSG_VOUCH)->vouch;
	assert_int_equal(vouch.ticket.len, sizeof(ticket));
	memcpy(ticket, vouch.ticket.data, sizeof(ticket));
	vouch.ticket = (struct wire_bytes){ NULL, 0 };
	(void)house_hear(h, h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_YES);
	assert_int_equal(h->heard.auth_yes.connection, connection);
	assert_int_equal(h->heard.auth_yes.ticket.len, sizeof(ticket));
	assert_memory_equal(h->heard.auth_yes.ticket.data, ticket,
	    sizeof(ticket));
	assert_null(talk_find(h->auth.talks, h->front, connection));
	return vouch;
}

/* What the front end asks. */
static inline struct msg_auth_ask
probe_ask(uint32_t connection, const char *username, const char *phrase)
{
	struct msg_auth_ask ask = { .connection = connection,
		.ref = "0123456789ab",
		.peer = PROBE_PEER };

	memcpy(ask.username, username, strlen(username) + 1);
	ask.passphrase =
	    (struct wire_bytes){ (const uint8_t *)phrase, strlen(phrase) };
	return ask;
}

static inline void
house_ask(struct house *h, uint32_t connection, const char *username,
    const char *phrase)
{
	const struct msg_auth_ask ask = probe_ask(connection, username, phrase);

	login_ask(&h->auth, h->front, &ask);
}

/* What a worker was asked. */
static inline struct msg_work_ask
house_work(struct house *h, const char *method, const char *username)
{
	const struct msg *m =
	    house_hear(h, h->worker_fd, MSG_ROLE_WORKER, MSG_WORK_ASK);

	assert_string_equal(m->work_ask.method, method);
	assert_string_equal(m->work_ask.username, username);
	return m->work_ask;
}

static inline void
house_answer(struct house *h, uint32_t id, enum fault_code code,
    const char *text)
{
	struct msg m = { .type = MSG_WORK_DONE };

	m.work_done.id = id;
	m.work_done.fault = code;
	memcpy(m.work_done.text, text, strlen(text) + 1);
	house_tell(h, h->worker_fd, &m);
}

static inline void
probe_not_heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	(void)arg;
	(void)ch;
	(void)fd;
	fail_msg("%s was heard", msg_name(m->type));
}

static inline void
probe_not_gone(void *arg, struct channel *ch, const struct fault *f)
{
	(void)arg;
	(void)ch;
	fail_msg("a channel has gone: %s", f == NULL ? "closed" : f->text);
}

static inline struct channel *
house_channel(struct house *h, enum msg_role peer, int *far)
{
	struct fault f = { 0 };
	struct channel *ch;
	int fds[2];

	if (channel_pair(fds, &f) < 0 ||
	    (ch = channel_new(h->role.loop, fds[0], MSG_ROLE_AUTH, peer,
		 probe_not_heard, probe_not_gone, NULL, &f)) == NULL) {
		fail_msg("%s", f.text);
		return NULL;
	}
	*far = fds[1];
	return ch;
}

/* A worker of ${pool}: its end of the channel. */
static inline int
house_hire(struct pool *pool, const char *name)
{
	struct fault f = { 0 };
	int fds[2];

	if (channel_pair(fds, &f) < 0 ||
	    pool_attach(pool, name, fds[0], &f) < 0)
		fail_msg("%s", f.text);
	return fds[1];
}

static inline struct pool *
house_pool(struct house *h, size_t queue_max)
{
	const struct pool_spec spec = { .role = &h->role,
		.queue_max = queue_max,
		.timeout_ms = 60000,
		.begin = login_turn,
		.end = login_answer };
	struct fault f = { 0 };
	struct pool *pool = pool_new(&spec, &f);

	assert_non_null(pool);
	return pool;
}

/* With the settings ${conf}, one profile, a worker and a pam worker. */
static inline struct house *
house_open(const char *conf)
{
	struct house *h = calloc(1, sizeof(*h));
	struct fault f = { 0 };

	assert_non_null(h);
	h->spec.self = MSG_ROLE_AUTH;
	h->role.spec = &h->spec;
	if (conf_read(&signetd_schema, &h->role.conf, conf, strlen(conf), &f) <
	    0)
		fail_msg("%s", f.text);
	assert_non_null(h->role.loop = loop_new(&f));
	assert_non_null(h->stop = loop_timer_new(h->role.loop, probe_stop,
			    h->role.loop, &f));
	h->auth.role = &h->role;
	assert_non_null(h->auth.talks = talk_table_new(&f));
	h->auth.slow = authn_slow_new(64, 3, 50, 900000, &f);
	assert_non_null(h->auth.slow);
	h->auth.profiles = 1;
	memcpy(h->auth.profile[0].name, "people", sizeof("people"));
	memcpy(h->auth.profile[0].subject, "/O=Ex/CN={principal}",
	    sizeof("/O=Ex/CN={principal}"));
	h->front = house_channel(h, MSG_ROLE_FRONT, &h->front_fd);
	h->auth.issuer = house_channel(h, MSG_ROLE_ISSUER, &h->issuer_fd);
	h->auth.workers = house_pool(h, 8);
	h->auth.pam = house_pool(h, 8);
	h->worker_fd = house_hire(h->auth.workers, "worker.0");
	h->pam_fd = house_hire(h->auth.pam, "pam.0");
	return h;
}

/* All conversations must have come to their end. */
static inline void
house_close(struct house *h)
{
	talk_table_free(h->auth.talks);
	pool_free(h->auth.workers);
	pool_free(h->auth.pam);
	role_links_free(&h->role);
	channel_free(h->front);
	channel_free(h->auth.issuer);
	authn_slow_free(h->auth.slow);
	trusted_end(&h->auth);
	krb_gss_free(h->auth.keys);
	loop_timer_free(h->stop);
	loop_free(h->role.loop);
	(void)close(h->front_fd);
	(void)close(h->issuer_fd);
	(void)close(h->worker_fd);
	(void)close(h->pam_fd);
	free(h);
}

#endif
