#ifndef IPC_CHANNEL_PROBE_H
#define IPC_CHANNEL_PROBE_H

/* For tests of channels: one on a loop, and the test at its far end. */
#include "base/fault.h"
#include "base/unit.h"
#include "ipc/channel.h"
#include "ipc/frame.h"
#include "sys/loop.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The issuer at one end, on a loop; the signer's socket at the other. */
struct scene {
	struct loop *loop;
	struct channel *ch;
	int far;
	uint8_t *frame;
	int heard;
	int gone;
	uint32_t last;
	int passed;
	struct fault cause;
	bool had_cause;
	bool free_in_heard;
	bool drain_in_heard;
	bool free_in_gone;
	int stop_after;
};

static inline void
on_heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct scene *s = arg;

	s->heard++;
	s->passed = fd;
	if (m->type == MSG_TBS_DONE)
		s->last = m->tbs_done.id;
	if (s->drain_in_heard)
		channel_drain(ch);
	if (s->free_in_heard) {
		channel_free(ch);
		s->ch = NULL;
	}
	if (s->heard >= s->stop_after)
		loop_stop(s->loop);
}

static inline void
on_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct scene *s = arg;

	s->gone++;
	if (f != NULL) {
		s->cause = *f;
		s->had_cause = true;
	}
	if (s->free_in_gone) {
		channel_free(ch);
		s->ch = NULL;
	}
	loop_stop(s->loop);
}

static inline void
set_scene(struct scene *s, enum msg_role self, enum msg_role peer)
{
	struct fault f = { 0 };
	int fds[2];

	*s = (struct scene){ .loop = loop_new(&f),
		.frame = malloc(MSG_MAX_FRAME),
		.stop_after = 1 };
	assert_non_null(s->loop);
	assert_non_null(s->frame);
	assert_int_equal(channel_pair(fds, &f), 0);
	s->far = fds[1];
	s->ch =
	    channel_new(s->loop, fds[0], self, peer, on_heard, on_gone, s, &f);
	assert_non_null(s->ch);
}

static inline void
clear_scene(struct scene *s)
{
	channel_free(s->ch);
	loop_free(s->loop);
	if (s->far >= 0)
		(void)close(s->far);
	free(s->frame);
}

static inline void
run(struct scene *s)
{
	struct fault f = { 0 };

	assert_int_equal(loop_run(s->loop, &f), 0);
}

static inline void
stop_now(void *arg)
{
	loop_stop(arg);
}

static inline void
run_for(struct scene *s, int64_t ms)
{
	struct fault f = { 0 };
	struct loop_timer *end = loop_timer_new(s->loop, stop_now, s->loop, &f);

	assert_non_null(end);
	loop_timer_set(end, ms);
	run(s);
	loop_timer_free(end);
}

static inline void
far_says_done(struct scene *s, uint32_t id)
{
	struct fault f = { 0 };
	struct msg m = { .type = MSG_TBS_DONE };

	m.tbs_done.id = id;
	assert_int_equal(channel_tell(s->far, &m, &f), 0);
}

static inline struct msg
a_tbs_ask(uint32_t id, const uint8_t *tbs, size_t len)
{
	struct msg m = { .type = MSG_TBS_ASK };

	m.tbs_ask.id = id;
	m.tbs_ask.tbs = (struct wire_bytes){ tbs, len };
	return m;
}

#endif
