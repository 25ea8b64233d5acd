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

/* In the directory of each CA that was served: the path of its ledger, a line.
 * An empty ledger would give its numbers out again. */
#define PLACE_MARKER "ledger.path"

/* FAULT_CONFIG if a CA of ${conf} was served, and ${conf}'s ledger is not there
 * or is empty.  Nothing is changed. */
CHECKED int place_check(const struct signetd_conf *conf, struct fault *f);

/* Say in the directory of each CA where its ledger is, which exists.  What
 * cannot be written is logged, and else changes nothing: the file system may
 * be for reading only. */
void place_mark(const struct signetd_conf *conf);

#endif
