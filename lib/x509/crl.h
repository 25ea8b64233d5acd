#ifndef X509_CRL_H
#define X509_CRL_H

#include "base/buf.h"
#include "base/checked.h"
#include "x509/authority.h"

#include <time.h>

/* Certificate revocation lists (RFC 5280 section 5): v2, full, no delta. */
struct fault;

struct crl_entry {
	uint8_t serial[CERT_SERIAL_MAX];
	uint8_t serial_len; /* magnitude, no leading zero */
	uint8_t reason;	    /* RFC 5280 5.3.1; 0 leaves the extension out */
	int64_t when;
};

/* Append a TBSCertList with ${count} entries, which are sorted in place. */
CHECKED int crl_tbs(const struct authority *issuer, struct crl_entry *entries,
    size_t count, uint64_t number, time_t now, struct buf *tbs,
    struct fault *f);

/* What a CRL says.  Bytes are borrowed. */
struct crl {
	struct wire_bytes tbs;
	struct wire_bytes algorithm;
	struct wire_bytes signature;
	struct dn issuer;
	time_t this_update;
	time_t next_update; /* 0: none given */
	uint64_t number;    /* 0: none, or too large to hold */
	struct wire_bytes authority_id;
	struct wire_bytes revoked; /* contents of revokedCertificates */
};
/* Strictly; a delta or indirect CRL is FAULT_UNSUPPORTED. */
CHECKED int crl_read(struct crl *crl, struct wire_bytes der, struct fault *f);

/* Whether ${issuer} signed it. */
CHECKED int crl_check_signature(const struct crl *crl,
    const struct cert *issuer, struct fault *f);

/* 1 and the entry if ${serial} is on the list, 0 if not, -1 if malformed. */
CHECKED int crl_find(const struct crl *crl, struct wire_bytes serial,
    struct crl_entry *entry);

#endif
