#ifndef X509_MINT_H
#define X509_MINT_H

#include "base/buf.h"
#include "base/checked.h"
#include "x509/authority.h"
#include "x509/profile.h"

#include <time.h>

/*
 * Profile + issuer + subject + key -> TBSCertificate, by appending bytes, not
 * by OpenSSL's objects (facts: BASELINES 3).  What is made here is signed
 * only after tbs_check has read it back.
 */
struct fault;

struct mint {
	const struct profile *profile;
	const struct authority *issuer; /* NULL: self-signed, by ${spki} */
	struct dn subject;
	const uint8_t *serial; /* magnitude */
	size_t serial_len;
	time_t not_before;
	time_t not_after;
	struct spki spki;
	const char *const *dns_names; /* NULL-terminated, or NULL */
	const char *const *emails;
	enum key_kind signer_kind; /* of the key that will sign */
};

/**
 * mint_times(profile, issuer, now, asked, not_before, not_after, f):
 * ${asked} seconds (0: the profile's default) cut to the profile's maximum,
 * the authority's ceiling and the issuer's own notAfter.  The lifetime counts
 * from ${now}; notAfter - notBefore never passes max-lifetime.
 * FAULT_EXPIRED if the issuer has less than a minute to live.
 */
CHECKED int mint_times(const struct profile *profile,
    const struct authority *issuer, time_t now, int64_t asked,
    time_t *not_before, time_t *not_after, struct fault *f);

/* Append the TBSCertificate.  Every extension of PROFILES section 4. */
CHECKED int mint_tbs(const struct mint *m, struct buf *tbs, struct fault *f);

/* Append SEQUENCE { tbs, algorithm of ${kind}, signature }: a certificate or
 * a CRL. */
CHECKED int mint_finish(struct wire_bytes tbs, enum key_kind kind,
    struct wire_bytes signature, struct buf *out, struct fault *f);

/* A random serial: 159 bits (RFC 5280 4.1.2.2: at most 20 octets, positive). */
#define MINT_SERIAL_SIZE 20
void mint_random_serial(uint8_t serial[MINT_SERIAL_SIZE]);

#endif
