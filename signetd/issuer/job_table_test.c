#include "base/fault.h"
#include "base/unit.h"
#include "signetd/issuer/job.h"

static struct job_table *
table_of(size_t most)
{
	struct fault f = { 0 };
	struct job_table *t = job_table_new(most, &f);

	assert_non_null(t);
	return t;
}

static void
a_job_is_found_by_its_id_until_it_ends(void **state)
{
	OWN_STRUCT(job_table) t = table_of(4);
	struct fault f = { 0 };
	struct job *a = job_new(t, &f), *b = job_new(t, &f);
	uint32_t id = a->id;

	(void)state;
	assert_int_not_equal(a->id, b->id);
	assert_ptr_equal(job_find(t, id), a);
	assert_ptr_equal(job_find(t, b->id), b);
	job_end(t, a);
	assert_null(job_find(t, id));
	assert_int_equal(job_count(t), 1);
}

static void
a_late_answer_does_not_find_the_job_after(void **state)
{
	OWN_STRUCT(job_table) t = table_of(JOBS_MAX);
	struct fault f = { 0 };
	struct job *job = job_new(t, &f);
	uint32_t first = job->id;

	(void)state;
	/* Through all places, and back to the one of the first. */
	for (unsigned i = 0; i < 3 * JOBS_MAX; i++) {
		job_end(t, job);
		job = job_new(t, &f);
		assert_non_null(job);
		assert_int_not_equal(job->id, first);
		assert_true(job->id <= JOB_ID_MAX);
		assert_null(job_find(t, first));
	}
}

static void
too_many_jobs_are_refused(void **state)
{
	OWN_STRUCT(job_table) t = table_of(JOBS_MAX);
	struct fault f = { 0 };
	struct job *job = NULL;

	(void)state;
	for (unsigned i = 0; i < JOBS_MAX; i++)
		assert_non_null(job = job_new(t, &f));
	assert_null(job_new(t, &f));
	assert_int_equal(f.code, FAULT_BUSY);
	job_end(t, job);
	assert_non_null(job_new(t, &f));
}

static void
count_and_end(void *arg, struct job *job)
{
	job_end(arg, job);
}

static void
each_job_may_be_ended_while_they_are_walked(void **state)
{
	OWN_STRUCT(job_table) t = table_of(16);
	struct fault f = { 0 };

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		assert_non_null(job_new(t, &f));
	job_each(t, count_and_end, t);
	assert_int_equal(job_count(t), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_found_by_its_id_until_it_ends),
		cmocka_unit_test(a_late_answer_does_not_find_the_job_after),
		cmocka_unit_test(too_many_jobs_are_refused),
		cmocka_unit_test(each_job_may_be_ended_while_they_are_walked),
	};

	return cmocka_run_group_tests_name("issuer/job_table", tests, NULL,
	    NULL);
}
