#include "ipc/channel.h"

#include "base/fault.h"
#include "ipc/frame.h"
#include "sys/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Messages heard in one turn of the loop, so that one talker does not keep
 * the others waiting; and in one drain, should the talker never pause. */
#define TURN 32
#define DRAIN 4096

/* Messages in a frame, and those that wait for the end of a turn: the first of
 * more might have to wait long while a certificate is signed for each. */
#define GATHER 8

/* A message that waits to be sent, as it is in a frame. */
struct waiting {
	struct waiting *next;
	size_t len;
	int passed;
	uint8_t data[];
};

struct channel {
	int fd;
	enum msg_role self;
	enum msg_role peer;
	channel_heard_fn *heard;
	channel_gone_fn *gone;
	void *arg;
	channel_idle_fn *idle;
	void *idle_arg;
	struct loop_watch *watch;
	struct loop_timer *soon; /* the end of this turn */
	struct waiting *first;
	struct waiting **last;
	size_t waiting_bytes;
	size_t waiting_frames;
	bool gathers;
	bool full; /* the socket was, when last tried */
	bool hearing;
	bool freed; /* by a handler: gone when it has returned */
	bool paused;
	bool dead;
	uint8_t in[MSG_MAX_FRAME];
	uint8_t out[MSG_MAX_FRAME];
};

static void
waiting_free(struct waiting *w)
{
	if (w->passed >= 0)
		(void)close(w->passed);
	explicit_bzero(w->data, w->len);
	free(w);
}

static void
pop(struct channel *ch)
{
	struct waiting *w = ch->first;

	if ((ch->first = w->next) == NULL)
		ch->last = &ch->first;
	ch->waiting_bytes -= w->len;
	ch->waiting_frames--;
	waiting_free(w);
}

static void
set_watch(struct channel *ch)
{
	unsigned what = 0;

	if (!ch->dead && !ch->paused)
		what |= LOOP_READ;
	if (!ch->dead && ch->full)
		what |= LOOP_WRITE;
	loop_watch_set(ch->watch, what);
}

/* Nothing more comes or goes; ${cause} is NULL when the other end closed. */
static void
die(struct channel *ch, const struct fault *cause)
{
	ch->dead = true;
	while (ch->first != NULL)
		pop(ch);
	set_watch(ch);
	ch->gone(ch->arg, ch, cause);
}

/* The messages of one frame.  Whether to go on. */
static bool
hear_frame(struct channel *ch, struct wire_in *frame, int passed, int *heard)
{
	struct fault f = { 0 };
	struct msg m;

	do {
		if (frame_decode(&m, frame, passed, ch->peer, ch->self, &f) <
		    0) {
			die(ch, &f);
			return false;
		}
		++*heard;
		ch->heard(ch->arg, ch, &m, passed);
		passed = -1;
	} while (frame->left > 0 && !ch->freed && !ch->dead);
	return !ch->freed;
}

/* Hear one frame; *${heard} counts its messages.  Whether to go on. */
static bool
hear_one(struct channel *ch, int *heard)
{
	struct wire_in frame = { .at = ch->in };
	struct fault f = { 0 };
	size_t len = 0;
	int passed = -1;
	bool more;

	switch (frame_receive(ch->fd, ch->in, &len, &passed, false, &f)) {
	case FRAME_LATER:
		return false;
	case FRAME_GONE:
		die(ch, NULL);
		return false;
	case FRAME_BAD:
		die(ch, &f);
		return false;
	case FRAME_DONE:
		break;
	}
	frame.left = len;
	more = hear_frame(ch, &frame, passed, heard);
	explicit_bzero(ch->in, len);
	return more;
}

/* Until ${most} messages have been heard; with ${paused} also while we are to
 * pause. */
