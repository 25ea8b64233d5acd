#ifndef SIGNETD_DESK_GUARD_H
#define SIGNETD_DESK_GUARD_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Who comes without being an administrator, again and again, is not heard for a
 * while.  A source is who was proved to be there, a uid or a principal, so that
 * he locks out nobody else; else an address (all of a /64 in IPv6).  There is
 * room for so many sources only: a new one takes the place of another.
 */
struct fault;
struct guard;
struct sockaddr;

#define GUARD_TRIES 10	      /* that are answered within */
#define GUARD_WINDOW_MS 60000 /* so long */

CHECKED struct guard *guard_new(struct fault *f);
void guard_free(struct guard *g);
OWN_FREE_STRUCT(guard, guard_free)

/* What a principal, a uid, or the far end of a TCP connection, is called here.
 */
uint64_t guard_name(const char *principal);
uint64_t guard_uid(uint32_t uid);
uint64_t guard_address(const struct sockaddr *from);

/* Whether ${source} is to be turned away unheard, at ${now} (milliseconds);
 * and that it has failed once more. */
bool guard_turns_away(const struct guard *g, uint64_t source, int64_t now);
void guard_failed(struct guard *g, uint64_t source, int64_t now);

#endif
