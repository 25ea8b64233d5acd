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

enum frame_result
frame_send(int fd, const uint8_t *data, size_t len, int passed, bool wait,
    struct fault *f)
{
	struct iovec iov = { .iov_len = len };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	ssize_t sent;

	/* sendmsg only reads, but its struct does not say so. */
	memcpy(&iov.iov_base, &data, sizeof(data));
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
frame_decode(struct msg *m, const uint8_t *data, size_t len, int passed,
    enum msg_role speaker, enum msg_role hearer, struct fault *f)
{
	int result = msg_decode(m, data, len, speaker, hearer, f);

	if (result == 0 && msg_carries_fd(m->type) != (passed >= 0))
		result = fault_set(f, FAULT_INPUT, "%s %s a descriptor",
		    msg_name(m->type), passed >= 0 ? "with" : "without");
	if (result < 0 && passed >= 0)
		(void)close(passed);
	return result;
}
