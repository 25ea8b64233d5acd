#ifndef SIGNETD_PARENT_PLACE_H
#define SIGNETD_PARENT_PLACE_H

#include "base/checked.h"
#include "signetd/signetd_conf.h"

#include <sys/types.h>

struct fault;

/* Make the ledger's directory if it is missing, mode 0700, and see that it
 * and what is in it belong to the keeper's user when we are root. */
CHECKED int place_ledger(const struct signetd_conf *conf, struct fault *f);

/**
 * place_own(path, base, uid, gid, f):
 * Give the directory ${path}, and the files in it of the ledger called ${base},
 * to ${uid} and ${gid}, and take everybody else's leave to write there.
 * FAULT_CONFIG, and nothing is changed, if it is not ${uid}'s and holds
 * anything else.
 */
CHECKED int place_own(const char *path, const char *base, uid_t uid, gid_t gid,
    struct fault *f);

#endif
