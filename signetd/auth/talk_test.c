#include "signetd/auth/talk.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

/* The table never looks into a channel: any address will do. */
static char fronts[2];
#define FRONT(n) ((struct channel *)(void *)&fronts[n])

static struct talk_table *
table(void)
{
	struct fault f = { 0 };
	struct talk_table *t = talk_table_new(&f);

	assert_non_null(t);
	return t;
}

static struct talk *
begin(struct talk_table *t, int front, uint32_t connection)
{
	struct fault f = { 0 };
	struct talk *talk = talk_new(t, FRONT(front), connection, &f);

	assert_non_null(talk);
	return talk;
}

static void
a_conversation_is_found_by_its_front_end_and_number(void **state)
{
	struct talk_table *t = table();
	struct talk *first, *other, *far;

	(void)state;
	first = begin(t, 0, 7);
	other = begin(t, 1, 7);
	/* One row of the table holds them both. */
	far = begin(t, 0, 7 + 4096);
	assert_ptr_equal(talk_find(t, FRONT(0), 7), first);
	assert_ptr_equal(talk_find(t, FRONT(1), 7), other);
	assert_ptr_equal(talk_find(t, FRONT(0), 7 + 4096), far);
	assert_null(talk_find(t, FRONT(1), 7 + 4096));
	assert_null(talk_find(t, FRONT(0), 8));
	talk_free(t, first);
	assert_null(talk_find(t, FRONT(0), 7));
	assert_ptr_equal(talk_find(t, FRONT(0), 7 + 4096), far);
	talk_abandon_all(t, FRONT(0));
	talk_abandon_all(t, FRONT(1));
	assert_null(talk_find(t, FRONT(1), 7));
	talk_table_free(t);
}

static void
a_connection_has_one_conversation(void **state)
{
	struct talk_table *t = table();
	struct fault f = { 0 };

	(void)state;
	(void)begin(t, 0, 1);
	assert_null(talk_new(t, FRONT(0), 1, &f));
	assert_int_equal(f.code, FAULT_INPUT);
	talk_abandon_all(t, FRONT(0));
	(void)begin(t, 0, 1);
	talk_abandon_all(t, FRONT(0));
	talk_table_free(t);
}

static void
a_pass_phrase_is_kept_and_wiped_before_its_page_serves_another(void **state)
{
	struct talk_table *t = table();
	struct wire_bytes longer = { (const uint8_t *)"correct horse", 13 };
	struct wire_bytes shorter = { (const uint8_t *)"x", 1 };
	struct wire_bytes too_long = { NULL, TALK_PHRASE_MAX + 1 };
	struct fault f = { 0 };
	struct talk *talk = begin(t, 0, 1);

	(void)state;
	assert_int_equal(talk_keep_phrase(t, talk, longer, &f), 0);
	assert_string_equal(secret_text(talk->phrase), "correct horse");
	talk_free(t, talk);
	talk = begin(t, 0, 2);
	assert_int_equal(talk_keep_phrase(t, talk, shorter, &f), 0);
	assert_string_equal(secret_text(talk->phrase), "x");
	for (size_t i = 2; i < secret_size(talk->phrase); i++)
		assert_int_equal(secret_data(talk->phrase)[i], 0);
	talk_free(t, talk);
	talk = begin(t, 0, 3);
	assert_int_equal(talk_keep_phrase(t, talk, too_long, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	talk_free(t, talk);
	talk_table_free(t);
}

static void
there_is_an_end_to_how_many_there_are(void **state)
{
	struct talk_table *t = table();
	struct fault f = { 0 };

	(void)state;
	for (uint32_t i = 0; i < TALKS_MAX; i++)
		(void)begin(t, i % 2 == 0 ? 0 : 1, i);
	assert_null(talk_new(t, FRONT(0), TALKS_MAX, &f));
	assert_int_equal(f.code, FAULT_BUSY);
	talk_abandon_all(t, FRONT(1));
	(void)begin(t, 1, 1);
	talk_abandon_all(t, FRONT(0));
	talk_abandon_all(t, FRONT(1));
	talk_table_free(t);
}

static void
one_that_a_worker_works_for_outlives_its_listener(void **state)
{
	struct talk_table *t = table();
	struct talk *talk = begin(t, 0, 1);

	(void)state;
	/* As the pool marks one that is being answered. */
	talk->job.pool = (struct pool *)(void *)&fronts[1];
	talk->job.running = true;
	talk_abandon(t, talk);
	assert_null(talk_find(t, FRONT(0), 1));
	assert_null(talk->front);
	assert_ptr_equal(talk->job.owner, talk);
	talk->job.pool = NULL;
	talk->job.running = false;
	talk_free(t, talk);
	(void)begin(t, 0, 1);
	talk_abandon_all(t, FRONT(0));
	talk_table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_conversation_is_found_by_its_front_end_and_number),
		cmocka_unit_test(a_connection_has_one_conversation),
		cmocka_unit_test(
		    a_pass_phrase_is_kept_and_wiped_before_its_page_serves_another),
		cmocka_unit_test(there_is_an_end_to_how_many_there_are),
		cmocka_unit_test(
		    one_that_a_worker_works_for_outlives_its_listener),
	};

	return cmocka_run_group_tests_name("auth/talk", tests, NULL, NULL);
}
