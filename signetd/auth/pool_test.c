#include "signetd/auth/pool.h"

#include "signetd/auth/auth_probe.h"

#define JOBS 8

/* Who asks: what was asked of the workers for him, and what came of it. */
struct asker {
	struct pool_job job;
	bool unwanted; /* need not be asked when its turn comes */
	unsigned begun;
	unsigned ended;
	enum fault_code code;
	char text[32];
};

struct yard {
	struct house *house;
	struct pool *pool;
	struct asker asker[JOBS];
	int fd;
};

static bool
begin(struct pool_job *job, struct msg *m)
{
	struct asker *a = job->owner;

	a->begun++;
	m->type = MSG_WORK_ASK;
	m->work_ask.method[0] = 'm';
	return !a->unwanted;
}

static void
end(struct pool_job *job, enum fault_code code, const char *text)
{
	struct asker *a = job->owner;

	a->ended++;
	a->code = code;
	memcpy(a->text, text, strlen(text) + 1);
}

/* A pool whose questions may wait ${timeout_ms} for their answer, with no
 * worker yet. */
static struct yard *
yard(int64_t timeout_ms)
{
	struct yard *y = calloc(1, sizeof(*y));
	struct fault f = { 0 };
	struct pool_spec spec = { .queue_max = 4,
		.timeout_ms = timeout_ms,
		.begin = begin,
		.end = end };

	assert_non_null(y);
	y->house = house_open("");
	spec.role = &y->house->role;
	assert_non_null(y->pool = pool_new(&spec, &f));
	for (size_t i = 0; i < JOBS; i++)
		y->asker[i].job.owner = &y->asker[i];
	y->fd = -1;
	return y;
}

static void
leave(struct yard *y)
{
	pool_free(y->pool);
	if (y->fd >= 0)
		(void)close(y->fd);
	house_close(y->house);
	free(y);
}

static void
ask(struct yard *y, size_t who)
{
	struct fault f = { 0 };

	if (pool_ask(y->pool, &y->asker[who].job, &f) < 0)
		fail_msg("%s", f.text);
}

static uint32_t
next_question(struct yard *y)
{
	return house_hear(y->house, y->fd, MSG_ROLE_WORKER, MSG_WORK_ASK)
	    ->work_ask.id;
}

static void
answer(struct yard *y, uint32_t id, uint32_t code, const char *text)
{
	struct msg m = { .type = MSG_WORK_DONE };

	m.work_done.id = id;
	m.work_done.fault = code;
	memcpy(m.work_done.text, text, strlen(text) + 1);
	house_tell(y->house, y->fd, &m);
}

static void
a_worker_has_one_question_and_the_others_wait_in_order(void **state)
{
	struct yard *y = yard(60000);

	(void)state;
	y->fd = house_hire(y->pool, "worker.0");
	for (size_t i = 0; i < 3; i++)
		ask(y, i);
	for (size_t i = 0; i < 3; i++) {
		uint32_t id = next_question(y);

		assert_true(probe_is_silent(y->fd));
		assert_int_equal(y->asker[i].begun, 1);
		assert_true(y->asker[i].job.running);
		assert_int_equal(y->asker[i].ended, 0);
		answer(y, id, i == 1 ? FAULT_LOGIN : FAULT_NONE,
		    i == 2 ? "third" : "");
		assert_int_equal(y->asker[i].ended, 1);
		assert_false(y->asker[i].job.running);
		assert_null(y->asker[i].job.pool);
	}
	assert_int_equal(y->asker[0].code, FAULT_NONE);
	assert_int_equal(y->asker[1].code, FAULT_LOGIN);
	assert_string_equal(y->asker[2].text, "third");
	assert_true(probe_is_silent(y->fd));
	leave(y);
}

