/*
 * delay_server DIR HOSTS DELAY_MS: a web server on as many loopback addresses,
 * 127.1.0.1 and so on, with one port, which it says.  Each answer leaves
 * DELAY_MS after its request has come, as if the network were that long, and
 * costs next to nothing: it is no part of what is measured.  One connection
 * has one request at a time.  An ETag that is known is answered by 304.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FDS 4096
#define REQUEST 4096

struct talk {
	char text[REQUEST];
	size_t len;
	int64_t due; /* 0: nothing to be sent */
	int next;    /* in the queue of those who wait; -1 */
};

struct server {
	const char *dir;
	int64_t delay;
	int epoll;
	bool listens[FDS];
	struct talk *talk[FDS];
	int first, last; /* of the queue; -1: empty */
};

static void
die(const char *what)
{
	(void)fprintf(stderr, "delay_server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
watch(struct server *s, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
}

/* A socket for host ${i}; *${port} is chosen with the first. */
static void
listen_on(struct server *s, unsigned i, in_port_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = *port };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int one = 1;

	at.sin_addr.s_addr = htonl(0x7f010000u + (i / 250 << 8) + i % 250 + 1);
	if (fd < 0 || fd >= FDS ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		die("listen");
	*port = at.sin_port;
	s->listens[fd] = true;
	watch(s, fd);
}

static void
hang_up(struct server *s, int fd)
{
	/* Who waits in the queue is passed over when his turn comes. */
	s->talk[fd]->len = 0;
	s->talk[fd]->due = 0;
	(void)close(fd);
}

static void
take_call(struct server *s, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (fd >= FDS)
		die("too many");
	if (s->talk[fd] == NULL &&
	    (s->talk[fd] = calloc(1, sizeof(*s->talk[fd]))) == NULL)
		die("memory");
	s->talk[fd]->len = 0;
	watch(s, fd);
}

static void
queue(struct server *s, int fd)
{
	struct talk *t = s->talk[fd];

	if (t->due != 0)
		return;
	t->due = clock_mono() + s->delay;
	t->next = -1;
	if (s->last >= 0)
		s->talk[s->last]->next = fd;
	else
		s->first = fd;
	s->last = fd;
}

static void
hear(struct server *s, int fd)
{
	struct talk *t = s->talk[fd];
	ssize_t got = recv(fd, t->text + t->len, REQUEST - 1 - t->len, 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		hang_up(s, fd);
		return;
	}
	t->len += (size_t)got;
	t->text[t->len] = '\0';
	if (strstr(t->text, "\r\n\r\n") != NULL)
		queue(s, fd);
}

static void
send_all(int fd, const struct buf *b)
{
	size_t at = 0;

	while (at < b->len) {
		ssize_t put = send(fd, b->data + at, b->len - at, MSG_NOSIGNAL);

		if (put < 0 && errno == EAGAIN)
			continue;
		if (put <= 0)
			return;
		at += (size_t)put;
	}
}

/* The file, its tag (which is its name: files here do not change), or 404. */
static void
answer(struct server *s, int fd)
{
	struct talk *t = s->talk[fd];
	OWN_BUF(body, 64u << 20);
	OWN_BUF(out, 65u << 20);
	char path[PATH_MAX], name[256] = "", tag[280];
	struct fault f;

	(void)sscanf(t->text, "%*s /%255[A-Za-z0-9._-]", name);
	(void)snprintf(tag, sizeof(tag), "\"%s\"", name);
	(void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	if (file_read(path, &body, &f) < 0)
		buf_text(&out, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
	else if (strstr(t->text, tag) != NULL)
		buf_fmt(&out, "HTTP/1.1 304 Same\r\nETag: %s\r\n\r\n", tag);
	else
		buf_fmt(&out,
		    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nETag: %s\r\n"
		    "Last-Modified: Tue, 01 Sep 2026 10:00:00 GMT\r\n\r\n",
		    body.len, tag);
	/* fetch-crl asks HEAD before it asks GET. */
	if (text_starts(t->text, "GET ") &&
	    text_starts(buf_cstr(&out), "HTTP/1.1 200"))
		buf_put(&out, body.data, body.len);
	send_all(fd, &out);
	t->len = 0;
	t->due = 0;
}

/* Answer all whose time has come; how long until the next. */
static int
answer_due(struct server *s)
{
	while (s->first >= 0) {
		struct talk *t = s->talk[s->first];
		int64_t left = t->due - clock_mono();
		int fd = s->first;

		if (t->due != 0 && left > 0)
			return (int)left;
		s->first = t->next;
		if (s->first < 0)
			s->last = -1;
		if (t->due != 0)
			answer(s, fd);
	}
	return -1;
}

static void
serve(struct server *s)
{
	struct epoll_event events[256];

	for (;;) {
		int count = epoll_wait(s->epoll, events, 256, answer_due(s));

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (s->listens[fd])
				take_call(s, fd);
			else
				hear(s, fd);
		}
	}
}

int
main(int argc, char **argv)
{
	struct server *s = calloc(1, sizeof(*s));
	int64_t hosts, delay;
	in_port_t port = 0;

	if (s == NULL || argc != 4 ||
	    text_number(argv[2], 1, 1000, &hosts) < 0 ||
	    text_number(argv[3], 0, 10000, &delay) < 0)
		return 2;
	s->dir = argv[1];
	s->delay = delay;
	s->first = s->last = -1;
	if ((s->epoll = epoll_create1(0)) < 0)
		die("epoll");
	for (unsigned i = 0; i < (unsigned)hosts; i++)
		listen_on(s, i, &port);
	(void)printf("%u\n", ntohs(port));
	(void)fflush(stdout);
	serve(s);
}
