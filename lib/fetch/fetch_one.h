#ifndef FETCH_FETCH_ONE_H
#define FETCH_FETCH_ONE_H

#include "base/checked.h"
#include "base/fault.h"
#include "fetch/fetch.h"
#include "fetch/fetch_cache.h"
#include "fetch/fetch_sink.h"
#include "fetch/fetch_url.h"
#include "fetch/own_curl.h"

#include <stdbool.h>

/*
 * One request to one URL: what is asked for, what is listened to of the
 * answer, and what became of it.  Redirections are only reported.
 */
enum fetch_outcome {
	FETCH_ONE_BODY,	 /* it is in the sink */
	FETCH_ONE_SAME,	 /* what we named is what it has */
	FETCH_ONE_MOVED, /* ask ->location */
	FETCH_ONE_FAILED,
	FETCH_ONE_HERE, /* failed, for something on this machine */
};

struct fetch_one {
	CURL *easy;
	struct curl_slist *headers;
	struct fetch_url url;
	struct fetch_sink sink;
	size_t max;
	size_t heard;		/* bytes of header */
	size_t refused;		/* bytes of bodies that are of no use */
	struct fetch_meta meta; /* of the answer: etag, modified, filetime */
	bool encoded;		/* the answer is compressed */
	bool conditional;
	struct fault fault; /* of a callback; FAULT_NONE */
	char said[CURL_ERROR_SIZE];
	char location[FETCH_URL_SIZE];
	int64_t wish_s; /* Retry-After */
};

/* What one request is. */
struct fetch_ask {
	const char *url;
	const struct fetch_job *job;
	const struct fetch_options *options; /* filled in */
	const struct fetch_meta *have; /* ask for other than that, or NULL */
	int64_t left_ms;
};

/* Make ready: ->easy may be given to a multi handle, with ${private} as its
 * CURLOPT_PRIVATE.  fetch_one_close() it, also after a fault. */
CHECKED int fetch_one_open(struct fetch_one *one, const struct fetch_ask *ask,
    void *private, struct fault *f);
void fetch_one_close(struct fetch_one *one);

/* It ended with ${code}: what came of it, with a fault if it failed. */
enum fetch_outcome fetch_one_end(struct fetch_one *one, CURLcode code,
    struct fault *f);

/* Read the local file ${one}->url names into the sink, as if it were sent. */
CHECKED int fetch_one_file(struct fetch_one *one, const char *dir, size_t max,
    struct fault *f);

#endif
