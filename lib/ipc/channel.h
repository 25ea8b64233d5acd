#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include "base/checked.h"
#include "base/own.h"
#include "ipc/msg.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One end of a SOCK_SEQPACKET pair between two roles, on the loop.  What is
 * said goes out at once, or waits in order when the socket is full (up to a
 * bound).
 */
struct fault;
struct loop;
struct channel;

/* A message arrived.  ${fd} is the descriptor that came with it, now the
 * handler's, if msg_carries_fd() says that one does, else -1.  Bytes in ${m}
 * are borrowed until the handler returns, and wiped then.  The handler may
 * free ${ch}. */
typedef void channel_heard_fn(void *arg, struct channel *ch,
    const struct msg *m, int fd);

/* The other end has gone (${f} is NULL), or said what it may not or what
 * could not be read: the channel is dead, the owner decides what follows and
 * may free it here. */
typedef void channel_gone_fn(void *arg, struct channel *ch,
    const struct fault *f);

/**
 * channel_new(loop, fd, self, peer, heard, gone, arg, f):
 * Take over the descriptor ${fd}: we are ${self}, at the far end is ${peer};
 * only what msg.def lets ${peer} say to ${self} is heard.  ${fd} is closed by
 * channel_free, and also when this fails.
 */
CHECKED struct channel *channel_new(struct loop *loop, int fd,
    enum msg_role self, enum msg_role peer, channel_heard_fn *heard,
    channel_gone_fn *gone, void *arg, struct fault *f);
/* What was said is sent first, as far as the socket takes it. */
void channel_free(struct channel *ch);

/* What may wait in a channel that the other end does not read. */
#define CHANNEL_QUEUE_BYTES ((size_t)8 * 1024 * 1024)
#define CHANNEL_QUEUE_FRAMES 8192u

/* Send ${m}, or queue it.  FAULT_BUSY when the queue is full, FAULT_UNREACHABLE
 * when the channel is dead (its ${gone} is told on the loop, not from here),
 * another fault if ${m} does not fit.  channel_say_fd also passes a copy of
 * ${fd}; use it for what msg_carries_fd(), and for nothing else. */
CHECKED int channel_say(struct channel *ch, const struct msg *m,
    struct fault *f);
CHECKED int channel_say_fd(struct channel *ch, const struct msg *m, int fd,
    struct fault *f);

/*
 * What is said from now on is sent when all have been called whose turn it is
 * on the loop, several messages in a frame: less often is either end busy with
 * sending, waking and reading.  That the other end has gone is then told by
 * ${gone} alone.  Messages of two channels may change their order: where what
 * one says must come before what another says, that one does not gather.  The
 * other end must be a channel too: channel_hear() takes no such frames.
 */
void channel_gather(struct channel *ch, bool gather);

/* Hear all that has arrived by now, without waiting.  From within this
 * channel's own handlers it does nothing. */
void channel_drain(struct channel *ch);

/* Whether nothing more will come or go. */
bool channel_dead(const struct channel *ch);

/* Stop or go on hearing (back-pressure).  A channel that is paused is heard by
 * channel_drain only, and that the other end has gone is noticed only then. */
void channel_pause(struct channel *ch, bool pause);

/* For one who gathers: call ${fn} when all that had arrived by now has been
 * heard and something was, instead of taking turns with other channels.  It
 * may free ${ch}. */
typedef void channel_idle_fn(void *arg, struct channel *ch);
void channel_when_idle(struct channel *ch, channel_idle_fn *fn, void *arg);

/* A pair of connected sockets for two channels, close-on-exec, with buffers
 * that hold the largest frame. */
CHECKED int channel_pair(int fds[2], struct fault *f);

/* For processes without a loop (workers): wait for one message and read it
 * into the caller's ${frame} of MSG_MAX_FRAME bytes; send one, waiting.
 * channel_hear returns 0 when the other end has gone, 1 with a message; then
 * ${passed} is the descriptor that came with it, the caller's, or -1.  Who
 * heard a secret wipes ${frame}. */
CHECKED int channel_hear(int fd, enum msg_role self, enum msg_role peer,
    uint8_t *frame, struct msg *m, int *passed, struct fault *f);
CHECKED int channel_tell(int fd, const struct msg *m, struct fault *f);

OWN_FREE_STRUCT(channel, channel_free)

#endif
