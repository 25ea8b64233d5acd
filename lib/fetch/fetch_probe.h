#ifndef FETCH_FETCH_PROBE_H
#define FETCH_FETCH_PROBE_H

/*
 * For tests: a small HTTP server in threads that answers as each test wants,
 * properly or not; and runs against it.  Include it after the headers of what
 * is tested.
 */
#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"
#include "base/wire.h"
#include "fetch/fetch.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server;

/* Answer the request ${text} for ${path} on ${fd}; false to hang up. */
typedef bool answer_fn(struct server *s, int fd, const char *path,
    const char *text);

struct server {
	int fd;
	unsigned short port;
	pthread_t thread;
	answer_fn *answer;
	atomic_int requests;
	atomic_int now;	  /* requests being answered */
	atomic_int most;  /* of them, at once */
	atomic_int talks; /* connections open */
	char last[4096];  /* request */
};

struct talk {
	struct server *server;
	int fd;
};

static inline void
say(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t put = send(fd, text, len, MSG_NOSIGNAL);

		if (put <= 0)
			return;
		text += put;
		len -= (size_t)put;
	}
}

/* A whole answer with ${status}, further ${headers} and ${body}. */
static inline void
reply(int fd, const char *status, const char *headers, const char *body)
{
	char head[1024];

	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status,
	    strlen(body), headers);
	say(fd, head);
	say(fd, body);
}

static inline bool
hear(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (len < size - 1) {
		if ((got = recv(fd, text + len, size - 1 - len, 0)) <= 0)
			return false;
		len += (size_t)got;
		text[len] = '\0';
		if (strstr(text, "\r\n\r\n") != NULL)
			return true;
	}
	return false;
}

static inline void *
talk_run(void *arg)
{
	struct talk *talk = arg;
	struct server *s = talk->server;
	char text[4096], path[256];
	bool more = true;

	while (more && hear(talk->fd, text, sizeof(text))) {
		int now = atomic_fetch_add(&s->now, 1) + 1;

		if (now > atomic_load(&s->most))
			atomic_store(&s->most, now);
		(void)atomic_fetch_add(&s->requests, 1);
		memcpy(s->last, text, sizeof(text));
		path[0] = '\0';
		(void)sscanf(text, "GET %255s", path);
		more = s->answer(s, talk->fd, path, text);
		(void)atomic_fetch_sub(&s->now, 1);
	}
	(void)close(talk->fd);
	free(talk);
	(void)atomic_fetch_sub(&s->talks, 1);
	return NULL;
}

static inline void *
server_run(void *arg)
{
	struct server *s = arg;

	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		struct talk *talk;
		pthread_t thread;

		if (fd < 0)
			return NULL;
		if ((talk = malloc(sizeof(*talk))) == NULL)
			abort();
		*talk = (struct talk){ s, fd };
		(void)atomic_fetch_add(&s->talks, 1);
		if (pthread_create(&thread, NULL, talk_run, talk) != 0)
			abort();
		(void)pthread_detach(thread);
	}
}

/* A socket that listens on 127.0.0.1, and its port. */
static inline int
listen_somewhere(unsigned short *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static inline void
server_start(struct server *s, answer_fn *answer)
{
	memset(s, 0, sizeof(*s));
	s->answer = answer;
	s->fd = listen_somewhere(&s->port);
	assert_int_equal(pthread_create(&s->thread, NULL, server_run, s), 0);
}

static inline void
server_stop(struct server *s)
{
	(void)shutdown(s->fd, SHUT_RDWR);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->fd);
	while (atomic_load(&s->talks) > 0)
		(void)usleep(1000);
}

/* A job and what came of it. */
struct asked {
	struct fetch_job job;
	char url[4][512];
	const char *urls[4];
	const char *refuse; /* the judge refuses bodies that begin so */
	int judged;
	int told;
	enum fetch_state state;
	char body[512];
	size_t len;
	char from[512];
	struct fault fault;
	bool waiting;
	time_t when;
};

static inline int
asked_judge(void *arg, struct wire_bytes body, const char *url, struct fault *f)
{
	struct asked *a = arg;

	assert_non_null(url);
	a->judged++;
	if (a->refuse != NULL && body.len >= strlen(a->refuse) &&
	    memcmp(body.data, a->refuse, strlen(a->refuse)) == 0)
		return fault_set(f, FAULT_INPUT, "refused");
	return 0;
}

static inline void
asked_done(void *arg, const struct fetch_result *r)
{
	struct asked *a = arg;
	size_t len = r->body.len < sizeof(a->body) - 1 ? r->body.len
						       : sizeof(a->body) - 1;

	a->told++;
	a->state = r->state;
	a->len = r->body.len;
	memset(a->body, 0, sizeof(a->body));
	if (len > 0)
		memcpy(a->body, r->body.data, len);
	assert_int_equal(text_copy(a->from, sizeof(a->from),
			     r->url == NULL ? "" : r->url),
	    0);
	a->fault = r->fault;
	a->waiting = r->waiting;
	a->when = r->when;
}

/* A job for ${path} of ${s}, which the test may alter. */
static inline void
asked_init(struct asked *a, const char *key)
{
	memset(a, 0, sizeof(*a));
	a->job = (struct fetch_job){ .urls = a->urls,
		.key = key,
		.judge = asked_judge,
		.done = asked_done,
		.arg = a };
}

static inline void
asked_add(struct asked *a, const char *fmt, unsigned short port,
    const char *path)
{
	size_t i = a->job.url_count++;

	(void)snprintf(a->url[i], sizeof(a->url[i]), "%s:%u%s", fmt, port,
	    path);
	a->urls[i] = a->url[i];
}

static inline void
asked_run(struct asked *a, const struct fetch_options *o)
{
	struct fault f = { 0 };
	int told = a->told;

	if (fetch_run(&a->job, 1, o, &f) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(a->told, told + 1);
}

/* A job for ${path} of ${s}, to which mirrors may be added. */
static inline void
asked_at(struct asked *a, const char *key, const struct server *s,
    const char *path)
{
	asked_init(a, key);
	asked_add(a, "http://127.0.0.1", s->port, path);
}

static inline void
asked_ends(struct asked *a, const struct fetch_options *o,
    enum fetch_state state)
{
	asked_run(a, o);
	if (a->state != state)
		fail_msg("%d, not %d: %s", (int)a->state, (int)state,
		    a->fault.text);
}

/* A directory of the test's own, and its end. */
static inline char *
place_make(void)
{
	char *dir = strdup("/tmp/signet-fetch.XXXXXX");

	assert_non_null(dir);
	assert_non_null(mkdtemp(dir));
	return dir;
}

static inline void
place_drop(char *dir)
{
	DIR *open = opendir(dir);
	const struct dirent *e;

	while (open != NULL && (e = readdir(open)) != NULL)
		(void)unlinkat(dirfd(open), e->d_name, 0);
	if (open != NULL)
		(void)closedir(open);
	assert_int_equal(rmdir(dir), 0);
	free(dir);
}

#endif
