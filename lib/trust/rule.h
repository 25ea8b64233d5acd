#ifndef TRUST_RULE_H
#define TRUST_RULE_H

#include "base/fault.h"
#include "x509/cert.h"

/* What all checks of certificates need: to name one, and its extensions. */

/**
 * rule_broken(f, code, cert, fmt, ...):
 * Record that ${cert} breaks a rule, "/DC=org/CN=a: expired".  Of a long name
 * the end is shown.  Return -1.
 */
int rule_broken(struct fault *f, enum fault_code code, const struct cert *cert,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* One extension (RFC 5280 4.1): OID in dotted form, contents of the OCTET
 * STRING. */
#define RULE_OID_MAX 80
struct rule_extension {
	char oid[RULE_OID_MAX];
	bool critical;
	struct wire_bytes value;
};

/* The extension of ${cert} that begins at *${at} (first 0): 1, 0 at the end,
 * -1 if malformed. */
CHECKED int rule_next_extension(const struct cert *cert, size_t *at,
    struct rule_extension *ext);

/* Whether ${cert} has extension ${oid}, which then is ${ext}. */
bool rule_find_extension(const struct cert *cert, const char *oid,
    struct rule_extension *ext);

#define RULE_BASIC_CONSTRAINTS "2.5.29.19"
#define RULE_NAME_CONSTRAINTS "2.5.29.30"
#define RULE_SUBJECT_ALT_NAME "2.5.29.17"
#define RULE_ISSUER_ALT_NAME "2.5.29.18"
#define RULE_PROXY_CERT_INFO "1.3.6.1.5.5.7.1.14"
#define RULE_PROXY_DRAFT "1.3.6.1.4.1.3536.1.222"

#endif