static void
two_workers_have_two_questions(void **state)
{
	struct yard *y = yard(60000);
	int second;
	uint32_t id;

	(void)state;
	y->fd = house_hire(y->pool, "worker.0");
	second = house_hire(y->pool, "worker.63");
	ask(y, 0);
	ask(y, 1);
	ask(y, 2);
	id = next_question(y);
	(void)house_hear(y->house, second, MSG_ROLE_WORKER, MSG_WORK_ASK);
	assert_int_not_equal(y->house->heard.work_ask.id, id);
	assert_false(y->asker[2].job.running);
	answer(y, id, FAULT_NONE, "");
	assert_int_equal(y->asker[0].ended, 1);
	assert_int_equal(y->asker[1].ended, 0);
	assert_true(y->asker[2].job.running);
	(void)close(second);
	house_turn(y->house);
	assert_int_equal(y->asker[1].code, FAULT_FAILED);
	answer(y, next_question(y), FAULT_NONE, "");
	leave(y);
}

static void
what_waits_is_bounded(void **state)
{
	struct yard *y = yard(60000);
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		ask(y, i);
	assert_int_equal(pool_ask(y->pool, &y->asker[4].job, &f), -1);
	assert_int_equal(f.code, FAULT_BUSY);
	assert_null(y->asker[4].job.pool);
	/* One who gives up makes room. */
	assert_true(pool_cancel(&y->asker[0].job));
	ask(y, 4);
	for (size_t i = 1; i < 5; i++)
		assert_true(pool_cancel(&y->asker[i].job));
	leave(y);
}

/* The ${gone}th of three gives up, and a fourth comes behind. */
static void
give_up(size_t gone)
{
	struct yard *y = yard(60000);

	for (size_t i = 0; i < 3; i++)
		ask(y, i);
	assert_true(pool_cancel(&y->asker[gone].job));
	assert_null(y->asker[gone].job.pool);
	/* Once more, and one who never asked, change nothing. */
	assert_true(pool_cancel(&y->asker[gone].job));
	assert_true(pool_cancel(&y->asker[7].job));
	ask(y, 3);
	y->fd = house_hire(y->pool, "worker.0");
	for (size_t i = 0; i < 4; i++) {
		if (i == gone)
			continue;
		assert_true(y->asker[i].job.running);
		answer(y, next_question(y), FAULT_NONE, "");
		assert_int_equal(y->asker[i].ended, 1);
	}
	assert_int_equal(y->asker[gone].begun, 0);
	assert_int_equal(y->asker[gone].ended, 0);
	assert_true(probe_is_silent(y->fd));
	leave(y);
}

static void
who_gives_up_leaves_the_queue_whole(void **state)
{
	(void)state;
	give_up(0);
	give_up(1);
	give_up(2);
}

static void
what_is_being_answered_cannot_be_taken_back(void **state)
{
	struct yard *y = yard(60000);
	uint32_t id;

	(void)state;
	y->fd = house_hire(y->pool, "worker.0");
	ask(y, 0);
	id = next_question(y);
	assert_false(pool_cancel(&y->asker[0].job));
	assert_int_equal(y->asker[0].ended, 0);
	answer(y, id, FAULT_NONE, "late");
	assert_string_equal(y->asker[0].text, "late");
	assert_true(pool_cancel(&y->asker[0].job));
	leave(y);
}

static void
what_is_not_wanted_any_more_is_passed_over(void **state)
{
	struct yard *y = yard(60000);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		ask(y, i);
	y->asker[0].unwanted = y->asker[1].unwanted = true;
	y->fd = house_hire(y->pool, "worker.0");
	assert_true(y->asker[2].job.running);
	assert_int_equal(y->asker[0].begun, 1);
	assert_int_equal(y->asker[0].ended, 0);
	assert_null(y->asker[0].job.pool);
	answer(y, next_question(y), FAULT_NONE, "");
	assert_int_equal(y->asker[2].ended, 1);
	leave(y);
}

static void
a_worker_that_dies_fails_its_question_alone(void **state)
{
	struct yard *y = yard(60000);

	(void)state;
	y->fd = house_hire(y->pool, "worker.0");
	ask(y, 0);
	ask(y, 1);
	(void)next_question(y);
	(void)close(y->fd);
	house_turn(y->house);
	assert_int_equal(y->asker[0].ended, 1);
	assert_int_equal(y->asker[0].code, FAULT_FAILED);
	assert_int_equal(y->asker[1].begun, 0);
	/* The next of that name goes on. */
	y->fd = house_hire(y->pool, "worker.0");
	answer(y, next_question(y), FAULT_NONE, "");
	assert_int_equal(y->asker[1].code, FAULT_NONE);
	assert_int_equal(y->asker[1].ended, 1);
	leave(y);
}

