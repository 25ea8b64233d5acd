#ifndef SIGNET_CA_CA_SIGN_CRL_H
#define SIGNET_CA_CA_SIGN_CRL_H

#include "base/buf.h"
#include "base/checked.h"
#include "ledger/ledger.h"
#include "signet-ca/base/ca_dir.h"
#include "x509/crl.h"

#include <time.h>

/*
 * Revocation lists of a CA directory.  The number is taken in the ledger
 * before anything is signed, and the list is filed there before it is handed
 * out; the ledger is not held meanwhile, so a daemon goes on beside it.  A
 * list that was interrupted costs a number and nothing else.
 */
struct fault;

/**
 * ca_sign_crl_at(d, l, moment, der, span, f):
 * Append the DER of a list of ${d} (unlocked) that is made as if it were
 * ${moment}: the certificates that are revoked now, from five minutes before it
 * for the CA's crl-lifetime.  ${span} says which it became.
 */
CHECKED int ca_sign_crl_at(const struct ca_dir *d, struct ledger *l,
    time_t moment, struct buf *der, struct crl_span *span, struct fault *f);

/* How the lists of a CA stand, for those who ask when to make one. */
struct ca_crl_state {
	uint64_t number;    /* of the newest that was filed; 0: none */
	time_t next_update; /* when it ends */
	int days_left;	    /* as crl_days_left() says; -1: time enough */
	bool stale;	    /* revocations have come since */
};
CHECKED int ca_crl_state(struct ledger *l, const struct authority *a,
    time_t now, struct ca_crl_state *state, struct fault *f);

/* Write the list ${der} to ${path} as PEM, a piece at a time.  FAULT_DENIED if
 * the file exists, unless ${replace}. */
CHECKED int ca_crl_write_pem(const char *path, struct wire_bytes der,
    bool replace, struct fault *f);

/* Append the DER of the list at ${path}, which is PEM or DER.  It is not
 * looked into. */
CHECKED int ca_crl_read_file(const char *path, bool is_pem, struct buf *der,
    struct fault *f);

#endif
