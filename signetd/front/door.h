#ifndef FRONT_DOOR_H
#define FRONT_DOOR_H

#include "base/checked.h"

#include <sys/socket.h>

/*
 * The sockets we listen on.  Other processes listen on the same ones, so a
 * turn takes a few connections only.  When descriptors or memory run out we
 * stop taking any for a moment instead of asking again and again.
 */
struct door;
struct fault;
struct loop;

/* Somebody has come; ${fd} is the handler's. */
typedef void door_fn(void *arg, int fd, const struct sockaddr *from);

CHECKED struct door *door_new(struct loop *loop, door_fn *fn, void *arg,
    struct fault *f);
/* Listen on ${fd} too, which is taken over. */
CHECKED int door_add(struct door *door, int fd, struct fault *f);
/* Take connections again, if we had stopped for want of something. */
void door_resume(struct door *door);
/* Stop for good: the sockets are closed. */
void door_shut(struct door *door);
void door_free(struct door *door);

#endif
