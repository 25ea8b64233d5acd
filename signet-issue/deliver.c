#include "deliver.h"

#include "base/clock.h"
#include "base/fault.h"
#include "sys/net.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define PIECE 16384

int
deliver_late(const struct issue_conf *conf, struct fault *f)
{
	return fault_set(f, FAULT_TIMEOUT,
	    "signetd has not answered within %lld seconds",
	    (long long)conf->timeout);
}

/* Who turns us away may do so before he has read all: his answer counts. */
static void
send_all(int fd, const struct buf *request)
{
	size_t done = 0;

	while (done < request->len) {
		ssize_t sent = send(fd, request->data + done,
		    request->len - done, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return;
		done += (size_t)sent;
	}
	(void)shutdown(fd, SHUT_WR);
}

/* 1 while there may be more, 0 at the end. */
static int
receive_some(int fd, struct buf *answer, struct fault *f)
{
	uint8_t *room = buf_room(answer, PIECE);
	ssize_t got;

	if (room == NULL)
		return fault_set(f, FAULT_INPUT, "the answer is too long");
	got = recv(fd, room, PIECE, 0);
	if (got > 0)
		answer->len += (size_t)got;
	if (got < 0 && errno == EINTR)
		return 1;
	return got > 0;
}

static int
receive_all(const struct issue_conf *conf, int fd, int64_t deadline,
    struct buf *answer, struct fault *f)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int more = 1;

	while (more > 0) {
		int64_t left = deadline - clock_mono();

		if (left <= 0 || poll(&wait, 1, (int)left) == 0)
			return deliver_late(conf, f);
		more = receive_some(fd, answer, f);
	}
	if (more == 0 && answer->len == 0)
		return fault_set(f, FAULT_UNREACHABLE,
		    "signetd has ended before it answered");
	return more;
}

static int
deliver_socket(const struct issue_conf *conf, int64_t deadline,
    const struct buf *request, struct buf *answer, struct fault *f)
{
	int fd = net_connect_local_within(conf->socket,
	    (int)conf->timeout * 1000, f);
	int result;

	if (fd < 0)
		return fault_wrap(f, "signetd is not there");
	send_all(fd, request);
	result = receive_all(conf, fd, deadline, answer, f);
	(void)close(fd);
	return result;
}

int
deliver(const struct issue_conf *conf, const struct buf *request,
    struct buf *answer, struct fault *f)
{
	int64_t deadline = clock_mono() + conf->timeout * 1000;

	return *conf->directory != '\0'
	    ? deliver_drop(conf, deadline, request, answer, f)
	    : deliver_socket(conf, deadline, request, answer, f);
}
