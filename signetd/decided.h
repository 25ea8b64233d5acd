#ifndef SIGNETD_DECIDED_H
#define SIGNETD_DECIDED_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <stdint.h>

/*
 * The decisions on a request as OFFICE_FOUND carries them: for each one octet,
 * the verdict (1 approves, 2 rejects, 3 withdraws), and the name of who
 * decided: four octets of length and so many of text.
 */
#define DECIDED_MAX 128 /* more are refused */

struct decided {
	uint8_t verdict;
	char who[64];
};

void decided_put(struct buf *out, const struct decided *d);

/* The next one: 1 with ${d}, 0 at the end, -1 if malformed. */
CHECKED int decided_next(struct wire_in *in, struct decided *d);

#endif
