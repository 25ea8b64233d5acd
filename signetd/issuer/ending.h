#ifndef ISSUER_ENDING_H
#define ISSUER_ENDING_H

#include "signetd/issuer/policy.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * CAs end.  Whoever runs one is told from thirty days before: at the start, and
 * once a day.
 */
struct ending {
	int64_t next_ms; /* 0: at once */
};

/* Whether ${cert} ends within thirty days of ${now} or has ended: in ${days}
 * whole days from then, negative if it has. */
bool ending_near(const struct cert *cert, time_t now, int64_t *days);

/* If a day has passed since the last time: log CA_ENDING for each such CA of
 * ${policy}.  ${mono_ms} is clock_mono's, ${now} the wall's. */
void ending_look(struct ending *ending, const struct policy *policy,
    int64_t mono_ms, time_t now);

#endif
