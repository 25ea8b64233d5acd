#ifndef SIGNETD_PARENT_PLACE_H
#define SIGNETD_PARENT_PLACE_H

#include "base/checked.h"
#include "signetd/signetd_conf.h"

struct fault;

/* Make the ledger's directory if it is missing, mode 0700, and see that it
 * and what is in it belong to the keeper's user when we are root. */
CHECKED int place_ledger(const struct signetd_conf *conf, struct fault *f);

#endif
