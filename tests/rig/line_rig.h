#ifndef RIG_LINE_RIG_H
#define RIG_LINE_RIG_H

/*
 * For tests of what a role does with its channels: such a channel, whose far
 * end the test has.  Include it after the headers of what is tested.
 */
#include "base/fault.h"
#include "base/unit.h"
#include "ipc/channel.h"
#include "sys/loop.h"

#include <sys/socket.h>

#include <unistd.h>

struct line {
	enum msg_role self; /* who is tested */
	enum msg_role peer; /* whose part the test plays */
	struct channel *near;
	int far;
};

static inline void
line_gone(void *arg, struct channel *ch, const struct fault *f)
{
	(void)arg;
	(void)ch;
	(void)f;
}

/* What arrives near is told to ${heard} with ${arg}. */
static inline void
line_open(struct line *line, struct loop *loop, enum msg_role self,
    enum msg_role peer, channel_heard_fn *heard, void *arg)
{
	struct fault f = { 0 };
	int fds[2];

	assert_int_equal(channel_pair(fds, &f), 0);
	line->self = self;
	line->peer = peer;
	line->far = fds[1];
	line->near =
	    channel_new(loop, fds[0], self, peer, heard, line_gone, arg, &f);
	assert_non_null(line->near);
}

static inline void
line_close(struct line *line)
{
	channel_free(line->near);
	(void)close(line->far);
}

/* ${m} arrives on ${line} and is acted upon. */
static inline void
line_say(struct line *line, const struct msg *m)
{
	struct fault f = { 0 };

	assert_int_equal(channel_tell(line->far, m, &f), 0);
	channel_drain(line->near);
}

/* What was said on ${line}, read into ${frame}; false if nothing. */
static inline bool
line_hear(const struct line *line, uint8_t *frame, struct msg *m)
{
	struct fault f = { 0 };
	char peek;
	int passed;

	if (recv(line->far, &peek, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		return false;
	assert_int_equal(channel_hear(line->far, line->peer, line->self, frame,
			     m, &passed, &f),
	    1);
	return true;
}

#endif
