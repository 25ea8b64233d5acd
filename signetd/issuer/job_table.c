#include "base/fault.h"
#include "signetd/issuer/job.h"

#include <stdlib.h>

/* The low bits of an id say where the job is, the others which it is. */
#define PLACE_BITS 10
#define PLACES (1u << PLACE_BITS)

struct job_table {
	size_t most;
	size_t count;
	uint32_t turn;
	size_t next; /* where to look for a free place first */
	struct job *job[PLACES];
};

struct job_table *
job_table_new(size_t most, struct fault *f)
{
	struct job_table *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for jobs");
		return NULL;
	}
	t->most = most < PLACES ? most : PLACES;
	return t;
}

void
job_table_free(struct job_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < PLACES; i++)
		if (t->job[i] != NULL)
			job_end(t, t->job[i]);
	free(t);
}

struct job *
job_new(struct job_table *t, struct fault *f)
{
	struct job *job;

	if (t->count == t->most) {
		(void)fault_set(f, FAULT_BUSY, "%zu certificates on their way",
		    t->most);
		return NULL;
	}
	if ((job = calloc(1, sizeof(*job))) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for a job");
		return NULL;
	}
	while (t->job[t->next] != NULL)
		t->next = (t->next + 1) % PLACES;
	t->turn++;
	job->id = (t->turn << PLACE_BITS | (uint32_t)t->next) & JOB_ID_MAX;
	t->job[t->next] = job;
	t->next = (t->next + 1) % PLACES;
	t->count++;
	return job;
}

struct job *
job_find(struct job_table *t, uint32_t id)
{
	struct job *job = t->job[id % PLACES];

	return job != NULL && job->id == id ? job : NULL;
}

void
job_end(struct job_table *t, struct job *job)
{
	t->job[job->id % PLACES] = NULL;
	t->count--;
	policy_free(job->policy);
	buf_free(&job->request);
	buf_free(&job->tbs);
	buf_free(&job->certificate);
	free(job);
}

size_t
job_count(const struct job_table *t)
{
	return t->count;
}

void
job_each(struct job_table *t, job_each_fn *fn, void *arg)
{
	for (size_t i = 0; i < PLACES; i++)
		if (t->job[i] != NULL)
			fn(arg, t->job[i]);
}
