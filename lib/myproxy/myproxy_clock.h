#ifndef MYPROXY_MYPROXY_CLOCK_H
#define MYPROXY_MYPROXY_CLOCK_H

#include "base/checked.h"

#include <stdint.h>
#include <time.h>

struct fault;

/*
 * What time a server says it is.  MyProxy has no word for it: signetd puts a
 * line SERVER_TIME=SECONDS (since 1970) into its answer to INFO, which other
 * clients pass over; other servers' answers have none.
 */

/**
 * myproxy_clock_read(lines, len):
 * The time in the ${len} bytes of whole ${lines} of an answer; 0 if none of
 * them is such a line, or it is malformed.
 */
time_t myproxy_clock_read(const char *lines, size_t len);

/**
 * myproxy_clock_ask(host, port, connect_ms, now, f):
 * Ask, without judging who answers: believe it only of a server whose
 * certificates are good at that time.  ${now} is 0 if it does not say.
 */
CHECKED int myproxy_clock_ask(const char *host, uint16_t port, int connect_ms,
    time_t *now, struct fault *f);

#endif
