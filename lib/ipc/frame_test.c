#include "ipc/frame.h"

#include "base/fault.h"
#include "base/unit.h"
#include "ipc/channel.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The lowest free descriptor: the same again if none was leaked. */
static int
next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	return fd;
}

static enum frame_result
send_bytes(int fd, uint8_t *data, size_t len, int passed, struct fault *f)
{
	struct iovec all = { data, len };

	return frame_send(fd, &all, 1, passed, false, f);
}

static void
make_pair(int fds[2])
{
	struct fault f = { 0 };

	assert_int_equal(channel_pair(fds, &f), 0);
}

static void
close_pair(const int fds[2])
{
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
}

static void
a_frame_of_the_largest_size_gets_through(void **state)
{
	struct fault f = { 0 };
	uint8_t *out = malloc(MSG_MAX_FRAME);
	uint8_t *in = malloc(MSG_MAX_FRAME);
	size_t len = 0;
	int fds[2], passed;

	(void)state;
	assert_non_null(out);
	assert_non_null(in);
	make_pair(fds);
	for (size_t i = 0; i < MSG_MAX_FRAME; i++)
		out[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(send_bytes(fds[0], out, MSG_MAX_FRAME, -1, &f),
	    FRAME_DONE);
	assert_int_equal(frame_receive(fds[1], in, &len, &passed, false, &f),
	    FRAME_DONE);
	assert_int_equal(len, MSG_MAX_FRAME);
	assert_memory_equal(in, out, MSG_MAX_FRAME);
	assert_int_equal(passed, -1);
	close_pair(fds);
	free(in);
	free(out);
}

static void
a_frame_too_long_is_refused(void **state)
{
	struct fault f = { 0 };
	uint8_t *data = calloc(1, MSG_MAX_FRAME + 1);
	size_t len = 0;
	int fds[2], passed;

	(void)state;
	assert_non_null(data);
	make_pair(fds);
	assert_int_equal(send_bytes(fds[0], data, MSG_MAX_FRAME + 1, -1, &f),
	    FRAME_DONE);
	assert_int_equal(frame_receive(fds[1], data, &len, &passed, false, &f),
	    FRAME_BAD);
	assert_int_equal(f.code, FAULT_INPUT);
	close_pair(fds);
	free(data);
}

static void
a_descriptor_passes_and_is_closed_on_exec(void **state)
{
	struct fault f = { 0 };
	uint8_t *data = calloc(1, MSG_MAX_FRAME);
	size_t len = 0;
	int fds[2], pipes[2], passed = -1;
	char byte;

	(void)state;
	assert_non_null(data);
	make_pair(fds);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(send_bytes(fds[0], data, 5, pipes[1], &f), FRAME_DONE);
	assert_int_equal(frame_receive(fds[1], data, &len, &passed, false, &f),
	    FRAME_DONE);
	assert_int_equal(len, 5);
	assert_true(passed >= 0);
	assert_int_equal(fcntl(passed, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(write(passed, "x", 1), 1);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(close(passed), 0);
	close_pair(pipes);
	close_pair(fds);
	free(data);
}

/* Send ${count} copies of standard error beside one byte. */
static void
send_fds(int fd, size_t count)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { .bytes = { 0 } };
	uint8_t byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr header = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&header);
	int err = STDERR_FILENO;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (size_t i = 0; i < count; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &err, sizeof(int));
	assert_int_equal(sendmsg(fd, &header, 0), 1);
}

static void
several_descriptors_are_refused_and_closed(void **state)
{
	static const size_t counts[] = { 2, 3, 4, 5, 16 };
	uint8_t *data = calloc(1, MSG_MAX_FRAME);
	int fds[2];

	(void)state;
	assert_non_null(data);
	make_pair(fds);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct fault f = { 0 };
		int before = next_fd(), passed = -1;
		size_t len = 0;

		send_fds(fds[0], counts[i]);
		assert_int_equal(frame_receive(fds[1], data, &len, &passed,
				     false, &f),
		    FRAME_BAD);
		assert_int_equal(passed, -1);
		assert_int_equal(next_fd(), before);
	}
	close_pair(fds);
	free(data);
}

static void
a_descriptor_where_none_belongs_is_refused_and_closed(void **state)
{
	struct msg out = { .type = MSG_BOOT_GO };
	struct fault f = { 0 };
	struct msg in;
	uint8_t frame[256];
	struct wire_in in_frame = { .at = frame,
		.left = (size_t)frame_encode(&out, frame, sizeof(frame), &f) };
	struct wire_in again = in_frame;
	int before = next_fd();

	(void)state;
	assert_int_equal(frame_decode(&in, &in_frame, dup(STDERR_FILENO),
			     MSG_ROLE_PARENT, MSG_ROLE_FRONT, &f),
	    -1);
	assert_string_equal(f.text, "BOOT_GO with a descriptor");
	assert_int_equal(next_fd(), before);
	assert_int_equal(frame_decode(&in, &again, -1, MSG_ROLE_PARENT,
			     MSG_ROLE_FRONT, &f),
	    0);
}

