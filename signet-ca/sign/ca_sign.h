#ifndef SIGNET_CA_CA_SIGN_H
#define SIGNET_CA_CA_SIGN_H

#include "base/buf.h"
#include "base/checked.h"
#include "signet-ca/base/ca_dir.h"
#include "x509/crl.h"
#include "x509/mint.h"

/*
 * What the office signs: every certificate is in the ledger before anyone
 * sees it, and everything passes tbs_check before the key touches it.
 */
struct fault;

struct ca_wish {
	const struct profile *profile;
	const struct authority *issuer; /* NULL: signs itself */
	const struct key *key;		/* the issuer's */
	const char *name;		/* of the CA, in the ledger */
	const char *ledger;		/* path */
	const struct dn *subject;
	const struct spki *spki;
	const char *const *dns_names;
	const char *const *emails;
	int64_t lifetime;    /* seconds; 0: as the profile says */
	const char *request; /* identifier of what it answers, or NULL */
};

/* Who sits at the keyboard, for the book: sudo's user if there is one. */
const char *ca_sign_operator(void);

/* Append the certificate's DER.  What came to nothing after its serial was
 * taken is void in the ledger.  FAULT_DENIED or FAULT_BUSY if ${w->request} has
 * a certificate or is about to have one.  FAULT_SUSPENDED: the key's token
 * went; what it signed in that moment is revoked in the ledger, and nobody gets
 * it. */
CHECKED int ca_sign(const struct ca_wish *w, struct buf *der, struct fault *f);

/* Append the DER of a new CRL of ${d} (unlocked), its number and entries from
 * the ledger at ${ledger}, where it is filed. */
CHECKED int ca_sign_crl(const struct ca_dir *d, const char *ledger,
    struct buf *der, struct fault *f);

#endif
