#ifndef SIGNET_CA_CA_CHANGE_H
#define SIGNET_CA_CA_CHANGE_H

#include "base/checked.h"
#include "base/own.h"
#include "ledger/ledger.h"
#include "x509/cert.h"
#include "x509/profile.h"

#include <stdio.h>

/* The certificate that is renewed, and what the new one changes. */
struct fault;

struct ca_change {
	struct cert *cert; /* owned */
	char profile[PROFILE_NAME_SIZE];
	size_t dns_count;
	const char *dns[CERT_LIST_MAX * 2 + 1]; /* in ${text}; a NULL last */
	size_t mail_count;
	const char *mail[CERT_LIST_MAX * 2 + 1];
	struct buf text;
};

/* Find it in the book of ${ca}.  FAULT_ABSENT if it is not there, FAULT_DENIED
 * if it is revoked.  ca_change_free() the result. */
CHECKED struct ca_change *ca_change_find(const char *ledger, const char *ca,
    const char *serial, struct fault *f);
/* The same of a certificate (PEM) that somebody gave who looked into the
 * book. */
CHECKED struct ca_change *ca_change_read(const char *pem, const char *profile,
    struct fault *f);
void ca_change_free(struct ca_change *c);
OWN_FREE_STRUCT(ca_change, ca_change_free)

/* What is to come; names end with NULL. */
struct ca_next {
	const struct dn *subject;
	const struct spki *spki;
	const char *profile;
	const char *const *dns;
	const char *const *mail;
	time_t not_before;
	time_t not_after; /* 0: whoever signs decides */
};

/* Say what changes, a line each. */
void ca_change_show(const struct ca_change *c, const struct ca_next *next,
    const char *indent, FILE *out);

#endif
