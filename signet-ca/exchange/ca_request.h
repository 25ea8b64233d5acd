#ifndef SIGNET_CA_CA_REQUEST_H
#define SIGNET_CA_CA_REQUEST_H

#include "base/checked.h"
#include "office/request.h"
#include "signet-ca/base/ca_args.h"

#include <limits.h>

/* What request new and request renew share. */
struct fault;

/*
 * A request in the making.  Three files, in this order: the request beside the
 * key's place, the key, and the copy that travels.  A request without its key
 * was interrupted and is made anew; with the key it is whole, and only copied;
 * a key without a request is somebody's, and is left alone.
 */
struct ca_asking {
	const struct ca_args *args;
	const char *out;
	char key_path[PATH_MAX];
	char master[PATH_MAX];	/* KEY.request */
	struct request *r;	/* owned */
	const char *kind;	/* of the new key */
	const struct key *same; /* or the key there is */
	char host[DN_TEXT_MAX];
};

/* The key's place, and that of the request beside it. */
CHECKED int ca_request_paths(struct ca_asking *a, const char *key,
    struct fault *f);

/* What the office would refuse is refused here, if the profile is known here:
 * the office may have its own.  The host of a server's CN is asked for with the
 * others. */
CHECKED int ca_request_names(struct ca_asking *a, struct fault *f);

/* Make all files that are not there, and say what to do with them. */
CHECKED int ca_request_finish(struct ca_asking *a, struct fault *f);

#endif