static void
hear(struct channel *ch, int most, bool paused)
{
	int heard = 0;

	/* A handler that drains its own channel would have the frame that it
	 * reads overwritten. */
	if (ch->hearing)
		return;
	ch->hearing = true;
	while (heard < most && !ch->dead && (paused || !ch->paused))
		if (!hear_one(ch, &heard))
			break;
	if (heard > 0 && ch->idle != NULL && !ch->freed)
		ch->idle(ch->idle_arg, ch);
	ch->hearing = false;
	if (ch->freed)
		free(ch);
}

/* The next frame of what waits; how many messages that is. */
static size_t
gather(const struct channel *ch, struct iovec pieces[GATHER])
{
	size_t count = 0, left = MSG_MAX_FRAME;

	for (struct waiting *w = ch->first; w != NULL; w = w->next) {
		if (count == GATHER || w->len > left ||
		    (w->passed >= 0 && count > 0))
			break;
		pieces[count++] = (struct iovec){ w->data, w->len };
		left -= w->len;
		if (w->passed >= 0 || !ch->gathers)
			break;
	}
	return count;
}

/* Send what waits, as far as it goes.  That the other end has gone is told
 * when it is read: what it said before comes first. */
static int
send_waiting(struct channel *ch, struct fault *f)
{
	enum frame_result result = FRAME_DONE;

	while (ch->first != NULL && result != FRAME_LATER) {
		struct iovec pieces[GATHER];
		size_t count = gather(ch, pieces);

		result = frame_send(ch->fd, pieces, count, ch->first->passed,
		    false, f);
		if (result == FRAME_BAD)
			return -1;
		/* Sent, or without a reader. */
		while (result != FRAME_LATER && count-- > 0)
			pop(ch);
	}
	ch->full = result == FRAME_LATER;
	set_watch(ch);
	return 0;
}

/* False if ${ch} died, and may be no more. */
static bool
flush_waiting(struct channel *ch)
{
	struct fault f = { 0 };

	if (send_waiting(ch, &f) == 0)
		return true;
	die(ch, &f);
	return false;
}

static void
turn_ends(void *arg)
{
	(void)flush_waiting(arg);
}

static void
ready(void *arg, int fd, unsigned what)
{
	struct channel *ch = arg;

	(void)fd;
	if ((what & LOOP_WRITE) != 0 && !flush_waiting(ch))
		return;
	if ((what & LOOP_READ) != 0)
		hear(ch, ch->idle != NULL ? DRAIN : TURN, false);
}

struct channel *
channel_new(struct loop *loop, int fd, enum msg_role self, enum msg_role peer,
    channel_heard_fn *heard, channel_gone_fn *gone, void *arg, struct fault *f)
{
	struct channel *ch = malloc(sizeof(*ch));

	if (ch == NULL) {
		(void)close(fd);
		(void)fault_set(f, FAULT_MEMORY, "channel");
		return NULL;
	}
	/* Not the buffers: pages that are never used cost nothing. */
	memset(ch, 0, offsetof(struct channel, in));
	ch->fd = fd;
	ch->self = self;
	ch->peer = peer;
	ch->heard = heard;
	ch->gone = gone;
	ch->arg = arg;
	ch->last = &ch->first;
	ch->soon = loop_timer_new(loop, turn_ends, ch, f);
	if (ch->soon != NULL)
		ch->watch = loop_watch_new(loop, fd, LOOP_READ, ready, ch, f);
	if (ch->watch == NULL) {
		loop_timer_free(ch->soon);
		(void)close(fd);
		free(ch);
		return NULL;
	}
	return ch;
}

void
channel_gather(struct channel *ch, bool gather)
{
	ch->gathers = gather;
}

void
channel_free(struct channel *ch)
{
	struct fault f = { 0 };

	if (ch == NULL)
		return;
	/* What cannot be sent now has nobody who would send it later. */
	if (!ch->dead && !ch->full && send_waiting(ch, &f) < 0)
		ch->dead = true;
	loop_watch_free(ch->watch);
	loop_timer_free(ch->soon);
	while (ch->first != NULL)
		pop(ch);
	(void)close(ch->fd);
	ch->freed = true;
	if (!ch->hearing)
		free(ch);
}

