#ifndef FETCH_FETCH_TASK_H
#define FETCH_FETCH_TASK_H

#include "fetch/fetch.h"
#include "fetch/fetch_cache.h"
#include "fetch/fetch_one.h"
#include "fetch/fetch_wait.h"

#include <stdbool.h>

/*
 * A job's way through its URLs, without the transfers themselves: which comes
 * next, what became of one, what is kept, and what the caller is told.
 */
enum fetch_task_state {
	FETCH_TASK_NEW,
	FETCH_TASK_QUEUED, /* ->target may be asked when its host has room */
	FETCH_TASK_RUNNING,
	FETCH_TASK_DONE,
};

struct fetch_task {
	const struct fetch_job *job;
	const struct fetch_options *options; /* filled in */
	const struct fetch_wait *wait;
	enum fetch_task_state state;
	size_t at;	    /* which of the URLs */
	char *moved;	    /* where that one sent us; owned */
	unsigned redirects; /* and how often */
	int64_t deadline;   /* for that one, of clock_mono; 0: not asked yet */
	struct fetch_url target;
	size_t host;	      /* for the queue's use */
	struct fetch_one one; /* while RUNNING */
	struct fetch_entry entry;
	bool looked;	/* for the entry */
	bool entry_bad; /* the judge says */
	bool waiting;
	struct fault fault; /* what was wrong so far; FAULT_NONE */
	bool failed;	    /* when DONE: without a body */
};

/* Go on to the next URL that is to be asked (QUEUED), or to the end (DONE). */
void fetch_task_go(struct fetch_task *t);

/* Begin the transfer (RUNNING), or go on. */
void fetch_task_start(struct fetch_task *t);

/* The transfer ended: QUEUED again, or DONE. */
void fetch_task_end(struct fetch_task *t, CURLcode code);

/* End it with what the cache has, for ${why}. */
void fetch_task_stop(struct fetch_task *t, const char *why);

#endif
