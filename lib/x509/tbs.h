#ifndef X509_TBS_H
#define X509_TBS_H

#include "base/checked.h"
#include "base/wire.h"
#include "x509/authority.h"

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
 * thisUpdate near ${now}, nextUpdate within crl-lifetime and an hour, entries
 * sorted by serial without repetition, only reasonCode on entries, only AKI
 * and cRLNumber on the list.
 */
CHECKED int tbs_check_crl(struct wire_bytes tbs,
    const struct authority *authority, time_t now, struct fault *f);

#endif
