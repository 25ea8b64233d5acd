#include "sys/loop.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/unit.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

/* What the handlers below see and do. */
struct scene {
	struct loop *loop;
	int pipe[2];
	struct loop_watch *watch;
	struct loop_watch *other;
	struct loop_timer *timer;
	struct loop_signal *sig;
	int calls;
	int last;
	bool free_self;
	bool free_other;
};

static struct scene
set_scene(void)
{
	struct fault f = { 0 };
	struct scene s = { .loop = loop_new(&f) };

	assert_non_null(s.loop);
	assert_int_equal(pipe(s.pipe), 0);
	return s;
}

static void
clear_scene(struct scene *s)
{
	loop_watch_free(s->watch);
	loop_watch_free(s->other);
	loop_timer_free(s->timer);
	loop_signal_free(s->sig);
	loop_free(s->loop);
	(void)close(s->pipe[0]);
	(void)close(s->pipe[1]);
}

static void
run(struct scene *s)
{
	struct fault f = { 0 };

	assert_int_equal(loop_run(s->loop, &f), 0);
}

static void
stop_now(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

/* Run until the descriptors that are ready now have had their turn. */
static void
run_for(struct scene *s, int64_t ms)
{
	struct fault f = { 0 };
	struct loop_timer *end = loop_timer_new(s->loop, stop_now, s, &f);

	assert_non_null(end);
	loop_timer_set(end, ms);
	run(s);
	loop_timer_free(end);
}

static void
read_one(void *arg, int fd, unsigned ready)
{
	struct scene *s = arg;
	char byte;

	assert_int_equal(ready, LOOP_READ);
	assert_int_equal(read(fd, &byte, 1), 1);
	s->last = byte;
	if (++s->calls == 2)
		loop_stop(s->loop);
}

static void
a_watch_is_called_for_every_byte(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };

	(void)state;
	s.watch =
	    loop_watch_new(s.loop, s.pipe[0], LOOP_READ, read_one, &s, &f);
	assert_non_null(s.watch);
	assert_int_equal(write(s.pipe[1], "ab", 2), 2);
	run(&s);
	assert_int_equal(s.calls, 2);
	assert_int_equal(s.last, 'b');
	clear_scene(&s);
}

static void
count_call(void *arg, int fd, unsigned ready)
{
	struct scene *s = arg;

	(void)fd;
	s->calls++;
	s->last = (int)ready;
	if (s->free_self) {
		loop_watch_free(s->watch);
		s->watch = NULL;
	}
}

static void
a_watch_for_nothing_is_silent_until_it_is_changed(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };

	(void)state;
	s.watch = loop_watch_new(s.loop, s.pipe[1], 0, count_call, &s, &f);
	assert_non_null(s.watch);
	run_for(&s, 5);
	assert_int_equal(s.calls, 0);
	loop_watch_set(s.watch, LOOP_READ | LOOP_WRITE);
	s.free_self = true;
	run_for(&s, 5);
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.last, LOOP_WRITE);
	assert_null(s.watch);
	clear_scene(&s);
}

static void
a_watch_can_be_switched_off(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };

	(void)state;
	s.watch =
	    loop_watch_new(s.loop, s.pipe[1], LOOP_WRITE, count_call, &s, &f);
	assert_non_null(s.watch);
	loop_watch_set(s.watch, 0);
	run_for(&s, 5);
	assert_int_equal(s.calls, 0);
	clear_scene(&s);
}

/* Both ends of the pipe are ready in the same round; whichever handler runs
 * first frees both watches. */
static void
free_both(void *arg, int fd, unsigned ready)
{
	struct scene *s = arg;

	(void)fd;
	(void)ready;
	s->calls++;
	loop_watch_free(s->watch);
	loop_watch_free(s->other);
	s->watch = s->other = NULL;
	loop_timer_free(s->timer);
	s->timer = NULL;
}

static void
a_handler_may_free_what_would_be_called_next(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(write(s.pipe[1], "a", 1), 1);
	s.watch =
	    loop_watch_new(s.loop, s.pipe[0], LOOP_READ, free_both, &s, &f);
	s.other =
	    loop_watch_new(s.loop, s.pipe[1], LOOP_WRITE, free_both, &s, &f);
	s.timer = loop_timer_new(s.loop, stop_now, &s, &f);
	assert_non_null(s.watch);
	assert_non_null(s.other);
	assert_non_null(s.timer);
	loop_timer_set(s.timer, 10000);
	run_for(&s, 10);
	assert_int_equal(s.calls, 1);
	clear_scene(&s);
}

static void
fire(void *arg)
{
	struct scene *s = arg;

	s->calls++;
	if (s->free_self) {
		loop_timer_free(s->timer);
		s->timer = NULL;
	}
}

