#ifndef LDAP_DIAL_H
#define LDAP_DIAL_H

#include "base/checked.h"
#include "base/fault.h"
#include "ldap/own_ldap_types.h"

#include <stdbool.h>

/*
 * A connection to one directory server, protected and bound.  Referrals are
 * never followed, and ldap.conf and ~/.ldaprc are not read for what is set
 * here.
 */
struct secret;

enum dial_bind {
	DIAL_ANONYMOUS,
	DIAL_SIMPLE,
	DIAL_GSSAPI, /* with the tickets or client keytab of the environment */
};

struct dial {
	const char *uri; /* ldap://, ldaps:// or ldapi:// */
	bool start_tls;
	bool plain;	     /* ldap:// without TLS may be used */
	const char *ca_file; /* PEM; NULL or "": the system's */
	unsigned timeout_s;  /* for each step: connect, TLS, bind */
	enum dial_bind bind;
	const char *bind_dn;	       /* SIMPLE */
	const struct secret *password; /* SIMPLE */
};

/**
 * dial_open(d, f):
 * Connect, check the server's name and certificate, bind.  It waits.  Secrets
 * go only over TLS or ldapi, unless ->plain; GSSAPI without TLS must give
 * integrity and confidentiality itself.  FAULT_UNREACHABLE if the server does
 * not answer, FAULT_UNTRUSTED if its certificate is not good, FAULT_LOGIN if it
 * does not take our name, FAULT_CONFIG if what is asked is not permitted.
 */
CHECKED LDAP *dial_open(const struct dial *d, struct fault *f);

/* A fault of kind ${code} with libldap's words for ${result} and the server's
 * own; -1. */
int dial_fault(struct fault *f, enum fault_code code, LDAP *ld, int result,
    const char *doing);

/* What kind of fault libldap's ${result} is. */
enum fault_code dial_code(int result);

#endif
