#ifndef SIGNETD_PARENT_DOCTOR_H
#define SIGNETD_PARENT_DOCTOR_H

#include "base/checked.h"

#include <stdbool.h>

struct fault;

/**
 * doctor_run(conf_path, json, f):
 * Look over this host as one that holds a CA's key (seed 003, "LIGO
 * subordinate CAs for SLCS servers"): no other listening services, no accounts
 * but the administrators', no remote root login; the clock, the files' modes,
 * the CA's and host's certificates and CRLs.  Prints a line a check, ok, warn
 * or fail, each with what to do.  FAULT_FAILED if one failed.
 */
CHECKED int doctor_run(const char *conf_path, bool json, struct fault *f);

#endif