static void
a_timer_fires_once_and_not_early(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };
	int64_t start = clock_mono();

	(void)state;
	s.timer = loop_timer_new(s.loop, fire, &s, &f);
	assert_non_null(s.timer);
	run_for(&s, 1);
	assert_int_equal(s.calls, 0);
	loop_timer_set(s.timer, 1);
	loop_timer_set(s.timer, 20);
	run_for(&s, 60);
	assert_int_equal(s.calls, 1);
	assert_true(clock_mono() - start >= 50);
	loop_timer_set(s.timer, 1);
	loop_timer_stop(s.timer);
	run_for(&s, 5);
	assert_int_equal(s.calls, 1);
	clear_scene(&s);
}

/* The later of two descriptors that are ready finds that it has not fired. */
static void
soon_then_look(void *arg, int fd, unsigned ready)
{
	struct scene *s = arg;

	(void)fd;
	(void)ready;
	assert_int_equal(s->calls, 0);
	loop_timer_soon(s->timer);
	s->last++;
}

static void
a_timer_fires_when_the_turn_ends_and_before_the_next(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };

	(void)state;
	s.timer = loop_timer_new(s.loop, stop_now, &s, &f);
	assert_non_null(s.timer);
	s.watch = loop_watch_new(s.loop, s.pipe[1], LOOP_WRITE, soon_then_look,
	    &s, &f);
	assert_non_null(s.watch);
	assert_int_equal(write(s.pipe[1], "x", 1), 1);
	s.other = loop_watch_new(s.loop, s.pipe[0], LOOP_READ, soon_then_look,
	    &s, &f);
	assert_non_null(s.other);
	run(&s);
	/* Once for both, after both. */
	assert_int_equal(s.last, 2);
	/* Stopped, it does not. */
	loop_watch_set(s.watch, 0);
	loop_watch_set(s.other, 0);
	loop_timer_free(s.timer);
	s.timer = loop_timer_new(s.loop, fire, &s, &f);
	loop_timer_soon(s.timer);
	loop_timer_stop(s.timer);
	run_for(&s, 1);
	assert_int_equal(s.calls, 0);
	loop_timer_soon(s.timer);
	run_for(&s, 1);
	assert_int_equal(s.calls, 1);
	clear_scene(&s);
}

static void
a_timer_may_free_itself(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };

	(void)state;
	s.free_self = true;
	s.timer = loop_timer_new(s.loop, fire, &s, &f);
	assert_non_null(s.timer);
	loop_timer_set(s.timer, 0);
	run_for(&s, 5);
	assert_int_equal(s.calls, 1);
	assert_null(s.timer);
	clear_scene(&s);
}

static void catch (void *arg, int signo)
{
	struct scene *s = arg;

	s->calls++;
	s->last = signo;
	loop_signal_free(s->sig);
	s->sig = NULL;
	loop_stop(s->loop);
}

static void
a_signal_is_told_on_the_loop(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };

	(void)state;
	s.sig = loop_signal_new(s.loop, SIGUSR1, catch, &s, &f);
	assert_non_null(s.sig);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(s.calls, 0);
	run(&s);
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.last, SIGUSR1);
	clear_scene(&s);
}

static void
a_loop_stopped_before_it_runs_does_not_run(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };

	(void)state;
	s.watch =
	    loop_watch_new(s.loop, s.pipe[1], LOOP_WRITE, count_call, &s, &f);
	assert_non_null(s.watch);
	loop_stop(s.loop);
	run(&s);
	assert_int_equal(s.calls, 0);
	clear_scene(&s);
}

static void
what_cannot_be_watched_is_a_fault(void **state)
{
	struct scene s = set_scene();
	struct fault f = { 0 };

	(void)state;
	assert_null(loop_watch_new(s.loop, 9999, LOOP_READ, count_call, &s,
	    &f));
	assert_int_equal(f.code, FAULT_SYSTEM);
	clear_scene(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_watch_is_called_for_every_byte),
		cmocka_unit_test(
		    a_watch_for_nothing_is_silent_until_it_is_changed),
		cmocka_unit_test(a_watch_can_be_switched_off),
		cmocka_unit_test(a_handler_may_free_what_would_be_called_next),
		cmocka_unit_test(a_timer_fires_once_and_not_early),
		cmocka_unit_test(
		    a_timer_fires_when_the_turn_ends_and_before_the_next),
		cmocka_unit_test(a_timer_may_free_itself),
		cmocka_unit_test(a_signal_is_told_on_the_loop),
		cmocka_unit_test(a_loop_stopped_before_it_runs_does_not_run),
		cmocka_unit_test(what_cannot_be_watched_is_a_fault),
	};

	return cmocka_run_group_tests_name("sys/loop", tests, NULL, NULL);
}
