#include "fetch/fetch.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "fetch/fetch_cache.h"
#include "fetch/fetch_task.h"

#include <stdlib.h>
#include <string.h>

#define TELL_MS 250

/* How many transfers a host has. */
struct host {
	char name[320];
	unsigned running;
};

struct run {
	struct fetch_options options; /* filled in */
	struct fetch_wait wait;
	CURLM *multi;
	struct fetch_task *tasks;
	size_t count;
	size_t first; /* all before it are done */
	struct host *hosts;
	size_t host_count;
	unsigned running;
	int64_t began;
	int64_t told;
	uint64_t bytes;
	size_t done;
	size_t failed;
};

static unsigned
or_else(unsigned value, unsigned otherwise)
{
	return value > 0 ? value : otherwise;
}

static void
fill_in(struct fetch_options *o)
{
	o->parallel = or_else(o->parallel, 32);
	o->per_host = or_else(o->per_host, 4);
	o->connect_ms = or_else(o->connect_ms, 10000);
	o->total_ms = or_else(o->total_ms, 120000);
	o->low_speed = or_else(o->low_speed, 100);
	o->low_speed_s = or_else(o->low_speed_s, 20);
	o->redirects = or_else(o->redirects, 5);
	o->wait_s = or_else(o->wait_s, 300);
	o->wait_most_s = or_else(o->wait_most_s, 21600);
	if (o->user_agent == NULL)
		o->user_agent = "signet/" SIGNET_VERSION;
	if (o->now == NULL)
		o->now = clock_wall;
}

/* The record of host ${name}; -1 without memory. */
static ssize_t
host_find(struct run *r, const char *name)
{
	struct host *more;

	for (size_t i = 0; i < r->host_count; i++)
		if (strcmp(r->hosts[i].name, name) == 0)
			return (ssize_t)i;
	more = reallocarray(r->hosts, r->host_count + 1, sizeof(*more));
	if (more == NULL)
		return -1;
	r->hosts = more;
	more[r->host_count].running = 0;
	if (text_copy(more[r->host_count].name, sizeof(more->name), name) < 0)
		return -1;
	return (ssize_t)r->host_count++;
}

/* Begin ${t}, if its host has room. */
static void
start(struct run *r, struct fetch_task *t)
{
	ssize_t host = host_find(r, t->target.host);

	if (host < 0) {
		fetch_task_stop(t, "out of memory");
		return;
	}
	if (r->hosts[host].running >= r->options.per_host)
		return;
	fetch_task_start(t);
	if (t->state != FETCH_TASK_RUNNING)
		return;
	if (curl_multi_add_handle(r->multi, t->one.easy) != CURLM_OK) {
		fetch_task_stop(t, "out of memory");
		return;
	}
	t->host = (size_t)host;
	r->hosts[host].running++;
	r->running++;
}

/* It has come to an end: count it. */
static void
count_done(struct run *r, const struct fetch_task *t)
{
	r->done++;
	if (t->failed)
		r->failed++;
	r->told = 0;
}

/* Give every task that can go on its turn, while there is room. */
static void
pump(struct run *r)
{
	for (size_t i = r->first; i < r->count; i++) {
		struct fetch_task *t = &r->tasks[i];
		bool open = t->state != FETCH_TASK_DONE;

		if (r->running >= r->options.parallel)
			return;
		if (t->state == FETCH_TASK_NEW)
			fetch_task_go(t);
		if (t->state == FETCH_TASK_QUEUED)
			start(r, t);
		if (open && t->state == FETCH_TASK_DONE)
			count_done(r, t);
		if (i == r->first && t->state == FETCH_TASK_DONE)
			r->first++;
	}
}

