#ifndef SIGNET_MAP_DESK_MAP_HOLDER_H
#define SIGNET_MAP_DESK_MAP_HOLDER_H

#include "base/checked.h"
#include "base/wire.h"
#include "map/map_request.h"
#include "trust/store.h"
#include "x509/cert.h"

#include <time.h>

/* A certificate that somebody shows, and whose it is. */
struct fault;

struct holder {
	struct cert_list chain;		  /* the first one's key must sign */
	char name[MAP_REQUEST_NAME_SIZE]; /* below its proxies */
	char ca[MAP_REQUEST_NAME_SIZE];
	char proof[MAP_REQUEST_NAME_SIZE + 64]; /* for the record */
};

/**
 * holder_read(h, pem, trust, now, f):
 * Verify the certificates in ${pem}, the one whose key is held first, with its
 * proxies.  FAULT_UNTRUSTED or FAULT_EXPIRED says which rule fails;
 * FAULT_DENIED for a limited proxy, which was handed on to do less than this,
 * and for an independent one, which is nobody's.  holder_clear() it, whatever
 * was returned.
 */
CHECKED int holder_read(struct holder *h, struct wire_bytes pem,
    const struct trust_store *trust, time_t now, struct fault *f);
void holder_clear(struct holder *h);

#endif
