#ifndef OFFICE_ASKED_H
#define OFFICE_ASKED_H

#include "base/checked.h"
#include "base/wire.h"
#include "x509/csr.h"
#include "x509/profile.h"

/* The extensions that a PKCS#10 request asks for (RFC 2985 5.4.2). */
struct fault;

#define ASKED_NAMES_MAX 128

struct asked_name {
	bool mail; /* an rfc822Name; else a dNSName */
	struct wire_bytes text;
};

struct asked {
	size_t count;
	struct asked_name name[ASKED_NAMES_MAX]; /* borrowed from the request */
	bool ca;
	int path_length;  /* -1: none */
	unsigned usage;	  /* CERT_KU_ bits */
	unsigned purpose; /* CERT_EKU_ bits */
};

/**
 * asked_read(a, csr, f):
 * Names in subjectAltName, basicConstraints, keyUsage and extKeyUsage;
 * subjectKeyIdentifier is passed over, since it is made anew, as are attributes
 * that ask for no extension.  FAULT_INPUT if it is malformed; FAULT_DENIED,
 * which names it, for a name of another kind, another purpose and any other
 * extension.
 */
CHECKED int asked_read(struct asked *a, const struct csr *csr, struct fault *f);

/* FAULT_DENIED, saying what, for what ${profile} does not give, and for a name
 * that is neither in ${dns} nor in ${emails} (NULL-terminated). */
CHECKED int asked_check(const struct asked *a, const struct profile *profile,
    const char *const *dns, const char *const *emails, struct fault *f);

#endif