/* ${count} times the same message, in one frame. */
static struct wire_in
a_frame_of(const struct msg *m, size_t count, uint8_t frame[256])
{
	struct wire_in in = { .at = frame };
	struct fault f = { 0 };

	for (size_t i = 0; i < count; i++) {
		int len = frame_encode(m, frame + in.left, 256 - in.left, &f);

		assert_true(len > FRAME_HEAD);
		in.left += (size_t)len;
	}
	return in;
}

static void
messages_of_a_frame_are_read_one_by_one(void **state)
{
	struct msg out = { .type = MSG_BOOT_GO };
	struct fault f = { 0 };
	struct msg m;
	uint8_t frame[256];
	struct wire_in in;

	(void)state;
	out.boot_go.generation = 7;
	in = a_frame_of(&out, 3, frame);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(frame_decode(&m, &in, -1, MSG_ROLE_PARENT,
				     MSG_ROLE_FRONT, &f),
		    0);
		assert_int_equal(m.boot_go.generation, 7);
	}
	assert_int_equal(in.left, 0);
}

static void
a_frame_that_is_cut_anywhere_is_refused(void **state)
{
	struct msg out = { .type = MSG_BOOT_GO };
	struct fault f = { 0 };
	struct msg m;
	uint8_t frame[256];
	struct wire_in whole = a_frame_of(&out, 2, frame);
	size_t one = whole.left / 2;

	(void)state;
	for (size_t len = one + 1; len < whole.left; len++) {
		struct wire_in in = { .at = frame, .left = len };

		assert_int_equal(frame_decode(&m, &in, -1, MSG_ROLE_PARENT,
				     MSG_ROLE_FRONT, &f),
		    0);
		assert_int_equal(frame_decode(&m, &in, -1, MSG_ROLE_PARENT,
				     MSG_ROLE_FRONT, &f),
		    -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

static void
a_length_that_is_not_the_messages_is_refused(void **state)
{
	struct msg out = { .type = MSG_BOOT_GO };
	struct fault f = { 0 };
	struct msg m;
	uint8_t frame[256];

	(void)state;
	for (int wrong = 0; wrong < 256; wrong++) {
		struct wire_in in = a_frame_of(&out, 2, frame);

		if (frame[FRAME_HEAD - 1] == wrong)
			continue;
		frame[FRAME_HEAD - 1] = (uint8_t)wrong;
		assert_int_equal(frame_decode(&m, &in, -1, MSG_ROLE_PARENT,
				     MSG_ROLE_FRONT, &f),
		    -1);
		frame[0] = 0xff;
		in = (struct wire_in){ .at = frame, .left = in.left };
		assert_int_equal(frame_decode(&m, &in, -1, MSG_ROLE_PARENT,
				     MSG_ROLE_FRONT, &f),
		    -1);
	}
}

static void
a_descriptor_beside_two_messages_is_refused_and_closed(void **state)
{
	struct msg out = { .type = MSG_BOOT_FD };
	struct fault f = { 0 };
	struct msg m;
	uint8_t frame[256];
	struct wire_in in = a_frame_of(&out, 2, frame);
	int before = next_fd();

	(void)state;
	assert_int_equal(frame_decode(&m, &in, dup(STDERR_FILENO),
			     MSG_ROLE_PARENT, MSG_ROLE_FRONT, &f),
	    -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(next_fd(), before);
}

static void
a_missing_descriptor_is_noticed(void **state)
{
	struct msg out = { .type = MSG_BOOT_FD };
	struct fault f = { 0 };
	struct msg in;
	uint8_t frame[256];
	struct wire_in in_frame = { .at = frame,
		.left = (size_t)frame_encode(&out, frame, sizeof(frame), &f) };

	(void)state;
	assert_int_equal(frame_decode(&in, &in_frame, -1, MSG_ROLE_PARENT,
			     MSG_ROLE_FRONT, &f),
	    -1);
	assert_string_equal(f.text, "BOOT_FD without a descriptor");
}

static void
an_end_is_told_from_a_wait(void **state)
{
	struct fault f = { 0 };
	uint8_t *data = calloc(1, MSG_MAX_FRAME);
	size_t len = 0;
	int fds[2], passed;

	(void)state;
	assert_non_null(data);
	make_pair(fds);
	assert_int_equal(frame_receive(fds[1], data, &len, &passed, false, &f),
	    FRAME_LATER);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(frame_receive(fds[1], data, &len, &passed, false, &f),
	    FRAME_GONE);
	assert_int_equal(send_bytes(fds[1], data, 1, -1, &f), FRAME_GONE);
	assert_int_equal(close(fds[1]), 0);
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_of_the_largest_size_gets_through),
		cmocka_unit_test(a_frame_too_long_is_refused),
		cmocka_unit_test(a_descriptor_passes_and_is_closed_on_exec),
		cmocka_unit_test(several_descriptors_are_refused_and_closed),
		cmocka_unit_test(
		    a_descriptor_where_none_belongs_is_refused_and_closed),
		cmocka_unit_test(a_missing_descriptor_is_noticed),
		cmocka_unit_test(messages_of_a_frame_are_read_one_by_one),
		cmocka_unit_test(a_frame_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(a_length_that_is_not_the_messages_is_refused),
		cmocka_unit_test(
		    a_descriptor_beside_two_messages_is_refused_and_closed),
		cmocka_unit_test(an_end_is_told_from_a_wait),
	};

	return cmocka_run_group_tests_name("ipc/frame", tests, NULL, NULL);
}
