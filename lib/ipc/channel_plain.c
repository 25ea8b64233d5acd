#include "base/fault.h"
#include "ipc/channel.h"
#include "ipc/frame.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What the kernel accounts for a frame is more than its bytes. */
#define SOCKET_BUFFER (4 * MSG_MAX_FRAME)

/* Without this, a frame of the largest size could be one that never fits. */
static int
size_buffer(int fd, struct fault *f)
{
	int size = SOCKET_BUFFER;
	socklen_t len = sizeof(size);

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) < 0)
		return fault_set(f, FAULT_SYSTEM, "SO_SNDBUF: %s",
		    strerror(errno));
	if (size < 2 * MSG_MAX_FRAME)
		return fault_set(f, FAULT_SYSTEM,
		    "socket buffers of %d bytes are too small; raise "
		    "net.core.wmem_max",
		    size);
	return 0;
}

int
channel_pair(int fds[2], struct fault *f)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return fault_set(f, FAULT_SYSTEM, "socketpair: %s",
		    strerror(errno));
	if (size_buffer(fds[0], f) < 0 || size_buffer(fds[1], f) < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -1;
	}
	return 0;
}

int
channel_hear(int fd, enum msg_role self, enum msg_role peer, uint8_t *frame,
    struct msg *m, int *passed, struct fault *f)
{
	struct wire_in in = { .at = frame };
	int got = -1;

	*passed = -1;
	switch (frame_receive(fd, frame, &in.left, &got, true, f)) {
	case FRAME_GONE:
		return 0;
	case FRAME_LATER:
		return fault_set(f, FAULT_SYSTEM, "channel does not wait");
	case FRAME_BAD:
		return -1;
	case FRAME_DONE:
		break;
	}
	if (frame_decode(m, &in, got, peer, self, f) < 0)
		return -1;
	if (in.left > 0)
		return fault_set(f, FAULT_INPUT, "%s, and more with it",
		    msg_name(m->type));
	*passed = got;
	return 1;
}

int
channel_tell(int fd, const struct msg *m, struct fault *f)
{
	uint8_t *frame = malloc(MSG_MAX_FRAME);
	enum frame_result result = FRAME_BAD;
	int len;

	if (frame == NULL)
		return fault_set(f, FAULT_MEMORY, "frame");
	len = frame_encode(m, frame, MSG_MAX_FRAME, f);
	if (len >= 0) {
		struct iovec all = { frame, (size_t)len };

		result = frame_send(fd, &all, 1, -1, true, f);
		explicit_bzero(frame, (size_t)len);
	}
	free(frame);
	if (result == FRAME_GONE)
		return fault_set(f, FAULT_UNREACHABLE,
		    "%s: the other end has gone", msg_name(m->type));
	if (result == FRAME_LATER)
		return fault_set(f, FAULT_SYSTEM, "channel does not wait");
	return result == FRAME_DONE ? 0 : -1;
}
