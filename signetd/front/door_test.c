#include "signetd/front/door.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/unit.h"
#include "sys/loop.h"
#include "sys/net.h"

#include <sys/resource.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define CALLERS 20

/* A door on a free port, and who has come through it. */
struct hall {
	struct loop *loop;
	struct door *door;
	struct loop_timer *end;
	int port;
	int come[CALLERS];
	size_t count;
	size_t enough; /* end the loop when so many have come */
};

static void
somebody(void *arg, int fd, const struct sockaddr *from)
{
	struct hall *h = arg;

	assert_int_equal(from->sa_family, AF_INET);
	h->come[h->count++] = fd;
	if (h->count == h->enough)
		loop_stop(h->loop);
}

static void
over(void *arg)
{
	struct hall *h = arg;

	loop_stop(h->loop);
}

static int
build_hall(void **state)
{
	struct hall *h = calloc(1, sizeof(*h));
	struct fault f = { 0 };
	int fd = net_listen("127.0.0.1:0", &f);

	assert_true(fd >= 0);
	h->port = net_port(fd);
	h->loop = loop_new(&f);
	h->door = door_new(h->loop, somebody, h, &f);
	h->end = loop_timer_new(h->loop, over, h, &f);
	assert_true(h->loop != NULL && h->door != NULL && h->end != NULL);
	assert_int_equal(door_add(h->door, fd, &f), 0);
	*state = h;
	return 0;
}

static int
raze_hall(void **state)
{
	struct hall *h = *state;

	for (size_t i = 0; i < h->count; i++)
		(void)close(h->come[i]);
	door_free(h->door);
	loop_timer_free(h->end);
	loop_free(h->loop);
	free(h);
	return 0;
}

static int
call(const struct hall *h)
{
	struct fault f = { 0 };
	int fd = net_connect("127.0.0.1", (uint16_t)h->port, 5000, &f);

	assert_true(fd >= 0);
	return fd;
}

/* Until ${enough} have come, or ${ms} are over. */
static void
wait_for(struct hall *h, size_t enough, int64_t ms)
{
	struct fault f = { 0 };

	h->enough = enough;
	loop_timer_set(h->end, ms);
	assert_int_equal(loop_run(h->loop, &f), 0);
	loop_timer_stop(h->end);
}

static void
all_who_come_are_let_in_ready_for_use(void **state)
{
	struct hall *h = *state;
	int callers[CALLERS];

	for (int i = 0; i < CALLERS; i++)
		callers[i] = call(h);
	wait_for(h, CALLERS, 10000);
	assert_int_equal(h->count, CALLERS);
	for (int i = 0; i < CALLERS; i++) {
		int yes = 0;
		socklen_t len = sizeof(yes);

		assert_int_equal(getsockopt(h->come[i], IPPROTO_TCP,
				     TCP_NODELAY, &yes, &len),
		    0);
		assert_true(yes != 0);
		assert_true((fcntl(h->come[i], F_GETFL) & O_NONBLOCK) != 0);
		assert_true((fcntl(h->come[i], F_GETFD) & FD_CLOEXEC) != 0);
		(void)close(callers[i]);
	}
}

static void
without_descriptors_nobody_is_let_in_until_there_are_some(void **state)
{
	struct hall *h = *state;
	int caller = call(h), spare = dup(caller);
	struct rlimit limit, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)spare; /* the lowest that was free */
	(void)close(spare);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	wait_for(h, 1, 50);
	assert_int_equal(h->count, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* One has gone: no need to wait for the end of the rest. */
	door_resume(h->door);
	wait_for(h, 1, 10000);
	assert_int_equal(h->count, 1);
	(void)close(caller);
}

static void
the_rest_ends_by_itself(void **state)
{
	struct hall *h = *state;
	int caller = call(h), spare = dup(caller);
	struct rlimit limit, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)spare;
	(void)close(spare);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	wait_for(h, 1, 50);
	assert_int_equal(h->count, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	wait_for(h, 1, 10000);
	assert_int_equal(h->count, 1);
	(void)close(caller);
}

static void
a_door_that_is_shut_refuses(void **state)
{
	struct hall *h = *state;
	struct fault f = { 0 };

	door_shut(h->door);
	assert_int_equal(net_connect("127.0.0.1", (uint16_t)h->port, 2000, &f),
	    -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
	door_resume(h->door);
}

static void
more_sockets_than_it_holds_are_refused(void **state)
{
	struct hall *h = *state;
	struct fault f = { 0 };
	int fd, added = 1;

	while ((fd = net_listen("127.0.0.1:0", &f)) >= 0 &&
	    door_add(h->door, fd, &f) == 0)
		added++;
	assert_int_equal(added, 16);
	assert_int_equal(f.code, FAULT_CONFIG);
}

#define DOOR_TEST(name) \
	cmocka_unit_test_setup_teardown(name, build_hall, raze_hall)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DOOR_TEST(all_who_come_are_let_in_ready_for_use),
		DOOR_TEST(
		    without_descriptors_nobody_is_let_in_until_there_are_some),
		DOOR_TEST(the_rest_ends_by_itself),
		DOOR_TEST(a_door_that_is_shut_refuses),
		DOOR_TEST(more_sockets_than_it_holds_are_refused),
	};

	log_open("test", 0);
	return cmocka_run_group_tests_name("front/door", tests, NULL, NULL);
}
