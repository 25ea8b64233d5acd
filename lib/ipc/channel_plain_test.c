#include "base/fault.h"
#include "base/unit.h"
#include "ipc/channel.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pair {
	int fds[2];
	uint8_t *frame;
};

static struct pair
make_pair(void)
{
	struct fault f = { 0 };
	struct pair p = { .frame = malloc(MSG_MAX_FRAME) };

	assert_non_null(p.frame);
	assert_int_equal(channel_pair(p.fds, &f), 0);
	return p;
}

static void
free_pair(struct pair *p)
{
	(void)close(p->fds[0]);
	(void)close(p->fds[1]);
	free(p->frame);
}

static struct msg
a_work_ask(void)
{
	static const uint8_t password[] = "secret";
	struct msg m = { .type = MSG_WORK_ASK };

	m.work_ask.id = 9;
	memcpy(m.work_ask.method, "passwd", sizeof("passwd"));
	memcpy(m.work_ask.username, "alice", sizeof("alice"));
	m.work_ask.passphrase = (struct wire_bytes){ password, 6 };
	return m;
}

static void
a_worker_hears_and_tells(void **state)
{
	struct fault f = { 0 };
	struct pair p = make_pair();
	struct msg ask = a_work_ask();
	struct msg done = { .type = MSG_WORK_DONE };
	struct msg in;
	int passed;

	(void)state;
	assert_int_equal(channel_tell(p.fds[0], &ask, &f), 0);
	assert_int_equal(channel_hear(p.fds[1], MSG_ROLE_WORKER, MSG_ROLE_AUTH,
			     p.frame, &in, &passed, &f),
	    1);
	assert_int_equal(in.type, MSG_WORK_ASK);
	assert_string_equal(in.work_ask.username, "alice");
	assert_memory_equal(in.work_ask.passphrase.data, "secret", 6);
	assert_int_equal(passed, -1);
	done.work_done.id = in.work_ask.id;
	assert_int_equal(channel_tell(p.fds[1], &done, &f), 0);
	assert_int_equal(channel_hear(p.fds[0], MSG_ROLE_AUTH, MSG_ROLE_WORKER,
			     p.frame, &in, &passed, &f),
	    1);
	assert_int_equal(in.work_done.id, 9);
	free_pair(&p);
}

static void
the_wrong_mouth_is_a_fault(void **state)
{
	struct fault f = { 0 };
	struct pair p = make_pair();
	struct msg ask = a_work_ask();
	struct msg in;
	int passed;

	(void)state;
	assert_int_equal(channel_tell(p.fds[0], &ask, &f), 0);
	assert_int_equal(channel_hear(p.fds[1], MSG_ROLE_WORKER,
			     MSG_ROLE_PARENT, p.frame, &in, &passed, &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	free_pair(&p);
}

static void
the_end_is_heard_after_what_was_said(void **state)
{
	struct fault f = { 0 };
	struct pair p = make_pair();
	struct msg ask = a_work_ask();
	struct msg in;
	int passed;

	(void)state;
	assert_int_equal(channel_tell(p.fds[0], &ask, &f), 0);
	assert_int_equal(close(p.fds[0]), 0);
	p.fds[0] = -1;
	assert_int_equal(channel_hear(p.fds[1], MSG_ROLE_WORKER, MSG_ROLE_AUTH,
			     p.frame, &in, &passed, &f),
	    1);
	assert_int_equal(channel_hear(p.fds[1], MSG_ROLE_WORKER, MSG_ROLE_AUTH,
			     p.frame, &in, &passed, &f),
	    0);
	assert_int_equal(channel_tell(p.fds[1], &ask, &f), -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
	free_pair(&p);
}

static void
what_does_not_fit_its_field_is_not_told(void **state)
{
	struct fault f = { 0 };
	struct pair p = make_pair();
	struct msg ask = a_work_ask();
	uint8_t *big = calloc(1, 1025);

	(void)state;
	assert_non_null(big);
	ask.work_ask.passphrase = (struct wire_bytes){ big, 1025 };
	assert_int_equal(channel_tell(p.fds[0], &ask, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	free(big);
	free_pair(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_hears_and_tells),
		cmocka_unit_test(the_wrong_mouth_is_a_fault),
		cmocka_unit_test(the_end_is_heard_after_what_was_said),
		cmocka_unit_test(what_does_not_fit_its_field_is_not_told),
	};

	return cmocka_run_group_tests_name("ipc/channel_plain", tests, NULL,
	    NULL);
}
