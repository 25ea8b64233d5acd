#include "ipc/frame.h"

#include "base/fault.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Room to see a second descriptor, which is one too many.  The kernel closes
 * what does not fit, and says MSG_CTRUNC. */
#define PASSED_MAX 4

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
};

static void
attach(struct msghdr *header, union control *control, int passed)
{
	struct cmsghdr *c;

	memset(control, 0, sizeof(*control));
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(sizeof(passed));
	c = CMSG_FIRSTHDR(header);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(passed));
	memcpy(CMSG_DATA(c), &passed, sizeof(passed));
}

static enum frame_result
failed(const char *what, struct fault *f)
{
	if (errno == EAGAIN)
		return FRAME_LATER;
	if (errno == EPIPE || errno == ECONNRESET)
		return FRAME_GONE;
	(void)fault_set(f, FAULT_SYSTEM, "%s: %s", what, strerror(errno));
	return FRAME_BAD;
}

int
frame_encode(const struct msg *m, uint8_t *data, size_t size, struct fault *f)
{
	struct wire_out head = { .at = data, .left = FRAME_HEAD };
	int len = msg_encode(m, data + FRAME_HEAD, size - FRAME_HEAD, f);

	if (len < 0)
		return -1;
	wire_put_u32(&head, (uint32_t)len);
	return FRAME_HEAD + len;
}

enum frame_result
frame_send(int fd, struct iovec *pieces, size_t count, int passed, bool wait,
    struct fault *f)
{
	struct msghdr header = { .msg_iov = pieces, .msg_iovlen = count };
	union control control;
	ssize_t sent;

	if (passed >= 0)
		attach(&header, &control, passed);
	do
		sent = sendmsg(fd, &header,
		    MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return failed("sendmsg", f);
	return FRAME_DONE;
}

/* Collect the descriptors that came; how many. */
static size_t
collect(struct msghdr *header, int fds[PASSED_MAX])
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL;
	     c = CMSG_NXTHDR(header, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0;
		     i + sizeof(int) <= bytes && count < PASSED_MAX;
		     i += sizeof(int))
			memcpy(&fds[count++], CMSG_DATA(c) + i, sizeof(int));
	}
	return count;
}

enum frame_result
frame_receive(int fd, uint8_t *data, size_t *len, int *passed, bool wait,
    struct fault *f)
{
	struct iovec iov = { .iov_base = data, .iov_len = MSG_MAX_FRAME };
	union control control;
	struct msghdr header = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	int fds[PASSED_MAX];
	size_t count;
	ssize_t got;

	*passed = -1;
	do
		got = recvmsg(fd, &header,
		    MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return failed("recvmsg", f);
	count = collect(&header, fds);
	if (count > 1 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		while (count > 0)
			(void)close(fds[--count]);
		(void)fault_set(f, FAULT_INPUT,
		    "frame too long, or too many descriptors");
		return FRAME_BAD;
	}
	/* No frame of ours is empty: a type comes first. */
	if (got == 0) {
		if (count > 0)
			(void)close(fds[0]);
		return FRAME_GONE;
	}
	if (count > 0)
		*passed = fds[0];
	*len = (size_t)got;
	return FRAME_DONE;
}

int
frame_decode(struct msg *m, struct wire_in *frame, int passed,
    enum msg_role speaker, enum msg_role hearer, struct fault *f)
{
	struct wire_bytes data = wire_get_bytes(frame, MSG_MAX_FRAME);
	int result = frame->failed
	    ? fault_set(f, FAULT_INPUT, "a frame that is cut short")
	    : msg_decode(m, data.data, data.len, speaker, hearer, f);

	if (result == 0 && msg_carries_fd(m->type) != (passed >= 0))
		result = fault_set(f, FAULT_INPUT, "%s %s a descriptor",
		    msg_name(m->type), passed >= 0 ? "with" : "without");
	if (result == 0 && passed >= 0 && frame->left > 0)
		result = fault_set(f, FAULT_INPUT,
		    "a descriptor beside more than one message");
	if (result < 0 && passed >= 0)
		(void)close(passed);
	return result;
}
