/*
 * fetcher [option=value ...] URL ...: fetches each URL by itself, or with
 * mirrors=1 all as one thing, and says of each, on a line: state, how many
 * bytes, their SHA-256, and what was wrong.
 */
#include "base/fault.h"
#include "base/text.h"
#include "fetch/fetch.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000

struct request {
	struct fetch_options options;
	struct fetch_job job; /* what all have in common */
	bool mirrors;
	struct fetch_job jobs[MOST];
	char keys[MOST][16];
	const char *urls[MOST];
	size_t count;
};

static void
show(void *arg, const struct fetch_result *r)
{
	static const char *const names[] = { "fetched", "unchanged", "cached",
		"failed" };
	uint8_t digest[32];
	char hex[65];

	(void)arg;
	if (EVP_Digest(r->body.data, r->body.len, digest, NULL, EVP_sha256(),
		NULL) != 1)
		abort();
	text_hex(digest, sizeof(digest), hex);
	(void)printf("%s %zu %s %s\n", names[r->state], r->body.len, hex,
	    r->fault.text);
}

static int
number(const char *text)
{
	int64_t value;

	if (text_number(text, 0, INT32_MAX, &value) < 0)
		abort();
	return (int)value;
}

static void
option(struct request *q, const char *name, const char *value)
{
	struct fetch_options *o = &q->options;

	if (strcmp(name, "cache") == 0)
		o->cache_dir = value;
	else if (strcmp(name, "ca") == 0)
		o->ca_file = value;
	else if (strcmp(name, "proxy") == 0)
		o->proxy = value;
	else if (strcmp(name, "ip") == 0)
		o->ip = number(value);
	else if (strcmp(name, "offline") == 0)
		o->offline = number(value) != 0;
	else if (strcmp(name, "per-host") == 0)
		o->per_host = (unsigned)number(value);
	else if (strcmp(name, "parallel") == 0)
		o->parallel = (unsigned)number(value);
	else if (strcmp(name, "unchecked") == 0)
		q->job.unchecked = number(value) != 0;
	else if (strcmp(name, "max") == 0)
		q->job.max_bytes = (size_t)number(value);
	else if (strcmp(name, "mirrors") == 0)
		q->mirrors = number(value) != 0;
	else
		abort();
}

static void
add(struct request *q, const char *url)
{
	struct fetch_job *job;

	if (q->count == MOST)
		abort();
	q->urls[q->count] = url;
	job = &q->jobs[q->count];
	*job = q->job;
	job->urls = &q->urls[q->count];
	job->url_count = 1;
	(void)snprintf(q->keys[q->count], sizeof(*q->keys), "key.%zu",
	    q->count);
	job->key = q->keys[q->count];
	job->done = show;
	q->count++;
}

static void
read_words(struct request *q, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *is = strchr(argv[i], '=');

		char *url = strstr(argv[i], "://");

		if (is == NULL || (url != NULL && url < is)) {
			add(q, argv[i]);
			continue;
		}
		*is = '\0';
		option(q, argv[i], is + 1);
	}
	if (q->mirrors && q->count > 0) {
		q->jobs[0].url_count = q->count;
		q->count = 1;
	}
}

int
main(int argc, char **argv)
{
	struct request *q = calloc(1, sizeof(*q));
	struct fault f = { 0 };
	int answer;

	if (q == NULL)
		return 1;
	q->options.impatient = true;
	read_words(q, argc, argv);
	answer = fetch_run(q->jobs, q->count, &q->options, &f);
	if (answer < 0)
		(void)fprintf(stderr, "%s\n", f.text);
	free(q);
	return answer < 0 ? fault_exit_status(f.code) : 0;
}
