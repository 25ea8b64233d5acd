#ifndef TRUST_VERIFY_H
#define TRUST_VERIFY_H

#include "base/checked.h"
#include "trust/store.h"
#include "x509/cert.h"

#include <time.h>

/*
 * Who is the peer?  One verifier for everything: path (RFC 5280 6), proxies
 * (RFC 3820 4), CRLs, signing policies -> identity.  Our own walk over
 * lib/x509, so that it says which rule failed.
 */
struct fault;

struct trust_verdict {
	struct dn identity;		     /* base name: without proxy CNs */
	struct dn issuer;		     /* of the certificate itself, */
	uint8_t serial[CERT_SERIAL_MAX + 1]; /* under its proxies */
	size_t serial_len;
	bool proxy;			   /* a proxy of any kind was shown */
	bool limited;			   /* somewhere in the chain */
	time_t not_after;		   /* earliest of the chain */
	const struct trust_anchor *anchor; /* where it ended */
	size_t depth; /* certificates from leaf to anchor, both counted */
};

#define TRUST_NO_SIGNING_POLICY 0x1u /* do not ask for signing policies */
#define TRUST_SERVER 0x2u	     /* leaf must be usable as TLS server */
#define TRUST_CLIENT 0x4u	     /* leaf must be usable as TLS client */
#define TRUST_CA 0x8u		     /* leaf may be a CA (else it may not) */
#define TRUST_CRL_OPTIONAL 0x10u     /* a CA may be without a CRL */
#define TRUST_NO_LEGACY 0x20u	     /* no proxies named "CN=proxy" */
#define TRUST_NO_DRAFT 0x40u	     /* no proxies from before RFC 3820 */

/* What a site's three settings are as flags, for trust_demand(). */
unsigned trust_flags(bool crl_required, bool legacy_proxies,
    bool draft_proxies);

/**
 * trust_verify(store, chain, now, flags, verdict, f):
 * ${chain} is leaf first, the rest in any order; a root in it is only a hint.
 * FAULT_UNTRUSTED or FAULT_EXPIRED, with the certificate and the rule in the
 * text: expired, not yet valid, CRL expired, revoked, no signing policy, name
 * outside signing policy, proxy path length, unknown critical extension...
 * A CA without a CRL lets nobody in, unless the directory or the flags say that
 * it needs none; one with an expired or bad CRL never does.  FAULT_BUSY if it
 * takes a CRL that is not read yet: only of stores that are patient (store.h).
 */
CHECKED int trust_verify(const struct trust_store *store,
    const struct cert_list *chain, time_t now, unsigned flags,
    struct trust_verdict *verdict, struct fault *f);

/**
 * trust_explain(store, chain, now, flags, to, verdict, f):
 * The same, telling the way: for each certificate of the path that was taken,
 * or was tried and went furthest, ${to} hears of it, and then of each rule,
 * whether it is kept, in words.  Signatures along the path are good.
 */
struct trust_path;
struct trust_listener {
	void (*certificate)(void *arg, const struct trust_path *path, size_t i);
	void (*rule)(void *arg, const char *name, const char *text, bool good);
	void *arg;
};
CHECKED int trust_explain(const struct trust_store *store,
    const struct cert_list *chain, time_t now, unsigned flags,
    const struct trust_listener *to, struct trust_verdict *verdict,
    struct fault *f);

/**
 * trust_check_host(cert, host, f):
 * RFC 2818: ${host} equals a dNSName (a wildcard covers one leftmost label),
 * or an iPAddress if it is an address; only without any dNSName the last CN,
 * of which "host/name" and "myproxy/name" forms count as name.
 * FAULT_UNTRUSTED says which names there are.
 */
CHECKED int trust_check_host(const struct cert *cert, const char *host,
    struct fault *f);

#endif
