#ifndef SIGNETD_PARENT_CREDENTIAL_H
#define SIGNETD_PARENT_CREDENTIAL_H

#include "base/checked.h"
#include "base/secret.h"

/* Credentials that the service manager passes: files of $CREDENTIALS_DIRECTORY
 * (systemd.exec(5)). */
struct fault;

/* The first line of the one called ${name}.  FAULT_CONFIG if there is none. */
CHECKED struct secret *credential_read(const char *name, struct fault *f);

/* Whether there is one; it is not read. */
CHECKED int credential_check(const char *name, struct fault *f);

#endif
