#include "signetd/front/door.h"

#include "base/fault.h"
#include "base/log.h"
#include "sys/loop.h"
#include "sys/net.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKETS 16
#define TURN 8 /* connections taken before others have a chance */
#define REST_MS 200

struct door {
	struct loop *loop;
	door_fn *fn;
	void *arg;
	struct loop_timer *rest; /* runs while we take none */
	bool resting;
	size_t count;
	struct doorway {
		int fd;
		struct loop_watch *watch;
	} way[SOCKETS];
};

static void
watch_all(struct door *door, unsigned what)
{
	for (size_t i = 0; i < door->count; i++)
		loop_watch_set(door->way[i].watch, what);
}

static void
rested(void *arg)
{
	door_resume(arg);
}

struct door *
door_new(struct loop *loop, door_fn *fn, void *arg, struct fault *f)
{
	struct door *door = calloc(1, sizeof(*door));

	if (door == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for a door");
		return NULL;
	}
	door->loop = loop;
	door->fn = fn;
	door->arg = arg;
	if ((door->rest = loop_timer_new(loop, rested, door, f)) == NULL) {
		free(door);
		return NULL;
	}
	return door;
}

static bool
is_want(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	    error == ENOMEM;
}

static void
rest(struct door *door, int error)
{
	struct fault f = { 0 };

	(void)fault_set(&f, FAULT_SYSTEM, "taking no connections for %d ms: %s",
	    REST_MS, strerror(error));
	log_fault(&f, NULL);
	door->resting = true;
	watch_all(door, 0);
	loop_timer_set(door->rest, REST_MS);
}

static void
somebody(void *arg, int fd, unsigned ready)
{
	struct door *door = arg;
	(void)ready;
	for (int i = 0; i < TURN; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int conn = accept4(fd, (struct sockaddr *)&from, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn < 0 && is_want(errno))
			rest(door, errno);
		/* Others: another process was faster, or he has gone. */
		if (conn < 0 && errno != ECONNABORTED)
			return;
		if (conn < 0)
			continue;
		door->fn(door->arg, conn, (struct sockaddr *)&from);
		if (door->count == 0)
			return;
	}
}

int
door_add(struct door *door, int fd, struct fault *f)
{
	struct doorway *way = &door->way[door->count];
	const int yes = 1;
	int result = -1;

	if (door->count == SOCKETS)
		(void)fault_set(f, FAULT_CONFIG,
		    "more than %d sockets to listen on", SOCKETS);
	/* Accepted sockets inherit it: PROTOCOL 1.1 on Nagle. */
	else if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) <
	    0)
		(void)fault_set(f, FAULT_CONFIG, "a socket to listen on: %s",
		    strerror(errno));
	else if (net_nonblock(fd, f) == 0 &&
	    (way->watch = loop_watch_new(door->loop, fd, LOOP_READ, somebody,
		 door, f)) != NULL)
		result = 0;
	if (result < 0) {
		(void)close(fd);
		return -1;
	}
	way->fd = fd;
	door->count++;
	return 0;
}

void
door_resume(struct door *door)
{
	if (!door->resting)
		return;
	door->resting = false;
	loop_timer_stop(door->rest);
	watch_all(door, LOOP_READ);
}

void
door_shut(struct door *door)
{
	for (size_t i = 0; i < door->count; i++) {
		loop_watch_free(door->way[i].watch);
		(void)close(door->way[i].fd);
	}
	door->count = 0;
}

void
door_free(struct door *door)
{
	if (door == NULL)
		return;
	door_shut(door);
	loop_timer_free(door->rest);
	free(door);
}
