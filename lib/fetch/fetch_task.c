#include "fetch/fetch_task.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char *
url_of(const struct fetch_task *t)
{
	return t->moved != NULL ? t->moved : t->job->urls[t->at];
}

static time_t
now_of(const struct fetch_task *t)
{
	return t->options->now();
}

/* Put ${more} behind the text of ${f}, as far as it goes. */
static void
append(struct fault *f, const char *more)
{
	size_t at = strlen(f->text);
	size_t len = strnlen(more, sizeof(f->text) - 1 - at);

	memcpy(f->text + at, more, len);
	f->text[at + len] = '\0';
}

/* Behind what was wrong with others, say what is wrong with ${url}. */
static void
reason(struct fetch_task *t, const char *url, const struct fault *f)
{
	char shown[FETCH_SHOWN_SIZE] = "cache";
	struct fault all = *f;

	if (url != NULL)
		fetch_url_show(url, shown);
	memcpy(all.text, t->fault.text, sizeof(all.text));
	if (all.text[0] != '\0')
		append(&all, "; ");
	append(&all, shown);
	append(&all, ": ");
	append(&all, f->text);
	t->fault = all;
}

static void
next_url(struct fetch_task *t)
{
	free(TAKE(t->moved));
	t->at++;
	t->redirects = 0;
	t->deadline = 0;
}

static void
bad_url(struct fetch_task *t, const struct fault *f)
{
	reason(t, t->job->urls[t->at], f);
	next_url(t);
}

static bool
cached(const struct fetch_task *t)
{
	return t->job->key != NULL && t->options->cache_dir != NULL;
}

/* What we have, looked for once. */
static bool
entry_of(struct fetch_task *t)
{
	struct fault f;

	if (!t->looked && cached(t)) {
		t->looked = true;
		/* Absent, cut or altered: all the same here. */
		if (fetch_entry_open(&t->entry, t->options->cache_dir,
			t->job->key, &f) < 0)
			t->entry.map = NULL;
	}
	return t->entry.map != NULL;
}

/* Which of the job's URLs is the one that ${digest} is of; NULL: none. */
static const char *
url_by_digest(const struct fetch_job *job, const uint8_t digest[FETCH_DIGEST])
{
	uint8_t own[FETCH_DIGEST];
	struct fault f;

	for (size_t i = 0; i < job->url_count; i++)
		if (fetch_digest(job->urls[i], own, &f) == 0 &&
		    memcmp(own, digest, sizeof(own)) == 0)
			return job->urls[i];
	return NULL;
}

static bool
judged_before(const struct fetch_task *t)
{
	return t->job->verdict != NULL &&
	    strcmp(t->job->verdict, t->entry.meta.verdict) == 0;
}

static int
judge(struct fetch_task *t, struct wire_bytes body, const char *url,
    struct fault *f)
{
	struct fault said = { .code = FAULT_INPUT };

	if (t->job->judge == NULL ||
	    t->job->judge(t->job->arg, body, url, &said) == 0)
		return 0;
	*f = said;
	return -1;
}

/* Tell of the end, and let go of everything. */
static void
finish(struct fetch_task *t, struct fetch_result *r)
{
	r->fault = t->fault;
	r->waiting = t->waiting;
	t->failed = r->state == FETCH_FAILED;
	if (t->job->done != NULL)
		t->job->done(t->job->arg, r);
	fetch_one_close(&t->one);
	fetch_entry_close(&t->entry);
	free(TAKE(t->moved));
	t->state = FETCH_TASK_DONE;
}

/* Nobody has it: what the cache has, if that is still good. */
static void
finish_without(struct fetch_task *t)
{
	struct fetch_result r = { .state = FETCH_FAILED };
	struct fault f;

	if (entry_of(t) && !t->entry_bad) {
		r.url = url_by_digest(t->job, t->entry.meta.url);
		r.state = FETCH_CACHED;
		if (!judged_before(t) &&
		    judge(t, t->entry.body, r.url, &f) < 0) {
			reason(t, NULL, &f);
			r.state = FETCH_FAILED;
		}
	}
	if (r.state == FETCH_CACHED) {
		r.body = t->entry.body;
		r.when = t->entry.when;
	} else {
		r.url = NULL;
		if (t->fault.code == FAULT_NONE)
			(void)fault_set(&t->fault, FAULT_ABSENT,
			    "nothing to fetch it from");
	}
	finish(t, &r);
}

