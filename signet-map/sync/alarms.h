#ifndef SIGNET_MAP_SYNC_ALARMS_H
#define SIGNET_MAP_SYNC_ALARMS_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/*
 * What somebody should see to.  An alarm is said when it begins and when it
 * ends, to the log and to the site's program, not each time it is found again.
 */
#define ALARMS_MAX 64
#define ALARM_TEXT 320

struct alarm {
	char what[96]; /* "source ligo", "service gridftp", "rules" */
	char text[ALARM_TEXT];
	time_t since;
	bool found; /* in this look */
};

/* ${begins}: or ends. */
typedef void alarm_fn(void *arg, const struct alarm *a, bool begins);

struct alarms {
	struct alarm list[ALARMS_MAX];
	size_t count;
	alarm_fn *fn;
	void *arg;
};

/* A look at everything: begin, find what there is, end (what was not found is
 * over). */
void alarms_begin(struct alarms *a);
void alarms_find(struct alarms *a, const char *what, const char *text,
    time_t now);
void alarms_end(struct alarms *a);

#endif
