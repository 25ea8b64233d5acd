#include "sys/loop.h"

#include "base/fault.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <stdbool.h>
#include <stdlib.h>

/*
 * libevent neither reads nor writes an event after its handler has been
 * called, and event_del() takes one off the list of those still to be called
 * in this round.  So a handler may free what it likes; what matters here is
 * that nothing of ours is touched after a handler returns.
 */

struct loop {
	struct event_base *base;
	bool stopped;
};

struct loop_watch {
	struct event event;
	struct event_base *base;
	int fd;
	unsigned what;
	loop_watch_fn *fn;
	void *arg;
};

struct loop_timer {
	struct event event;
	loop_timer_fn *fn;
	void *arg;
};

struct loop_signal {
	struct event event;
	loop_signal_fn *fn;
	void *arg;
};

/* libevent would write to standard error, between the lines of our log. */
static void
drop_message(int severity, const char *message)
{
	(void)severity;
	(void)message;
}

static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (config == NULL)
		return NULL;
	/* One thread; the environment decides nothing; a timer that is set
	 * after a long handler does not fire early. */
	(void)event_config_set_flag(config,
	    EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV |
		EVENT_BASE_FLAG_NO_CACHE_TIME);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct loop *
loop_new(struct fault *f)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	event_set_log_callback(drop_message);
	if (loop != NULL)
		loop->base = new_base();
	if (loop == NULL || loop->base == NULL) {
		free(loop);
		(void)fault_set(f, FAULT_SYSTEM, "cannot make an event loop");
		return NULL;
	}
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	event_base_free(loop->base);
	free(loop);
}

int
loop_run(struct loop *loop, struct fault *f)
{
	int result = 0;

	while (!loop->stopped && result >= 0)
		result = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	loop->stopped = false;
	if (result < 0)
		return fault_set(f, FAULT_SYSTEM, "the event loop failed");
	return 0;
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
	(void)event_base_loopbreak(loop->base);
}

static void
watch_ready(evutil_socket_t fd, short events, void *arg)
{
	const struct loop_watch *watch = arg;
	unsigned ready = 0;

	if ((events & EV_READ) != 0)
		ready |= LOOP_READ;
	if ((events & EV_WRITE) != 0)
		ready |= LOOP_WRITE;
	watch->fn(watch->arg, fd, ready);
}

static int
watch_start(struct loop_watch *watch, unsigned what)
{
	short events = EV_PERSIST;

	watch->what = what;
	if (what == 0)
		return 0;
	if ((what & LOOP_READ) != 0)
		events |= EV_READ;
	if ((what & LOOP_WRITE) != 0)
		events |= EV_WRITE;
	if (event_assign(&watch->event, watch->base, watch->fd, events,
		watch_ready, watch) < 0)
		return -1;
	return event_add(&watch->event, NULL);
}

struct loop_watch *
loop_watch_new(struct loop *loop, int fd, unsigned what, loop_watch_fn *fn,
    void *arg, struct fault *f)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "watch");
		return NULL;
	}
	watch->base = loop->base;
	watch->fd = fd;
	watch->fn = fn;
	watch->arg = arg;
	if (watch_start(watch, what) < 0) {
		free(watch);
		(void)fault_set(f, FAULT_SYSTEM, "cannot watch descriptor %d",
		    fd);
		return NULL;
	}
	return watch;
}

void
loop_watch_set(struct loop_watch *watch, unsigned what)
{
	if (watch->what == what)
		return;
	if (watch->what != 0)
		(void)event_del(&watch->event);
	/* The descriptor was good when the watch was made; what fails now is
	 * memory for the list of descriptors, which has its size already. */
	if (watch_start(watch, what) < 0)
		abort();
}

void
loop_watch_free(struct loop_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->what != 0)
		(void)event_del(&watch->event);
	free(watch);
}

static void
timer_fired(evutil_socket_t fd, short events, void *arg)
{
	const struct loop_timer *timer = arg;

	(void)fd;
	(void)events;
	timer->fn(timer->arg);
}

struct loop_timer *
loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *arg, struct fault *f)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	if (timer == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "timer");
		return NULL;
	}
	timer->fn = fn;
	timer->arg = arg;
	if (event_assign(&timer->event, loop->base, -1, 0, timer_fired, timer) <
	    0) {
		free(timer);
		(void)fault_set(f, FAULT_SYSTEM, "cannot make a timer");
		return NULL;
	}
	return timer;
}

void
loop_timer_set(struct loop_timer *timer, int64_t ms)
{
	struct timeval wait = { 0, 0 };

	if (ms > 0) {
		wait.tv_sec = ms / 1000;
		wait.tv_usec = ms % 1000 * 1000;
	}
	/* A timer that is lost could keep a connection for ever. */
	if (event_add(&timer->event, &wait) < 0)
		abort();
}

void
loop_timer_soon(struct loop_timer *timer)
{
	/* libevent puts it behind those that are still to be called in this
	 * round. */
	event_active(&timer->event, EV_TIMEOUT, 0);
}

void
loop_timer_stop(struct loop_timer *timer)
{
	(void)event_del(&timer->event);
}

void
loop_timer_free(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	(void)event_del(&timer->event);
	free(timer);
}

static void
signal_came(evutil_socket_t signo, short events, void *arg)
{
	const struct loop_signal *s = arg;

	(void)events;
	s->fn(s->arg, signo);
}

struct loop_signal *
loop_signal_new(struct loop *loop, int signo, loop_signal_fn *fn, void *arg,
    struct fault *f)
{
	struct loop_signal *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "signal");
		return NULL;
	}
	s->fn = fn;
	s->arg = arg;
	if (event_assign(&s->event, loop->base, signo, EV_SIGNAL | EV_PERSIST,
		signal_came, s) < 0 ||
	    event_add(&s->event, NULL) < 0) {
		free(s);
		(void)fault_set(f, FAULT_SYSTEM, "cannot catch signal %d",
		    signo);
		return NULL;
	}
	return s;
}

void
loop_signal_free(struct loop_signal *s)
{
	if (s == NULL)
		return;
	(void)event_del(&s->event);
	free(s);
}
