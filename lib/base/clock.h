#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Times come in through here; what decides takes ${now} as a parameter. */

/* Seconds since 1970, as the wall clock says. */
time_t clock_wall(void);

/* Milliseconds since some fixed point, whatever happens to the wall clock. */
int64_t clock_mono(void);

/* ${when} as RFC 3339 UTC, "2026-11-22T04:28:00Z". */
#define CLOCK_TEXT_SIZE 32
void clock_text(time_t when, char text[CLOCK_TEXT_SIZE]);

#endif
