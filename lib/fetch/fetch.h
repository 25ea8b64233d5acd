#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include "base/checked.h"
#include "base/fault.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * Many files from many servers at once, in one process: http, https, ftp, and
 * local files where a job allows them.  What it is that is fetched, the caller
 * judges; nothing that a judge refused is kept or handed out.
 *
 * Sizes are in bytes, times in milliseconds unless they say otherwise.
 * Nothing here prints: faults name URLs without user, password and query.
 */

/* Where the body of a job came from. */
enum fetch_state {
	FETCH_FETCHED,	 /* from its source, and other than what we had */
	FETCH_UNCHANGED, /* its source has what we had (304, or same bytes) */
	FETCH_CACHED, /* what we had: its sources failed, or we are offline */
	FETCH_FAILED, /* no body */
};

struct fetch_result {
	enum fetch_state state;
	struct wire_bytes body; /* until done() returns; mapped if it is big */
	const char *url;	/* whence, as the job has it; NULL if failed */
	/* When its source last said that this is it, by the wall clock. */
	time_t when;
	/*
	 * FAILED, CACHED: why there is nothing newer, for each URL in order of
	 * trying.  FETCHED, UNCHANGED: what other URLs were no good for, or why
	 * it could not be put in the cache; FAULT_NONE if all is well.
	 */
	struct fault fault;
	bool waiting; /* some URL was not asked, because it failed of late */
};

/**
 * fetch_judge_fn(arg, body, url, f):
 * Whether ${body} is good.  If it is not the next URL is tried, and the one
 * in the cache last.  The bytes are hostile.
 */
typedef int fetch_judge_fn(void *arg, struct wire_bytes body, const char *url,
    struct fault *f);
typedef void fetch_done_fn(void *arg, const struct fetch_result *result);

struct fetch_job {
	const char *const *urls; /* the same thing from each; tried in order */
	size_t url_count;
	/* Its name in the cache: letters, digits, '.', '_', '-', at most 100,
	 * no dot first; NULL: nothing of it is cached.  One job a key. */
	const char *key;
	size_t max_bytes; /* of the body; 0: FETCH_MAX_BYTES */
	bool allow_file;  /* file: URLs too, never by redirection */
	bool unchecked; /* https without looking at the server's certificate */
	/*
	 * What the judge's yes depends on besides the bytes (a digest of pins
	 * and policy, at most 100 printable characters).  A cached body that
	 * was judged good under the same words is not judged again.  NULL: it
	 * always is.
	 */
	const char *verdict;
	fetch_judge_fn *judge; /* NULL: everything is good */
	fetch_done_fn *done;   /* once for each job, in order of arrival */
	void *arg;	       /* of both */
};

#define FETCH_MAX_BYTES (1u << 20)

struct fetch_progress {
	size_t total;
	size_t done; /* failed ones too */
	size_t failed;
	size_t running;
	uint64_t bytes;	 /* received */
	int64_t left_ms; /* as it looks now; -1: cannot be said yet */
};

/* Of how things go, at each end and at least every quarter of a second; false
 * to stop: what is not done is then FAILED (or CACHED). */
typedef bool fetch_progress_fn(void *arg, const struct fetch_progress *p);

/* Zero or NULL means what is in parentheses. */
struct fetch_options {
	unsigned parallel;    /* transfers at once (32) */
	unsigned per_host;    /* of them, with one host and port (4) */
	unsigned connect_ms;  /* to connect, TLS included (10 000) */
	unsigned total_ms;    /* for one URL with its redirections (120 000) */
	unsigned low_speed;   /* fewer bytes a second (100) ... */
	unsigned low_speed_s; /* ... for so many seconds end it (20) */
	unsigned redirects;   /* followed (5); none with no_redirects */
	bool no_redirects;
	const char *proxy; /* URL, "" none (as curl: http_proxy, no_proxy) */
	int ip;		   /* 4 or 6 alone (both) */
	bool offline;	   /* ask nobody (ask) */
	bool impatient;	   /* ask also who failed of late (wait) */
	unsigned wait_s;   /* after a first failure; doubled each time (300) */
	unsigned wait_most_s;	/* and no longer than (21 600) */
	const char *cache_dir;	/* made if need be, 0700 (no cache) */
	const char *ca_file;	/* for https, PEM (the system's) */
	const char *ca_dir;	/* and hashed (the system's, unless ca_file) */
	const char *user_agent; /* ("signet/VERSION") */
	fetch_progress_fn *progress; /* (none) */
	void *progress_arg;
	time_t (*now)(void); /* the wall clock (clock_wall) */
};

/**
 * fetch_run(jobs, count, options, f):
 * Do all ${count} jobs and say each one's end through its done().  A job that
 * fails is no fault of the run: -1 is said before any job is begun, if the
 * cache cannot be used or memory is out.
 *
 * One GET a URL, conditional (If-None-Match and If-Modified-Since) where the
 * cache has that URL's body.  Redirections lead to http and https alone, never
 * from https to http.  Nothing is decompressed and compressed answers are
 * refused.  Bodies past FETCH_IN_MEMORY are received into a file and mapped.
 *
 * The cache may be used by several at once and its owner may be killed at any
 * moment: its files are replaced whole, and one that is not whole counts as
 * none.  A disk that is full costs the cache, and bodies that need a file.
 */
CHECKED int fetch_run(const struct fetch_job *jobs, size_t count,
    const struct fetch_options *options, struct fault *f);

#define FETCH_IN_MEMORY (256u << 10)

/* ${url} without user, password, query and fragment, and printable: for
 * messages.  Cut if it does not fit. */
#define FETCH_SHOWN_SIZE 160
void fetch_url_show(const char *url, char text[FETCH_SHOWN_SIZE]);

#endif
