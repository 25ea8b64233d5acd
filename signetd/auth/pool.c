#include "signetd/auth/pool.h"

#include "base/log.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "signetd/role.h"
#include "sys/loop.h"

#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX 64

struct worker {
	struct pool *pool;
	char name[32];
	struct channel *channel; /* NULL: it has gone, another will come */
	struct pool_job *job;	 /* NULL: idle */
	struct loop_timer *timer;
	uint32_t id;
};

struct pool {
	struct pool_spec spec;
	struct worker worker[WORKERS_MAX];
	struct pool_job *first;
	struct pool_job **last;
	size_t waiting;
	uint32_t id;
};

struct pool *
pool_new(const struct pool_spec *spec, struct fault *f)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for workers");
		return NULL;
	}
	pool->spec = *spec;
	pool->last = &pool->first;
	return pool;
}

void
pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		channel_free(pool->worker[i].channel);
		loop_timer_free(pool->worker[i].timer);
	}
	free(pool);
}

static struct pool_job *
take_first(struct pool *pool)
{
	struct pool_job *job = pool->first;

	if (job == NULL)
		return NULL;
	if ((pool->first = job->next) == NULL)
		pool->last = &pool->first;
	pool->waiting--;
	job->next = NULL;
	return job;
}

static void
finish(struct worker *w, enum fault_code code, const char *text)
{
	struct pool_job *job = w->job;

	if (job == NULL)
		return;
	loop_timer_stop(w->timer);
	w->job = NULL;
	job->running = false;
	job->pool = NULL;
	w->pool->spec.end(job, code, text);
}

static int
send(struct worker *w, struct msg *m, struct fault *f)
{
	w->id = ++w->pool->id;
	if (m->type == MSG_PAM_ASK)
		m->pam_ask.id = w->id;
	else
		m->work_ask.id = w->id;
	return channel_say(w->channel, m, f);
}

/* Give an idle worker the next question that is still wanted. */
static void
employ(struct worker *w)
{
	struct pool *pool = w->pool;
	struct pool_job *job;
	struct fault f = { 0 };
	struct msg m;

	while (w->channel != NULL && w->job == NULL &&
	    (job = take_first(pool)) != NULL) {
		memset(&m, 0, sizeof(m));
		job->pool = NULL;
		/* It may be gone if the answer is no. */
		if (!pool->spec.begin(job, &m))
			continue;
		job->pool = pool;
		job->running = true;
		w->job = job;
		loop_timer_set(w->timer, pool->spec.timeout_ms);
		if (send(w, &m, &f) < 0) {
			/* Who asked is told on the loop, not from here. */
			log_fault(&f, NULL);
			loop_timer_set(w->timer, 0);
		}
	}
}

static void
employ_all(struct pool *pool)
{
	for (size_t i = 0; i < WORKERS_MAX && pool->first != NULL; i++)
		if (pool->worker[i].channel != NULL &&
		    pool->worker[i].job == NULL)
			employ(&pool->worker[i]);
}

static void
drop(struct worker *w)
{
	channel_free(w->channel);
	w->channel = NULL;
	finish(w, FAULT_FAILED, "");
}

/* The worker ends when it sees its channel closed, or by its own alarm. */
static void
too_late(void *arg)
{
	struct worker *w = arg;

	LOG(WORKER_LATE, LOG_TEXT("role", w->name));
	drop(w);
}

static void
gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct worker *w = arg;

	(void)f;
	if (w->channel == ch)
		drop(w);
}

static void
answered(struct worker *w, uint32_t id, uint32_t code, const char *text)
{
	if (w->job == NULL || id != w->id || code >= FAULT_COUNT) {
		LOG(ROLE_REFUSED, LOG_TEXT("role", w->name),
		    LOG_TEXT("text", "an answer without a question"));
		drop(w);
		return;
	}
	finish(w, (enum fault_code)code, text);
	employ(w);
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct worker *w = arg;

	(void)fd;
	if (w->channel != ch)
		return;
	if (m->type == MSG_PAM_DONE)
		answered(w, m->pam_done.id, m->pam_done.fault,
		    m->pam_done.text);
	else if (m->type == MSG_WORK_DONE)
		answered(w, m->work_done.id, m->work_done.fault,
		    m->work_done.text);
}

static struct worker *
place_of(struct pool *pool, const char *name, struct fault *f)
{
	const char *dot = strchr(name, '.');
	int64_t index;

	if (dot == NULL ||
	    text_number(dot + 1, 0, WORKERS_MAX - 1, &index) < 0) {
		(void)fault_set(f, FAULT_INTERNAL, "no worker %s", name);
		return NULL;
	}
	return &pool->worker[index];
}

int
pool_attach(struct pool *pool, const char *name, int fd, struct fault *f)
{
	struct worker *w = place_of(pool, name, f);

	if (w == NULL)
		return -1;
	if (text_copy(w->name, sizeof(w->name), name) < 0)
		return fault_set(f, FAULT_INTERNAL, "no worker %s", name);
	w->pool = pool;
	if (w->timer == NULL &&
	    (w->timer = loop_timer_new(pool->spec.role->loop, too_late, w,
		 f)) == NULL)
		return -1;
	drop(w);
	w->channel = role_channel(pool->spec.role, name, fd, heard, gone, w, f);
	if (w->channel == NULL)
		return -1;
	employ(w);
	return 0;
}

int
pool_ask(struct pool *pool, struct pool_job *job, struct fault *f)
{
	if (pool->waiting >= pool->spec.queue_max)
		return fault_set(f, FAULT_BUSY, "%zu questions wait",
		    pool->waiting);
	job->next = NULL;
	job->pool = pool;
	job->running = false;
	*pool->last = job;
	pool->last = &job->next;
	pool->waiting++;
	employ_all(pool);
	return 0;
}

bool
pool_cancel(struct pool_job *job)
{
	struct pool *pool = job->pool;
	struct pool_job **at;

	if (pool == NULL)
		return true;
	if (job->running)
		return false;
	for (at = &pool->first; *at != NULL && *at != job; at = &(*at)->next)
		continue;
	if (*at == NULL)
		return true;
	*at = job->next;
	if (pool->last == &job->next)
		pool->last = at;
	pool->waiting--;
	job->next = NULL;
	job->pool = NULL;
	return true;
}