static void
a_new_worker_in_the_place_of_another_ends_what_that_had(void **state)
{
	struct yard *y = yard(60000);
	int old;

	(void)state;
	old = y->fd = house_hire(y->pool, "worker.0");
	ask(y, 0);
	(void)next_question(y);
	y->fd = house_hire(y->pool, "worker.0");
	assert_int_equal(y->asker[0].ended, 1);
	assert_int_equal(y->asker[0].code, FAULT_FAILED);
	assert_true(house_has_closed(y->house, old, MSG_ROLE_WORKER));
	(void)close(old);
	leave(y);
}

static void
who_answers_too_late_is_let_go(void **state)
{
	struct yard *y = yard(1);

	(void)state;
	y->fd = house_hire(y->pool, "worker.0");
	ask(y, 0);
	(void)next_question(y);
	for (int turn = 0; turn < 100000 && y->asker[0].ended == 0; turn++)
		house_turn(y->house);
	assert_int_equal(y->asker[0].ended, 1);
	assert_int_equal(y->asker[0].code, FAULT_FAILED);
	assert_true(house_has_closed(y->house, y->fd, MSG_ROLE_WORKER));
	leave(y);
}

static void
an_answer_that_is_none_ends_the_worker(void **state)
{
	static const struct {
		uint32_t off; /* from the question's number */
		uint32_t code;
	} bad[] = { { 1, FAULT_NONE }, { (uint32_t)-1, FAULT_NONE },
		{ 0, FAULT_COUNT }, { 0, UINT32_MAX } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct yard *y = yard(60000);

		y->fd = house_hire(y->pool, "worker.0");
		ask(y, 0);
		answer(y, next_question(y) + bad[i].off, bad[i].code, "");
		assert_int_equal(y->asker[0].ended, 1);
		assert_int_equal(y->asker[0].code, FAULT_FAILED);
		assert_true(house_has_closed(y->house, y->fd, MSG_ROLE_WORKER));
		leave(y);
	}
}

static void
who_was_not_asked_and_answers_is_let_go(void **state)
{
	struct yard *y = yard(60000);
	uint32_t id;

	(void)state;
	y->fd = house_hire(y->pool, "worker.0");
	ask(y, 0);
	id = next_question(y);
	answer(y, id, FAULT_LOGIN, "");
	/* The same once more: nobody is told twice. */
	answer(y, id, FAULT_NONE, "");
	assert_int_equal(y->asker[0].ended, 1);
	assert_int_equal(y->asker[0].code, FAULT_LOGIN);
	assert_true(house_has_closed(y->house, y->fd, MSG_ROLE_WORKER));
	leave(y);
}

static void
a_name_without_a_place_is_refused(void **state)
{
	static const char *const names[] = { "worker", "worker.", "worker.64",
		"worker.-1", "worker.1x" };
	struct yard *y = yard(60000);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(pool_attach(y->pool, names[i], -1, &f), -1);
		assert_int_equal(f.code, FAULT_INTERNAL);
	}
	leave(y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_worker_has_one_question_and_the_others_wait_in_order),
		cmocka_unit_test(two_workers_have_two_questions),
		cmocka_unit_test(what_waits_is_bounded),
		cmocka_unit_test(who_gives_up_leaves_the_queue_whole),
		cmocka_unit_test(what_is_being_answered_cannot_be_taken_back),
		cmocka_unit_test(what_is_not_wanted_any_more_is_passed_over),
		cmocka_unit_test(a_worker_that_dies_fails_its_question_alone),
		cmocka_unit_test(
		    a_new_worker_in_the_place_of_another_ends_what_that_had),
		cmocka_unit_test(who_answers_too_late_is_let_go),
		cmocka_unit_test(an_answer_that_is_none_ends_the_worker),
		cmocka_unit_test(who_was_not_asked_and_answers_is_let_go),
		cmocka_unit_test(a_name_without_a_place_is_refused),
	};

	return cmocka_run_group_tests_name("auth/pool", tests, NULL, NULL);
}
