/* What a certificate is: CA, end entity, or one of the many proxies. */
#include "base/fault.h"
#include "x509/cert_part.h"

#include <string.h>

#define NAME_SIZE 16 /* for the longer of Globus's two names */

static const uint8_t cn_oid[] = { 0x55, 0x04, 0x03 };

static const char *const texts[] = {
	[CERT_CA] = "CA certificate",
	[CERT_EEC] = "end entity credential",
	[CERT_PROXY_IMPERSONATION] = "RFC 3820 compliant impersonation proxy",
	[CERT_PROXY_INDEPENDENT] = "RFC 3820 compliant independent proxy",
	[CERT_PROXY_LIMITED] = "RFC 3820 compliant limited proxy",
	[CERT_PROXY_RESTRICTED] = "RFC 3820 compliant restricted proxy",
	[CERT_PROXY_DRAFT] =
	    "Proxy draft (pre-RFC) compliant impersonation proxy",
	[CERT_PROXY_DRAFT_INDEPENDENT] =
	    "Proxy draft (pre-RFC) compliant independent proxy",
	[CERT_PROXY_DRAFT_LIMITED] =
	    "Proxy draft (pre-RFC) compliant limited proxy",
	[CERT_PROXY_DRAFT_RESTRICTED] =
	    "Proxy draft (pre-RFC) compliant restricted proxy",
	[CERT_PROXY_LEGACY] = "full legacy globus proxy",
	[CERT_PROXY_LEGACY_LIMITED] = "limited legacy globus proxy",
};

/* Policy languages (RFC 3820 3.8.2, and Globus's own for limited). */
static const struct {
	const char *oid;
	enum cert_kind rfc;
	enum cert_kind draft;
} languages[] = {
	{ "\x2b\x06\x01\x05\x05\x07\x15\x01", CERT_PROXY_IMPERSONATION,
	    CERT_PROXY_DRAFT },
	{ "\x2b\x06\x01\x05\x05\x07\x15\x02", CERT_PROXY_INDEPENDENT,
	    CERT_PROXY_DRAFT_INDEPENDENT },
	{ "\x2b\x06\x01\x04\x01\x9b\x50\x01\x01\x01\x09", CERT_PROXY_LIMITED,
	    CERT_PROXY_DRAFT_LIMITED },
};

const char *
cert_kind_text(enum cert_kind kind)
{
	return texts[kind];
}

bool
cert_is_proxy(const struct cert *cert)
{
	return cert->kind != CERT_CA && cert->kind != CERT_EEC;
}

bool
cert_is_limited(const struct cert *cert)
{
	return cert->kind == CERT_PROXY_LIMITED ||
	    cert->kind == CERT_PROXY_DRAFT_LIMITED ||
	    cert->kind == CERT_PROXY_LEGACY_LIMITED;
}

bool
cert_is_self_issued(const struct cert *cert)
{
	return dn_equal(&cert->subject, &cert->issuer);
}

static enum cert_kind
kind_of_language(struct wire_bytes oid, bool draft)
{
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (strlen(languages[i].oid) == oid.len &&
		    memcmp(languages[i].oid, oid.data, oid.len) == 0)
			return draft ? languages[i].draft : languages[i].rfc;
	return draft ? CERT_PROXY_DRAFT_RESTRICTED : CERT_PROXY_RESTRICTED;
}

/* Globus's first proxies had no extension: their name says it, and their
 * issuer is that name without its last CN. */
static enum cert_kind
kind_by_name(const struct cert *cert)
{
	struct dn_walk walk = dn_walk(&cert->subject);
	struct dn_ava ava = { .tag = 0 }, last = { .tag = 0 };
	char name[NAME_SIZE];
	struct dn parent;

	while (dn_walk_next(&walk, &ava))
		last = ava;
	/* Were it not the first of its RDN, that would hold others as well. */
	if (!last.first || last.oid.len != sizeof(cn_oid) ||
	    memcmp(last.oid.data, cn_oid, sizeof(cn_oid)) != 0 ||
	    dn_ava_text(&last, name, sizeof(name)) < 0 ||
	    !dn_parent(&cert->subject, &parent) ||
	    !dn_equal(&parent, &cert->issuer))
		return CERT_EEC;
	if (strcmp(name, "proxy") == 0)
		return CERT_PROXY_LEGACY;
	return strcmp(name, "limited proxy") == 0 ? CERT_PROXY_LEGACY_LIMITED
						  : CERT_EEC;
}

int
cert_set_kind(struct cert *cert, const struct cert_proxy_info *info,
    struct fault *f)
{
	if (info->rfc && info->draft)
		return fault_set(f, FAULT_INPUT,
		    "a proxy both of RFC 3820 and of its draft");
	if ((info->rfc || info->draft) && cert->ca)
		return fault_set(f, FAULT_INPUT,
		    "RFC 3820 3.7: a proxy that is a CA");
	if (info->rfc || info->draft) {
		cert->kind = kind_of_language(info->language, info->draft);
		cert->path_length = info->path_length;
		return 0;
	}
	if (cert->version == 1 && cert_is_self_issued(cert))
		cert->ca = true;
	cert->kind = cert->ca ? CERT_CA : kind_by_name(cert);
	return 0;
}

/* The certificate of ${chain} whose subject is ${name}, or NULL. */
static const struct cert *
find(const struct cert_list *chain, const struct dn *name)
{
	for (size_t i = 0; i < chain->count; i++)
		if (dn_equal(&chain->cert[i]->subject, name))
			return chain->cert[i];
	return NULL;
}

/* Not the name of whoever signed it: that much was not delegated. */
static bool
stands_for_itself(enum cert_kind kind)
{
	return kind == CERT_PROXY_INDEPENDENT ||
	    kind == CERT_PROXY_RESTRICTED ||
	    kind == CERT_PROXY_DRAFT_INDEPENDENT ||
	    kind == CERT_PROXY_DRAFT_RESTRICTED;
}

int
cert_identity(const struct cert *leaf, const struct cert_list *chain,
    struct dn *identity, struct fault *f)
{
	const struct cert *cert = leaf;

	/* No walk is longer than the chain, whatever the names say. */
	for (size_t i = 0; i <= chain->count && cert != NULL; i++) {
		if (!cert_is_proxy(cert) || stands_for_itself(cert->kind)) {
			*identity = cert->subject;
			return 0;
		}
		cert = find(chain, &cert->issuer);
	}
	return fault_set(f, FAULT_INPUT,
	    "the certificate that a proxy was made from is missing");
}
