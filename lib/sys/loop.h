#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include "base/checked.h"
#include "base/own.h"

#include <stdint.h>

/*
 * The event loop of a process: descriptors, timers and signals, over
 * libevent-core, whose types stay inside loop.c.  One loop a process, one
 * thread.  A handler may free any watch, timer or signal, its own included.
 */
struct fault;
struct loop;
struct loop_watch;
struct loop_timer;
struct loop_signal;

#define LOOP_READ 1u
#define LOOP_WRITE 2u

/* ${ready} is the set of LOOP_READ and LOOP_WRITE that holds now. */
typedef void loop_watch_fn(void *arg, int fd, unsigned ready);
typedef void loop_timer_fn(void *arg);
typedef void loop_signal_fn(void *arg, int signo);

CHECKED struct loop *loop_new(struct fault *f);

/* Everything on the loop must have been freed before it. */
void loop_free(struct loop *loop);

/* Run until loop_stop(); at once if that has been said already.  0, or -1
 * when libevent fails. */
CHECKED int loop_run(struct loop *loop, struct fault *f);

/* End loop_run() after the handler that runs now. */
void loop_stop(struct loop *loop);

/* Call ${fn} whenever ${fd} is ready for ${what}; the descriptor stays the
 * caller's, who frees the watch before closing it.  ${what} may be 0 and
 * changed at any time.  One watch a descriptor. */
CHECKED struct loop_watch *loop_watch_new(struct loop *loop, int fd,
    unsigned what, loop_watch_fn *fn, void *arg, struct fault *f);
void loop_watch_set(struct loop_watch *watch, unsigned what);
void loop_watch_free(struct loop_watch *watch);

/* A timer, not yet running.  It fires once, ${ms} after loop_timer_set, which
 * may be said again at any time and starts the wait anew. */
CHECKED struct loop_timer *loop_timer_new(struct loop *loop, loop_timer_fn *fn,
    void *arg, struct fault *f);
void loop_timer_set(struct loop_timer *timer, int64_t ms);
/* It fires once all have been called whose time had come already, before the
 * loop waits for more. */
void loop_timer_soon(struct loop_timer *timer);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

/* Call ${fn} on the loop, not in the signal handler, when ${signo} comes. */
CHECKED struct loop_signal *loop_signal_new(struct loop *loop, int signo,
    loop_signal_fn *fn, void *arg, struct fault *f);
void loop_signal_free(struct loop_signal *s);

OWN_FREE_STRUCT(loop, loop_free)

#endif
