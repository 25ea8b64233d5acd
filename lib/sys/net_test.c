#include "sys/net.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/unit.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
an_address_is_split(void **state)
{
	static const struct {
		const char *where;
		const char *host;
		uint16_t port;
	} good[] = {
		{ "ca.example.org:7513", "ca.example.org", 7513 },
		{ "ca.example.org", "ca.example.org", 7512 },
		{ "127.0.0.1:0", "127.0.0.1", 0 },
		{ "[::1]:65535", "::1", 65535 },
		{ "[::1]", "::1", 7512 },
		{ "2001:db8::1", "2001:db8::1", 7512 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fault f = { 0 };
		char host[64];
		uint16_t port = 1;

		assert_int_equal(net_split(good[i].where, 7512, host,
				     sizeof(host), &port, &f),
		    0);
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
	}
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = { "", ":7512", "host:", "host:65536",
		"host:-1", "host:x", "host: 1", "[::1", "[::1]7512", "[]:1",
		"[::1]:", "abcdefgh" };
	struct fault f = { 0 };
	char host[8];
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(net_split(bad[i], 1, host, sizeof(host), &port,
				     &f),
		    -1);
	assert_int_equal(net_split("abcdefg", 1, host, sizeof(host), &port, &f),
	    0);
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* Connect to ${host} on the port of ${listening}; what the server sees. */
static void
meet(int listening, const char *host, const char *seen_host)
{
	struct fault f = { 0 };
	char name[NET_NAME_SIZE], expected[NET_NAME_SIZE];
	int port = net_port(listening);
	int fd, far;

	assert_true(port > 0);
	fd = net_connect(host, (uint16_t)port, 2000, &f);
	if (fd < 0)
		fail_msg("%s", f.text);
	/* Blocking, and the accepted end does not wait to fill packets. */
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_not_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	far = accept(listening, NULL, NULL);
	assert_true(far >= 0);
	assert_int_not_equal(option(far, IPPROTO_TCP, TCP_NODELAY), 0);
	net_peer_host(far, name);
	assert_string_equal(name, seen_host);
	net_peer(far, name);
	(void)snprintf(expected, sizeof(expected), "%s:%d", seen_host,
	    net_port(fd));
	assert_string_equal(name, expected);
	assert_int_equal(close(far), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_client_meets_a_server(void **state)
{
	struct fault f = { 0 };
	int fd = net_listen("127.0.0.1:0", &f);

	(void)state;
	assert_true(fd >= 0);
	assert_int_not_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	meet(fd, "127.0.0.1", "127.0.0.1");
	assert_int_equal(close(fd), 0);
}

static void
a_bare_port_hears_ipv4_and_shows_it_as_such(void **state)
{
	struct fault f = { 0 };
	int fd = net_listen("0", &f);

	(void)state;
	assert_true(fd >= 0);
	meet(fd, "127.0.0.1", "127.0.0.1");
	assert_int_equal(close(fd), 0);
}

static void
a_port_is_not_taken_twice(void **state)
{
	struct fault f = { 0 };
	char where[32];
	int fd = net_listen("127.0.0.1:0", &f);

	(void)state;
	assert_true(fd >= 0);
	(void)snprintf(where, sizeof(where), "127.0.0.1:%d", net_port(fd));
	assert_int_equal(net_listen(where, &f), -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
	assert_non_null(strstr(f.text, where));
	assert_int_equal(net_listen("127.0.0.1:99999", &f), -1);
	assert_int_equal(net_listen("", &f), -1);
	assert_int_equal(close(fd), 0);
}

static void
where_nobody_listens_is_unreachable(void **state)
{
	struct fault f = { 0 };
	char expected[64];
	int fd = net_listen("127.0.0.1:0", &f);
	int port = net_port(fd);

	(void)state;
	assert_int_equal(close(fd), 0);
	assert_int_equal(net_connect("127.0.0.1", (uint16_t)port, 2000, &f),
	    -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
	(void)snprintf(expected, sizeof(expected),
	    "127.0.0.1 port %d: Connection refused", port);
	assert_string_equal(f.text, expected);
}

/* A listener whose queue is full lets connections wait for ever. */
static void
one_who_does_not_answer_is_given_up(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct fault f = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int filling[4], timed_out = 0;
	int64_t start;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 0), 0);
	start = clock_mono();
	for (int i = 0; i < 4; i++) {
		f.text[0] = '\0';
		filling[i] =
		    net_connect("127.0.0.1", (uint16_t)net_port(fd), 50, &f);
		if (filling[i] < 0 && strstr(f.text, "timed out") != NULL)
			timed_out++;
	}
	assert_true(timed_out >= 1);
	assert_true(clock_mono() - start < 2000);
	for (int i = 0; i < 4; i++)
		if (filling[i] >= 0)
			assert_int_equal(close(filling[i]), 0);
	assert_int_equal(close(fd), 0);
}

static void
what_is_no_inet_socket_has_no_name(void **state)
{
	char name[NET_NAME_SIZE];
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	net_peer(fds[0], name);
	assert_string_equal(name, "?");
	net_peer_host(-1, name);
	assert_string_equal(name, "?");
	assert_int_equal(net_port(fds[0]), -1);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
}

static void
a_descriptor_is_made_not_to_block(void **state)
{
	struct fault f = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(net_nonblock(fds[0], &f), 0);
	assert_int_not_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
	assert_int_equal(net_nonblock(fds[0], &f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_split),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_client_meets_a_server),
		cmocka_unit_test(a_bare_port_hears_ipv4_and_shows_it_as_such),
		cmocka_unit_test(a_port_is_not_taken_twice),
		cmocka_unit_test(where_nobody_listens_is_unreachable),
		cmocka_unit_test(one_who_does_not_answer_is_given_up),
		cmocka_unit_test(what_is_no_inet_socket_has_no_name),
		cmocka_unit_test(a_descriptor_is_made_not_to_block),
	};

	return cmocka_run_group_tests_name("sys/net", tests, NULL, NULL);
}
