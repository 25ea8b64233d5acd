#ifndef FETCH_FETCH_WAIT_H
#define FETCH_FETCH_WAIT_H

#include "base/checked.h"

#include <stdint.h>
#include <time.h>

/*
 * Sources that failed are left alone for a while, which doubles each time;
 * also by those who come later: it is written down, in the cache's directory,
 * under a digest of the URL.  What cannot be written down is not waited for.
 */
struct fault;

struct fetch_wait {
	const char *dir; /* NULL: nobody waits */
	unsigned first_s;
	unsigned most_s;
};

/* Whether ${url} may be asked ${now}; FAULT_BUSY, saying until when, if not. */
CHECKED int fetch_wait_check(const struct fetch_wait *w, const char *url,
    time_t now, struct fault *f);

/* It failed ${now}, and wants us (Retry-After) not before ${wish_s} seconds;
 * 0: it does not say. */
void fetch_wait_failed(const struct fetch_wait *w, const char *url, time_t now,
    int64_t wish_s);

/* It answered. */
void fetch_wait_over(const struct fetch_wait *w, const char *url);

#endif
