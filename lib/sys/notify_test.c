#include "sys/notify.h"

#include "base/unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A service manager's socket, bound to ${path} ("@..." is abstract). */
static int
manager(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(path);

	assert_true(fd >= 0);
	assert_true(len < sizeof(a.sun_path));
	memcpy(a.sun_path, path, len);
	if (*path == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&a,
			     (socklen_t)(offsetof(struct sockaddr_un,
					     sun_path) +
				 len)),
	    0);
	return fd;
}

static void
a_state_arrives(const char *path)
{
	char text[32] = "";
	int fd = manager(path);

	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	notify_send("READY=1");
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	assert_int_equal(close(fd), 0);
}

static void
the_manager_is_told_at_a_path_or_an_abstract_name(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/notify_test.%d",
	    (int)getpid());
	a_state_arrives(path);
	assert_int_equal(unlink(path), 0);
	/* Nobody listens there now: nothing happens. */
	notify_send("STOPPING=1");
	(void)snprintf(path, sizeof(path), "@notify_test.%d", (int)getpid());
	a_state_arrives(path);
}

static void
without_a_manager_nothing_is_sent(void **state)
{
	static const char *const useless[] = { "", "@", "relative", "vsock:1" };
	char longest[200];
	int before = dup(STDERR_FILENO), after;

	(void)state;
	assert_int_equal(close(before), 0);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	notify_send("READY=1");
	for (size_t i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", useless[i], 1), 0);
		notify_send("READY=1");
	}
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", longest, 1), 0);
	notify_send("READY=1");
	/* And no descriptor is left open. */
	after = dup(STDERR_FILENO);
	assert_int_equal(after, before);
	assert_int_equal(close(after), 0);
}

/* As if started by a service manager that says ${pid} and ${count}. */
static int
passed(const char *pid, const char *count)
{
	assert_int_equal(setenv("LISTEN_PID", pid, 1), 0);
	assert_int_equal(setenv("LISTEN_FDS", count, 1), 0);
	return notify_listen_fds();
}

static void
passed_sockets_are_counted_and_closed_on_exec(void **state)
{
	char pid[16];
	int saved[2] = { fcntl(3, F_DUPFD_CLOEXEC, 10),
		fcntl(4, F_DUPFD_CLOEXEC, 10) };

	(void)state;
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(dup2(STDERR_FILENO, 3), 3);
	assert_int_equal(dup2(STDERR_FILENO, 4), 4);
	assert_int_equal(passed(pid, "2"), 2);
	assert_int_equal(fcntl(3, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(4, F_GETFD), FD_CLOEXEC);
	/* Said once, and not to our children. */
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_PID"));
	assert_int_equal(notify_listen_fds(), 0);
	assert_int_equal(passed("1", "2"), 0);
	assert_int_equal(passed(pid, "0"), 0);
	assert_int_equal(passed(pid, "-1"), 0);
	assert_int_equal(passed(pid, "65"), 0);
	assert_int_equal(passed(pid, "x"), 0);
	assert_int_equal(close(4), 0);
	assert_int_equal(passed(pid, "2"), 0);
	assert_int_equal(close(3), 0);
	for (int i = 0; i < 2; i++)
		if (saved[i] >= 0) {
			(void)dup2(saved[i], 3 + i);
			(void)close(saved[i]);
		}
}

static int
watchdog(const char *usec, const char *pid)
{
	assert_int_equal(setenv("WATCHDOG_USEC", usec, 1), 0);
	if (pid != NULL)
		assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
	else
		assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
	return notify_watchdog_ms();
}

static void
the_watchdog_is_fed_twice_as_often_as_asked(void **state)
{
	char pid[16];

	(void)state;
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(notify_watchdog_ms(), 0);
	assert_int_equal(watchdog("30000000", NULL), 15000);
	assert_int_equal(watchdog("30000000", pid), 15000);
	assert_int_equal(watchdog("30000000", "1"), 0);
	assert_int_equal(watchdog("1", NULL), 1);
	assert_int_equal(watchdog("0", NULL), 0);
	assert_int_equal(watchdog("-5", NULL), 0);
	assert_int_equal(watchdog("9223372036854775807", NULL), INT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_manager_is_told_at_a_path_or_an_abstract_name),
		cmocka_unit_test(without_a_manager_nothing_is_sent),
		cmocka_unit_test(passed_sockets_are_counted_and_closed_on_exec),
		cmocka_unit_test(the_watchdog_is_fed_twice_as_often_as_asked),
	};

	return cmocka_run_group_tests_name("sys/notify", tests, NULL, NULL);
}
