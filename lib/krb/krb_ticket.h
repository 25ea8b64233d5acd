#ifndef KRB_KRB_TICKET_H
#define KRB_KRB_TICKET_H

#include "base/checked.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The client's ticket: kinit's job, by libkrb5. */
struct fault;

#define KRB_PREAUTH_MAX 16

struct krb_ticket_wish {
	const char *principal; /* name or name@REALM */
	int64_t lifetime;      /* seconds, 0: the library's default */
	int64_t renewable;     /* seconds, 0: not */
	int64_t start;	       /* seconds from now */
	bool forwardable, not_forwardable, proxiable, not_proxiable;
	bool addresses, no_addresses, canonicalize, enterprise, anonymous;
	bool pac, no_pac;
	const char *cache;	 /* NULL: the default one */
	const char *input_cache; /* -I; may be NULL */
	const char *keytab;	 /* with use_keytab; NULL: the default one */
	bool use_keytab;
	bool client_keytab;  /* the default client keytab, with use_keytab */
	const char *service; /* -S */
	const char *armor_cache; /* -T */
	/* "attribute=value" for preauthentication plug-ins (-X). */
	const char *preauth[KRB_PREAUTH_MAX];
	size_t preauth_count;
	bool renew, validate;
};

/* A ticket-granting ticket in a cache. */
struct krb_ticket {
	char principal[256];
	time_t end;
	time_t renew_until;
};

/**
 * krb_ticket_find(cache, ticket, f):
 * The ticket-granting ticket in ${cache} (NULL: the default one) for the
 * cache's own realm.  FAULT_ABSENT: there is none; FAULT_EXPIRED: there was.
 */
CHECKED int krb_ticket_find(const char *cache, struct krb_ticket *ticket,
    struct fault *f);

/* The principal's full form, realm added: what a prompt names. */
CHECKED int krb_principal_full(const char *name, bool enterprise, char *full,
    size_t size, struct fault *f);

/**
 * krb_ticket_get(wish, ask, arg, f):
 * Get a ticket and store it in the cache, which is left as it was after a
 * failure.  ${ask} is called with the prompt ("Password for
 * scott.koranda@LIGO.ORG: ") if a password is needed, after the KDC was
 * reached; it may be NULL if there is no one to ask.
 * FAULT_LOGIN for a wrong password or unknown principal, FAULT_UNREACHABLE for
 * no KDC; clock skew is named in the text.
 */
CHECKED int krb_ticket_get(const struct krb_ticket_wish *wish,
    struct secret *(*ask)(void *arg, const char *prompt, struct fault *f),
    void *arg, struct fault *f);

#endif
