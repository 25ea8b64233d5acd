#ifndef SIGNET_CA_CA_NEW_H
#define SIGNET_CA_CA_NEW_H

#include "base/buf.h"
#include "base/checked.h"

#include <sys/types.h>

#include <limits.h>

/* The directory of a new CA, which is made as DIR.new and renamed when it is
 * whole. */
struct fault;

/* A new directory: ${path} must not be there.  ${path}.new is locked while it
 * is filled, so that of two who make the same CA the second is told to wait;
 * what an interrupted one left there is taken away, since nobody has seen it.
 * What bears that name and was not left by one of us stays, and is refused. */
struct ca_new {
	char path[PATH_MAX];
	char temporary[PATH_MAX];
	int lock; /* descriptor of ${temporary} */
};
CHECKED int ca_new_begin(struct ca_new *n, const char *path, struct fault *f);
CHECKED int ca_new_write(const struct ca_new *n, const char *file, mode_t mode,
    const struct buf *data, struct fault *f);
CHECKED int ca_new_end(struct ca_new *n, struct fault *f);
/* Take away what is half made, after a fault that left nothing worth keeping:
 * no certificate was signed. */
void ca_new_cancel(struct ca_new *n);

#endif
