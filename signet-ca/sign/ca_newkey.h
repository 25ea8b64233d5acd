#ifndef SIGNET_CA_CA_NEWKEY_H
#define SIGNET_CA_CA_NEWKEY_H

#include "base/buf.h"
#include "base/checked.h"
#include "x509/dn.h"
#include "x509/key.h"

#include <limits.h>
#include <stdbool.h>

/*
 * A key that is made together with its certificate.  It lies in
 * PATH.unfinished, mode 0600, until the certificate is written, and gets its
 * name then.  A command that was interrupted finds it there when it is run
 * again, and the certificate, if the ledger has one.
 */
struct fault;

struct ca_newkey {
	char path[PATH_MAX];
	char temporary[PATH_MAX];
	struct key *key; /* owned; NULL until ca_newkey_begin() */
	int lock;	 /* descriptor of ${temporary} */
	bool left;	 /* an interrupted command made it */
};

/* Whether an interrupted command left the key of ${path}; NULL: no. */
bool ca_newkey_left(const char *path);

/* Make a key of ${kind}, or take over what was left.  FAULT_DENIED if ${path}
 * is there, FAULT_BUSY while another makes it.  End by one of the two below;
 * all zeroes need neither. */
CHECKED int ca_newkey_begin(struct ca_newkey *k, const char *path,
    const char *kind, struct fault *f);

/* 1 if ${ca} certified the key for ${subject} before it was interrupted: ${der}
 * gets the certificate, from ${ledger}.  0 if not; FAULT_DENIED if it has one
 * of another subject. */
CHECKED int ca_newkey_certificate(const struct ca_newkey *k, const char *ledger,
    const char *ca, const struct dn *subject, struct buf *der, struct fault *f);

/* The certificate is where it belongs: the key gets its name. */
CHECKED int ca_newkey_end(struct ca_newkey *k, struct fault *f);

/* Free all; ${keep} the file of one that is certified already, and take away
 * that of one that was made now and is not. */
void ca_newkey_clear(struct ca_newkey *k, bool keep);

#endif
