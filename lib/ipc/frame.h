#ifndef IPC_FRAME_H
#define IPC_FRAME_H

#include "base/checked.h"
#include "ipc/msg.h"

#include <sys/uio.h>

#include <stdbool.h>

/*
 * One frame, and at most one descriptor beside it, over a SOCK_SEQPACKET
 * socket.  In a frame are messages, each behind its length (4 octets, the
 * highest first); one with a descriptor is alone.  For channel.c and
 * channel_plain.c; roles use channel.h.
 */
struct fault;

enum frame_result {
	FRAME_DONE,
	FRAME_LATER, /* not now, and we were not to wait */
	FRAME_GONE,  /* the other end has closed */
	FRAME_BAD    /* a fault */
};

#define FRAME_HEAD 4 /* before each message */

/* Write ${m} behind its length to the ${size} bytes at ${data}: how many they
 * are then, or -1. */
CHECKED int frame_encode(const struct msg *m, uint8_t *data, size_t size,
    struct fault *f);

/* Send ${pieces}, which are only read, as one frame, with a copy of ${passed}
 * unless -1. */
CHECKED enum frame_result frame_send(int fd, struct iovec *pieces, size_t count,
    int passed, bool wait, struct fault *f);

/* Receive one frame into the MSG_MAX_FRAME bytes at ${data}; ${passed} becomes
 * the descriptor that came with it, the caller's, or -1.  What is too long, or
 * comes with more than one, is a fault; its descriptors have been closed. */
CHECKED enum frame_result frame_receive(int fd, uint8_t *data, size_t *len,
    int *passed, bool wait, struct fault *f);

/**
 * frame_decode(m, frame, passed, speaker, hearer, f):
 * Read the next message of ${frame}, as msg_decode does; a descriptor came if,
 * and only if, it carries one, and is alone.
 * After a fault ${passed} has been closed.
 */
CHECKED int frame_decode(struct msg *m, struct wire_in *frame, int passed,
    enum msg_role speaker, enum msg_role hearer, struct fault *f);

#endif
