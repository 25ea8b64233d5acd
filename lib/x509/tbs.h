#ifndef X509_TBS_H
#define X509_TBS_H

#include "base/checked.h"
#include "base/wire.h"
#include "x509/authority.h"
#include "x509/der.h"

#include <time.h>

/*
 * The last gate before a signature: a small strict reader of what is to be
 * signed.  Whatever it does not understand, wholly and to the last byte, is
 * not signed.  It shares der.c with the rest and nothing else that writes.
 */
struct fault;

/**
 * tbs_check(tbs, authority, now, f):
 * ${tbs} is a v3 TBSCertificate that ${authority} may sign: its own issuer
 * name and signature algorithm byte for byte; serial positive, at most 20
 * octets; notBefore no more than an hour past ${now} nor a day before it, life
 * within the ceiling, notAfter not past the authority's; subject below its
 * name space; an RSA (2048 or more) or P-256/P-384 key; only extensions we
 * know, each once, with the criticality of the profile table; basicConstraints
 * present and matching the authority's kind; keyUsage and purposes within what
 * it may certify; authorityKeyIdentifier its own key.  FAULT_DENIED names the
 * rule.
 */
CHECKED int tbs_check(struct wire_bytes tbs, const struct authority *authority,
    time_t now, struct fault *f);

/**
 * tbs_check_crl(tbs, authority, now, f):
 * ${tbs} is a v2 TBSCertList of ${authority}: issuer and algorithm its own,
 * thisUpdate no more than two days past ${now} nor one before it, nextUpdate
 * within crl-lifetime and an hour, number of at most 64 bits, entries
 * sorted by serial without repetition, only reasonCode on entries, only AKI
 * and cRLNumber on the list.
 */
CHECKED int tbs_check_crl(struct wire_bytes tbs,
    const struct authority *authority, time_t now, struct fault *f);

/*
 * The same, a piece at a time, for lists of a million and a process that has
 * more to do.  ${tbs} and ${authority} are borrowed until the end and must not
 * change; a ${sum} may be set after tbs_crl_open, and is borrowed too.  What is
 * found (times, number, how many entries) counts only when tbs_crl_step has
 * said 0.
 */
#define TBS_CRL_AHEAD 172800 /* how far thisUpdate may lie in the future */

struct crl_sum;
struct tbs_crl {
	struct crl_sum *sum; /* each entry is added to it; NULL: to none */
	const struct authority *authority;
	time_t now;
	struct der_in entries; /* that have not been read yet */
	struct der_in rest;    /* what follows them */
	struct wire_bytes last;
	time_t this_update;
	time_t next_update;
	uint64_t number;
	size_t count;
};
CHECKED int tbs_crl_open(struct tbs_crl *c, struct wire_bytes tbs,
    const struct authority *authority, time_t now, struct fault *f);
/* Read up to ${most} entries: 1 if there is more to read, 0 at the end, when
 * all of it may be signed. */
CHECKED int tbs_crl_step(struct tbs_crl *c, size_t most, struct fault *f);

#endif
