#ifndef OFFICE_STAFF_H
#define OFFICE_STAFF_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * Who works in the office: administrators by local account or Kerberos
 * principal, what each may do, and for which names each may ask.
 *
 *	administrator ann  account ann  principal ann@LIGO.ORG
 *	role ann           approver revoker auditor
 *	may-ask ann        host .ligo.org gw.phys.uwm.edu
 *	may-ask ann        robot "Robot: transfer - ann" *
 *
 * A line an entry; '#' begins a comment line; what has blanks is quoted.  An
 * administrator has any number of accounts and principals, each of which is
 * one administrator's alone; account ann and principal ann@LIGO.ORG are taken
 * for one person's, and must not be two administrators'.  A name that begins
 * with a dot stands for all below it (and not for itself), one that begins
 * with an at sign for all mail addresses of that domain, "*" for any name, and
 * as profile for any profile.  Somebody must be in it: a file that was cut
 * short, or is no file, turns nobody out.
 */
struct fault;
struct staff;

enum staff_role {
	STAFF_REQUESTER = 1, /* may ask for certificates */
	STAFF_APPROVER = 2,
	STAFF_REVOKER = 4,
	STAFF_AUDITOR = 8 /* may read everything */
};

#define STAFF_NAME_SIZE 64
#define STAFF_FILE_MAX ((size_t)4 << 20)

/* FAULT_CONFIG names the line.  Names of accounts are looked up by ${uid_of},
 * which gets ${arg} (NULL: getpwnam; signetd's desk, which may open no file,
 * brings what the parent found, and a test its own); one that does not exist
 * (-1) is no fault, and nobody's. */
typedef int staff_uid_fn(void *arg, const char *account, uid_t *uid);
CHECKED struct staff *staff_read(const char *text, size_t len,
    staff_uid_fn *uid_of, void *arg, struct fault *f);
void staff_free(struct staff *s);
OWN_FREE_STRUCT(staff, staff_free)

/* Append what was read, in a form that staff_read takes back. */
void staff_write(const struct staff *s, struct buf *out);

/* The administrator's name, or NULL; borrowed from ${s}. */
const char *staff_by_uid(const struct staff *s, uid_t uid);
const char *staff_by_principal(const struct staff *s, const char *principal);

unsigned staff_roles(const struct staff *s, const char *name); /* STAFF_ bits */

/* Whether ${name} may ask for ${host} (a DNS name, without regard to case) in
 * a certificate of ${profile}; for a robot ${host} is its CN.  Or a mail
 * address. */
bool staff_may_ask(const struct staff *s, const char *name, const char *profile,
    const char *host);

#endif