static void
take_out(struct run *r, struct fetch_task *t)
{
	curl_off_t got = 0;

	(void)curl_easy_getinfo(t->one.easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
	r->bytes += (uint64_t)got;
	(void)curl_multi_remove_handle(r->multi, t->one.easy);
	r->hosts[t->host].running--;
	r->running--;
}

/* Whatever has ended. */
static void
reap(struct run *r)
{
	struct CURLMsg *message;
	struct fetch_task *t;
	int left;

	while ((message = curl_multi_info_read(r->multi, &left)) != NULL) {
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		t = NULL;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
		    &t);
		take_out(r, t);
		fetch_task_end(t, code);
		if (t->state == FETCH_TASK_DONE)
			count_done(r, t);
	}
}

/* Say how things go, if it is time; false to stop. */
static bool
tell(struct run *r)
{
	int64_t now = clock_mono();
	struct fetch_progress p = { r->count, r->done, r->failed, r->running,
		r->bytes, -1 };

	if (r->options.progress == NULL || now - r->told < TELL_MS)
		return true;
	r->told = now;
	if (r->done > 0)
		p.left_ms = (now - r->began) * (int64_t)(r->count - r->done) /
		    (int64_t)r->done;
	return r->options.progress(r->options.progress_arg, &p);
}

static void
stop(struct run *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct fetch_task *t = &r->tasks[i];

		if (t->state == FETCH_TASK_DONE)
			continue;
		if (t->state == FETCH_TASK_RUNNING)
			take_out(r, t);
		fetch_task_stop(t, "stopped");
		count_done(r, t);
	}
}

static void
run_all(struct run *r)
{
	int running;

	for (;;) {
		pump(r);
		if (!tell(r)) {
			stop(r);
			return;
		}
		if (r->done == r->count)
			return;
		if (r->running == 0)
			continue;
		if (curl_multi_perform(r->multi, &running) != CURLM_OK) {
			stop(r);
			return;
		}
		if ((unsigned)running == r->running)
			(void)curl_multi_poll(r->multi, NULL, 0, TELL_MS, NULL);
		reap(r);
	}
}

static int
check_job(const struct fetch_job *job, struct fault *f)
{
	if (job->key != NULL && !fetch_key_good(job->key))
		return fault_set(f, FAULT_INTERNAL, "no key for a cache: %s",
		    job->key);
	if (job->verdict != NULL &&
	    (strlen(job->verdict) >= FETCH_VERDICT_SIZE ||
		!text_printable(job->verdict)))
		return fault_set(f, FAULT_INTERNAL, "no verdict: %s",
		    job->verdict);
	return 0;
}

static int
begin(struct run *r, const struct fetch_job *jobs, struct fault *f)
{
	fill_in(&r->options);
	r->began = clock_mono();
	r->wait = (struct fetch_wait){ r->options.cache_dir, r->options.wait_s,
		r->options.wait_most_s };
	if (r->options.cache_dir != NULL &&
	    fetch_cache_open(r->options.cache_dir, r->options.now(), f) < 0)
		return -1;
	r->tasks = calloc(r->count > 0 ? r->count : 1, sizeof(*r->tasks));
	if (r->tasks == NULL || (r->multi = curl_multi_init()) == NULL)
		return fault_set(f, FAULT_MEMORY, "%zu files", r->count);
	for (size_t i = 0; i < r->count; i++) {
		if (check_job(&jobs[i], f) < 0)
			return -1;
		r->tasks[i].job = &jobs[i];
		r->tasks[i].options = &r->options;
		r->tasks[i].wait = &r->wait;
		r->tasks[i].one.sink.fd = -1;
	}
	return 0;
}

int
fetch_run(const struct fetch_job *jobs, size_t count,
    const struct fetch_options *options, struct fault *f)
{
	struct run r = { .options = *options, .count = count };
	int answer;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fault_set(f, FAULT_MEMORY, "libcurl");
	if ((answer = begin(&r, jobs, f)) == 0)
		run_all(&r);
	if (r.multi != NULL)
		(void)curl_multi_cleanup(r.multi);
	free(r.tasks);
	free(r.hosts);
	curl_global_cleanup();
	return answer;
}
