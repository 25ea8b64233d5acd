#ifndef ROSTER_ROSTER_SKIP_H
#define ROSTER_ROSTER_SKIP_H

#include "roster/roster_source.h"

#include <stdint.h>

/* Who is told of what is passed over. */
struct roster_skips {
	roster_skip_fn *fn; /* may be NULL */
	void *arg;
	const char *source;
	uint64_t count;
};

/* ${where} may hold anything; it is shown clean. */
void roster_skip(struct roster_skips *skips, const char *where, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

#endif
