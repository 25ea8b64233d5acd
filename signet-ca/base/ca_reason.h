#ifndef SIGNET_CA_CA_REASON_H
#define SIGNET_CA_CA_REASON_H

#include "base/checked.h"

struct fault;

/* The code of the reason called ${word}; 0 if it is NULL.  FAULT_USAGE for
 * what is none. */
CHECKED int ca_reason_read(const char *word, int *code, struct fault *f);

#endif