static int
meta_fill(struct fetch_task *t, struct fetch_meta *meta, struct fault *f)
{
	if (t->job->verdict != NULL &&
	    text_copy(meta->verdict, sizeof(meta->verdict), t->job->verdict) <
		0)
		return fault_set(f, FAULT_INTERNAL, "verdict too long");
	return fetch_digest(t->job->urls[t->at], meta->url, f);
}

/* Put the body of ${sink} into the cache; what fails is only noted. */
static void
keep(struct fetch_task *t, struct fetch_sink *sink,
    const struct fetch_meta *meta)
{
	struct fault f;

	if (fetch_entry_put(sink, t->job->key, meta, now_of(t), &f) < 0)
		reason(t, NULL, &f);
}

static bool
same_meta(const struct fetch_meta *a, const struct fetch_meta *b)
{
	return memcmp(a->url, b->url, sizeof(a->url)) == 0 &&
	    strcmp(a->etag, b->etag) == 0 &&
	    strcmp(a->modified, b->modified) == 0 &&
	    a->filetime == b->filetime && strcmp(a->verdict, b->verdict) == 0;
}

static void
confirm(struct fetch_task *t)
{
	struct fault f;

	if (fetch_entry_confirm(t->options->cache_dir, t->job->key, now_of(t),
		&f) < 0)
		reason(t, NULL, &f);
}

/* A good body has come: into the cache with it. */
static void
finish_body(struct fetch_task *t, struct wire_bytes body, bool same,
    struct fetch_meta *meta)
{
	struct fetch_result r = {
		.state = same ? FETCH_UNCHANGED : FETCH_FETCHED,
		.body = body,
		.url = t->job->urls[t->at],
		.when = now_of(t),
	};
	struct fault f;

	if (cached(t) && t->target.scheme != FETCH_FILE) {
		if (meta_fill(t, meta, &f) < 0)
			reason(t, NULL, &f);
		else if (same && same_meta(meta, &t->entry.meta))
			confirm(t);
		else
			keep(t, &t->one.sink, meta);
	}
	finish(t, &r);
}

static void
take_body(struct fetch_task *t)
{
	struct fetch_meta meta = t->one.meta;
	struct wire_bytes body;
	struct fault f;
	bool same;

	if (fetch_sink_end(&t->one.sink, &body, meta.digest, &f) < 0) {
		bad_url(t, &f);
		return;
	}
	same = entry_of(t) &&
	    memcmp(meta.digest, t->entry.meta.digest, FETCH_DIGEST) == 0;
	if (!(same && judged_before(t)) &&
	    judge(t, body, t->job->urls[t->at], &f) < 0) {
		if (same)
			t->entry_bad = true;
		bad_url(t, &f);
		return;
	}
	finish_body(t, body, same, &meta);
}

/* What was judged under other words before is kept under these. */
static void
keep_verdict(struct fetch_task *t)
{
	struct fetch_meta meta = t->entry.meta;
	struct fetch_sink sink = { .fd = -1 };
	uint8_t digest[FETCH_DIGEST];
	struct wire_bytes body = t->entry.body;
	struct fault f;

	if (text_copy(meta.verdict, sizeof(meta.verdict), t->job->verdict) <
		0 ||
	    fetch_sink_open(&sink, t->options->cache_dir, body.len, &f) < 0 ||
	    fetch_sink_put(&sink, body.data, body.len, &f) < 0 ||
	    fetch_sink_end(&sink, &body, digest, &f) < 0)
		confirm(t);
	else
		keep(t, &sink, &meta);
	fetch_sink_close(&sink);
}

static void
take_same(struct fetch_task *t)
{
	struct fetch_result r = {
		.state = FETCH_UNCHANGED,
		.body = t->entry.body,
		.url = t->job->urls[t->at],
		.when = now_of(t),
	};
	struct fault f;

	if (judged_before(t)) {
		confirm(t);
		finish(t, &r);
		return;
	}
	if (judge(t, t->entry.body, r.url, &f) < 0) {
		t->entry_bad = true;
		bad_url(t, &f);
		return;
	}
	if (t->job->verdict != NULL)
		keep_verdict(t);
	else
		confirm(t);
	finish(t, &r);
}

