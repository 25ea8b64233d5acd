#ifndef SIGNETD_PARENT_DOORS_H
#define SIGNETD_PARENT_DOORS_H

#include "base/checked.h"

/* Where the daemon is spoken to: sockets that the parent opens, since it may,
 * and the roles listen on. */
struct daemon;
struct fault;

CHECKED int doors_open(struct daemon *d, struct fault *f);

/* Close them, and take the names of Unix sockets away. */
void doors_close(struct daemon *d);

#endif
