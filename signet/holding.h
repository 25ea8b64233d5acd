#ifndef SIGNET_HOLDING_H
#define SIGNET_HOLDING_H

#include "base/checked.h"
#include "base/fault.h"
#include "krb/krb_ticket.h"
#include "own_cert.h"
#include "place.h"
#include "x509/proxy.h"

#include <stdbool.h>
#include <time.h>

/*
 * What a person holds: a proxy, a Kerberos ticket, a certificate of their own;
 * and what a service that trusts the trust directory would say to the proxy.
 */
struct trust_store;

enum holding_state {
	HOLDING_GOOD,
	HOLDING_NONE,
	HOLDING_EXPIRED,
	HOLDING_BAD /* it is there and cannot be used: why says it */
};

enum holding_verdict {
	HOLDING_ACCEPTED,
	HOLDING_REFUSED,
	HOLDING_UNKNOWN /* there is no trust directory to ask */
};

struct holding_credential {
	enum holding_state state;
	char path[PLACE_SIZE];
	struct credential credential; /* empty if NONE or BAD */
	time_t end;		      /* earliest of the chain */
	struct fault why;
	enum holding_verdict verdict;
	struct fault refusal; /* why REFUSED or UNKNOWN */
};

struct holding_ticket {
	enum holding_state state;
	struct krb_ticket ticket;
	struct fault why;
};

/* What is at ${path} (NULL: where the proxy is looked for), at ${now}.
 * holding_clear() the result. */
void holding_proxy(struct holding_credential *h, const char *path, time_t now);

/* The own certificate: its key is looked for, not opened. */
void holding_certificate(struct holding_credential *h, time_t now);

void holding_ticket(struct holding_ticket *h, time_t now);

/**
 * holding_judge(h, store, why, now):
 * Whether a service would accept what is held; a NULL ${store} makes it
 * UNKNOWN for the reason ${why}.
 */
void holding_judge(struct holding_credential *h,
    const struct trust_store *store, const struct fault *why, time_t now);

void holding_clear(struct holding_credential *h);

#endif
