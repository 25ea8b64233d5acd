#ifndef SIGNET_KNOCK_H
#define SIGNET_KNOCK_H

#include "base/checked.h"
#include "tls/tls.h"

#include <stdint.h>

/* A server's certificates, without anything else of it. */
struct fault;

/**
 * knock(host, port, timeout_ms, judge, arg, f):
 * Connect, each address within ${timeout_ms}, and shake hands by TLS: ${judge}
 * is shown what the server shows.  FAULT_UNREACHABLE, or what ${judge} says.
 */
CHECKED int knock(const char *host, uint16_t port, int timeout_ms,
    tls_judge_fn *judge, void *arg, struct fault *f);

#endif
