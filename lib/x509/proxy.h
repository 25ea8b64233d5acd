#ifndef X509_PROXY_H
#define X509_PROXY_H

#include "base/buf.h"
#include "base/checked.h"
#include "x509/cert.h"
#include "x509/key.h"

/*
 * A credential (certificate, key, chain) and RFC 3820 proxies made from it.
 */
struct fault;

struct credential {
	struct cert_list chain; /* leaf first, no root wanted */
	struct key *key;	/* may be NULL: certificates only */
};

/* From a credential file's text: PEM certificates, leaf first, and a key
 * (before, between or after them).  The key must belong to the leaf. */
CHECKED int credential_read(struct credential *c, const void *pem, size_t len,
    const struct secret *phrase, struct fault *f);

/* Append as grid software expects it: leaf, key, then the chain.  RSA keys
 * are "RSA PRIVATE KEY", EC keys "PRIVATE KEY": the Toolkit refuses a file
 * with "EC PRIVATE KEY". */
CHECKED int credential_write(const struct credential *c, struct buf *out,
    struct fault *f);
void credential_clear(struct credential *c);

struct proxy_wish {
	enum cert_kind kind;	  /* CERT_PROXY_IMPERSONATION, _INDEPENDENT,
				     _LIMITED; the draft and legacy kinds only if the
				     user asks for them by name */
	int64_t lifetime;	  /* seconds from now; 0: to the issuer's end */
	int path_length;	  /* -1: none */
	struct wire_bytes policy; /* RESTRICTED only */
	const char *policy_language; /* dotted, RESTRICTED only */
};

/**
 * proxy_make(from, key, wish, now, out, f):
 * A proxy for the key ${key} (taken over, on success and on failure), signed
 * by ${from}: subject the issuer's plus one CN, a decimal 31-bit number that
 * is its serial as well; proxyCertInfo critical; keyUsage critical
 * digitalSignature and, for RSA, keyEncipherment, never more than the
 * issuer's; notBefore five minutes back, notAfter never past any certificate
 * of the chain.  Limited stays limited; a path length of 0 signs no further;
 * below a draft or legacy proxy the new one is of that generation too.
 */
CHECKED int proxy_make(const struct credential *from, struct key *key,
    const struct proxy_wish *wish, time_t now, struct credential *out,
    struct fault *f);

/* The same for a public key in a request of someone else's (delegation). */
CHECKED int proxy_sign(const struct credential *from, const struct spki *spki,
    const struct proxy_wish *wish, time_t now, struct buf *der,
    struct fault *f);

/* Earliest notAfter of all certificates in ${c}. */
time_t credential_end(const struct credential *c);

#endif