/* Where a redirection leads, if it may; else what was wrong with it. */
static int
follow(struct fetch_task *t, struct fault *f)
{
	char *to;

	if (t->options->no_redirects)
		return fault_set(f, FAULT_INPUT,
		    "sends us elsewhere, which is not allowed");
	if (t->redirects++ >= t->options->redirects)
		return fault_set(f, FAULT_INPUT,
		    "sends us on more than %u times", t->options->redirects);
	if (fetch_url_follow(&t->target, t->one.location, f) < 0)
		return -1;
	if ((to = strdup(t->one.location)) == NULL)
		return fault_set(f, FAULT_MEMORY, "redirection");
	free(t->moved);
	t->moved = to;
	return fetch_url_read(&t->target, to, f);
}

static void
take_failure(struct fetch_task *t, const struct fault *f)
{
	fetch_wait_failed(t->wait, t->job->urls[t->at], now_of(t),
	    t->one.wish_s);
	bad_url(t, f);
}

/* A local file, now. */
static void
take_file(struct fetch_task *t)
{
	size_t max =
	    t->job->max_bytes > 0 ? t->job->max_bytes : FETCH_MAX_BYTES;
	struct fault f;

	t->one = (struct fetch_one){ .url = t->target };
	if (fetch_one_file(&t->one, t->options->cache_dir, max, &f) < 0)
		bad_url(t, &f);
	else
		take_body(t);
	fetch_one_close(&t->one);
}

/* Whether the URL at hand may be asked; what is local is done at once. */
static bool
look_at(struct fetch_task *t)
{
	struct fault f;

	if (fetch_url_read(&t->target, url_of(t), &f) < 0) {
		bad_url(t, &f);
		return false;
	}
	if (t->target.scheme == FETCH_FILE && t->job->allow_file) {
		take_file(t);
		return false;
	}
	if (t->target.scheme == FETCH_FILE)
		(void)fault_set(&f, FAULT_DENIED,
		    "local files are not allowed here");
	else if (t->options->offline)
		(void)fault_set(&f, FAULT_UNREACHABLE, "offline");
	else if (t->options->impatient ||
	    fetch_wait_check(t->wait, t->job->urls[t->at], now_of(t), &f) == 0)
		return true;
	if (f.code == FAULT_BUSY)
		t->waiting = true;
	bad_url(t, &f);
	return false;
}

void
fetch_task_go(struct fetch_task *t)
{
	t->state = FETCH_TASK_QUEUED;
	while (t->at < t->job->url_count) {
		if (look_at(t) || t->state == FETCH_TASK_DONE)
			return;
	}
	finish_without(t);
}

void
fetch_task_start(struct fetch_task *t)
{
	struct fetch_ask ask = { url_of(t), t->job, t->options, NULL, 0 };
	struct fault f;

	if (t->deadline == 0)
		t->deadline = clock_mono() + t->options->total_ms;
	ask.left_ms = t->deadline - clock_mono();
	if (entry_of(t) && !t->entry_bad &&
	    url_by_digest(t->job, t->entry.meta.url) == t->job->urls[t->at])
		ask.have = &t->entry.meta;
	t->state = FETCH_TASK_RUNNING;
	if (fetch_one_open(&t->one, &ask, t, &f) == 0)
		return;
	fetch_one_close(&t->one);
	bad_url(t, &f);
	fetch_task_go(t);
}

void
fetch_task_end(struct fetch_task *t, CURLcode code)
{
	struct fault f = { .code = FAULT_NONE };

	switch (fetch_one_end(&t->one, code, &f)) {
	case FETCH_ONE_BODY:
		fetch_wait_over(t->wait, t->job->urls[t->at]);
		take_body(t);
		break;
	case FETCH_ONE_SAME:
		fetch_wait_over(t->wait, t->job->urls[t->at]);
		take_same(t);
		break;
	case FETCH_ONE_MOVED:
		if (follow(t, &f) < 0)
			take_failure(t, &f);
		else
			t->state = FETCH_TASK_QUEUED;
		break;
	case FETCH_ONE_FAILED:
		take_failure(t, &f);
		break;
	case FETCH_ONE_HERE:
		bad_url(t, &f);
		break;
	}
	fetch_one_close(&t->one);
	if (t->state == FETCH_TASK_RUNNING)
		fetch_task_go(t);
}

void
fetch_task_stop(struct fetch_task *t, const char *why)
{
	struct fault f;

	fetch_one_close(&t->one);
	(void)fault_set(&f, FAULT_FAILED, "%s", why);
	if (t->at < t->job->url_count)
		reason(t, t->job->urls[t->at], &f);
	finish_without(t);
}
