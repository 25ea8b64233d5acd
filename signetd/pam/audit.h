#ifndef SIGNETD_PAM_AUDIT_H
#define SIGNETD_PAM_AUDIT_H

#include <stdbool.h>

/*
 * libpam reports each authentication and each account check to the kernel's
 * audit log, over a socket that it opens by libaudit's audit_open().  A program
 * that has a function of that name is asked in libaudit's stead: so ours is
 * the one that libpam and the modules in this process find.
 */

/* Whether records may be written; they may, until this says otherwise. */
void audit_allow(bool allowed);

/* A socket for records, as libaudit makes it; or -1 with EPROTONOSUPPORT, which
 * tells libpam that the kernel keeps no such log: it goes on without. */
int audit_open(void);

#endif
