#ifndef IPC_FRAME_H
#define IPC_FRAME_H

#include "base/checked.h"
#include "ipc/msg.h"

#include <stdbool.h>

/*
 * One frame, and at most one descriptor beside it, over a SOCK_SEQPACKET
 * socket.  For channel.c and channel_plain.c; roles use channel.h.
 */
struct fault;

enum frame_result {
	FRAME_DONE,
	FRAME_LATER, /* not now, and we were not to wait */
	FRAME_GONE,  /* the other end has closed */
	FRAME_BAD    /* a fault */
};

/* Send the ${len} bytes at ${data}, with a copy of ${passed} unless -1. */
CHECKED enum frame_result frame_send(int fd, const uint8_t *data, size_t len,
    int passed, bool wait, struct fault *f);

/* Receive one frame into the MSG_MAX_FRAME bytes at ${data}; ${passed} becomes
 * the descriptor that came with it, the caller's, or -1.  What is too long, or
 * comes with more than one, is a fault; its descriptors have been closed. */
CHECKED enum frame_result frame_receive(int fd, uint8_t *data, size_t *len,
    int *passed, bool wait, struct fault *f);

/**
 * frame_decode(m, data, len, passed, speaker, hearer, f):
 * msg_decode, and a descriptor came if, and only if, ${m} carries one.
 * After a fault ${passed} has been closed.
 */
CHECKED int frame_decode(struct msg *m, const uint8_t *data, size_t len,
    int passed, enum msg_role speaker, enum msg_role hearer, struct fault *f);

#endif