static int
enqueue(struct channel *ch, size_t len, int fd, struct fault *f)
{
	struct waiting *w;

	if (ch->waiting_frames >= CHANNEL_QUEUE_FRAMES ||
	    ch->waiting_bytes + len > CHANNEL_QUEUE_BYTES)
		return fault_set(f, FAULT_BUSY, "%s does not listen",
		    msg_role_name(ch->peer));
	if ((w = malloc(sizeof(*w) + len)) == NULL)
		return fault_set(f, FAULT_MEMORY, "queue to %s",
		    msg_role_name(ch->peer));
	w->next = NULL;
	w->len = len;
	memcpy(w->data, ch->out, len);
	w->passed = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd >= 0 && w->passed < 0) {
		waiting_free(w);
		return fault_set(f, FAULT_SYSTEM, "descriptor: %s",
		    strerror(errno));
	}
	*ch->last = w;
	ch->last = &w->next;
	ch->waiting_bytes += len;
	ch->waiting_frames++;
	return 0;
}

/* It goes at the end of this turn, or now if there are enough for a frame. */
static int
say_later(struct channel *ch, size_t len, int fd, struct fault *f)
{
	struct fault none = { 0 };
	size_t waiting;

	if (enqueue(ch, len, fd, f) < 0)
		return -1;
	waiting = ch->waiting_frames;
	if (ch->full || (waiting > 1 && waiting < GATHER))
		return 0;
	/* That it cannot be sent is found once more on the loop. */
	if (waiting == 1 || send_waiting(ch, &none) < 0)
		loop_timer_soon(ch->soon);
	return 0;
}

/* The socket is full. */
static int
say_when_writable(struct channel *ch, size_t len, int fd, struct fault *f)
{
	if (enqueue(ch, len, fd, f) < 0)
		return -1;
	ch->full = true;
	set_watch(ch);
	return 0;
}

/* Send the ${len} bytes in ch->out now, or behind those that wait, or with
 * those that are said in this turn. */
static int
send_out(struct channel *ch, size_t len, int fd, struct fault *f)
{
	struct iovec all = { ch->out, len };

	if (ch->gathers)
		return say_later(ch, len, fd, f);
	if (ch->first != NULL)
		return enqueue(ch, len, fd, f);
	switch (frame_send(ch->fd, &all, 1, fd, false, f)) {
	case FRAME_DONE:
		return 0;
	case FRAME_LATER:
		return say_when_writable(ch, len, fd, f);
	case FRAME_GONE:
		return fault_set(f, FAULT_UNREACHABLE, "%s has gone",
		    msg_role_name(ch->peer));
	case FRAME_BAD:
		break;
	}
	return -1;
}

int
channel_say_fd(struct channel *ch, const struct msg *m, int fd, struct fault *f)
{
	int len, result;

	if (ch->dead)
		return fault_set(f, FAULT_UNREACHABLE, "%s has gone",
		    msg_role_name(ch->peer));
	if ((len = frame_encode(m, ch->out, sizeof(ch->out), f)) < 0)
		return fault_wrap(f, "%s to %s", msg_name(m->type),
		    msg_role_name(ch->peer));
	result = send_out(ch, (size_t)len, fd, f);
	explicit_bzero(ch->out, (size_t)len);
	return result;
}

int
channel_say(struct channel *ch, const struct msg *m, struct fault *f)
{
	return channel_say_fd(ch, m, -1, f);
}

void
channel_drain(struct channel *ch)
{
	hear(ch, DRAIN, true);
}

void
channel_when_idle(struct channel *ch, channel_idle_fn *fn, void *arg)
{
	ch->idle = fn;
	ch->idle_arg = arg;
}

bool
channel_dead(const struct channel *ch)
{
	return ch->dead;
}

void
channel_pause(struct channel *ch, bool pause)
{
	ch->paused = pause;
	set_watch(ch);
}
