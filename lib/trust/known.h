#ifndef TRUST_KNOWN_H
#define TRUST_KNOWN_H

#include "base/own.h"
#include "x509/cert.h"
#include "x509/crl_index.h"

/*
 * Signatures that were found good, so that they need not be checked again: of
 * CAs' certificates and of CRLs, never of people's.  What is kept is a SHA-256
 * of all that the signature depends on, data, signature and key, so that an
 * entry can never become wrong; dates, revocation and every other rule are not
 * of this kind and are asked each time.  At most 4096 of them (128 KiB); when
 * the place of one is wanted for another it goes.  They live as long as the
 * stores that share them, usually as long as the process.
 */
struct fault;
struct known;

CHECKED struct known *known_new(struct fault *f);
struct known *known_hold(struct known *k); /* one user more */
void known_free(struct known *k);	   /* one less */

/* As cert_check_signature and crl_index_check, and as fast as one hash when it
 * was done before. */
CHECKED int known_check_cert(struct known *k, const struct cert *cert,
    const struct cert *issuer, struct fault *f);
CHECKED int known_check_crl(struct known *k, const struct crl_index *crl,
    const struct cert *issuer, struct fault *f);

OWN_FREE_STRUCT(known, known_free)

#endif
