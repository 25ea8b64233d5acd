#ifndef SIGNETD_REVOKED_H
#define SIGNETD_REVOKED_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <stdint.h>

/*
 * The revoked as CRL_LIST carries them: for each one octet of length, so many
 * octets of the serial's magnitude (1 to 20, the first not zero), one octet of
 * the reason (RFC 5280 5.3.1), eight of the time.
 */
struct revoked {
	uint8_t serial[20];
	uint8_t serial_len;
	uint8_t reason;
	int64_t when;
};

void revoked_put(struct buf *out, const struct revoked *r);

/* The next one: 1 with ${r}, 0 at the end, -1 if malformed. */
CHECKED int revoked_next(struct wire_in *in, struct revoked *r);

#endif
