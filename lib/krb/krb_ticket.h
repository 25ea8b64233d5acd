#ifndef KRB_KRB_TICKET_H
#define KRB_KRB_TICKET_H

#include "base/checked.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The client's ticket: kinit's job, by libkrb5. */
struct fault;

struct krb_ticket_wish {
	const char *principal; /* name or name@REALM */
	int64_t lifetime;      /* seconds, 0: the library's default */
	int64_t renewable;     /* seconds, 0: not */
	int64_t start;	       /* seconds from now */
	bool forwardable, not_forwardable, proxiable, not_proxiable;
	bool addresses, no_addresses, canonicalize, enterprise, anonymous;
	const char *cache;  /* NULL: the default one */
	const char *keytab; /* with use_keytab; NULL: the default one */
	bool use_keytab;
	const char *service;	 /* -S */
	const char *armor_cache; /* -T */
	bool renew, validate;
};

/* What the default (or named) cache holds.  FAULT_ABSENT: none; FAULT_EXPIRED.
 */
struct krb_ticket {
	char principal[256];
	time_t end;
	time_t renew_until;
};
CHECKED int krb_ticket_find(const char *cache, struct krb_ticket *ticket,
    struct fault *f);

/* The principal's full form, realm added: what a prompt names. */
CHECKED int krb_principal_full(const char *name, bool enterprise, char *full,
    size_t size, struct fault *f);

/* Get a ticket and store it in the cache.  ${ask} is called with the prompt
 * ("Password for scott.koranda@LIGO.ORG:") if a password is needed.
 * FAULT_LOGIN for a wrong password or unknown principal, FAULT_UNREACHABLE for
 * no KDC; clock skew is named in the text. */
CHECKED int krb_ticket_get(const struct krb_ticket_wish *wish,
    struct secret *(*ask)(void *arg, const char *prompt, struct fault *f),
    void *arg, struct fault *f);

#endif
