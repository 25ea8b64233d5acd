#ifndef SIGNET_PLACE_H
#define SIGNET_PLACE_H

#include "base/checked.h"

#include <stddef.h>

/* Where things are for this person. */
struct fault;

#define PLACE_SIZE 1024

/* The proxy: ${option} if given, else X509_USER_PROXY, else
 * /tmp/x509up_u<uid>. */
CHECKED int place_proxy(const char *option, char path[PLACE_SIZE],
    struct fault *f);

/* The name that the last login was for, kept with mode 0600 in
 * signet/username in XDG_CACHE_HOME or ~/.cache.  FAULT_ABSENT: none. */
#define PLACE_NAME_SIZE 256
CHECKED int place_name_read(char name[PLACE_NAME_SIZE], struct fault *f);
CHECKED int place_name_write(const char *name, struct fault *f);

#endif
