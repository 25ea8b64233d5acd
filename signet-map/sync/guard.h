#ifndef SIGNET_MAP_SYNC_GUARD_H
#define SIGNET_MAP_SYNC_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How many names may go at once.  What has gone is poured into a bucket that
 * runs empty in the course of the window; one that would run over is refused.
 * So a directory that loses its people one by one is noticed too.
 */
struct guard {
	double level; /* names that have gone and are not forgotten yet */
	int64_t when; /* as of then, in seconds; 0: never */
};

struct guard_rule {
	size_t names;	  /* that there are */
	int per_cent;	  /* of them that may go; 100: all */
	size_t least;	  /* so many may always go */
	int64_t window_s; /* at least 1 */
};

/* Whether ${gone} names may go at ${now}; then they have. */
bool guard_lets(struct guard *g, const struct guard_rule *rule, size_t gone,
    int64_t now);

/* What is in the bucket at ${now}. */
double guard_level(const struct guard *g, const struct guard_rule *rule,
    int64_t now);

#endif
