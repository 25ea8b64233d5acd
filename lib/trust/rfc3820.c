#include "trust/rfc3820.h"

#include "trust/rule.h"
#include "trust/verify.h"
#include "x509/der.h"

#include <string.h>

enum generation {
	NO_PROXY,
	RFC,
	DRAFT,
	LEGACY
};

static enum generation
generation_of(enum cert_kind kind)
{
	switch (kind) {
	case CERT_CA:
	case CERT_EEC:
		return NO_PROXY;
	case CERT_PROXY_IMPERSONATION:
	case CERT_PROXY_INDEPENDENT:
	case CERT_PROXY_LIMITED:
	case CERT_PROXY_RESTRICTED:
		return RFC;
	case CERT_PROXY_DRAFT:
	case CERT_PROXY_DRAFT_INDEPENDENT:
	case CERT_PROXY_DRAFT_LIMITED:
	case CERT_PROXY_DRAFT_RESTRICTED:
		return DRAFT;
	case CERT_PROXY_LEGACY:
	case CERT_PROXY_LEGACY_LIMITED:
		return LEGACY;
	}
	return NO_PROXY;
}

/* Whether the last RDN of ${dn} is one attribute, a CN. */
static bool
ends_in_cn(const struct dn *dn)
{
	static const uint8_t cn[] = { 0x55, 0x04, 0x03 };
	struct der_in name = DER_IN(dn->der, dn->len);
	struct der_in rdns = der_enter(&name, DER_SEQUENCE);
	struct der_in rdn = { 0 };
	struct der_in attribute;

	while (rdns.left > 0 && !rdns.failed)
		rdn = der_enter(&rdns, DER_SET);
	attribute = der_enter(&rdn, DER_SEQUENCE);
	return der_bytes_equal(der_get(&attribute, DER_OID),
		   (struct wire_bytes){ cn, sizeof(cn) }) &&
	    !attribute.failed && der_ended(&rdn) && der_ended(&rdns);
}

/* RFC 3820 3.4: the issuer's subject with one CN more. */
static int
check_name(const struct cert *proxy, const struct cert *issuer, struct fault *f)
{
	struct dn parent;

	if (!ends_in_cn(&proxy->subject) ||
	    !dn_parent(&proxy->subject, &parent) ||
	    !dn_equal(&parent, &issuer->subject))
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "a proxy's name is its issuer's with one CN more "
		    "(RFC 3820 3.4)");
	return 0;
}

static int
check_fields(const struct cert *proxy, struct fault *f)
{
	struct rule_extension ext;

	if (proxy->kind == CERT_PROXY_RESTRICTED ||
	    proxy->kind == CERT_PROXY_DRAFT_RESTRICTED)
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "a proxy restricted by a policy that is not known here "
		    "(RFC 3820 3.8.2)");
	if (proxy->ca)
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "a proxy that is a CA (RFC 3820 3.7)");
	if (proxy->has_key_usage &&
	    (proxy->key_usage & CERT_KU_KEY_CERT_SIGN) != 0)
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "a proxy with the key usage of a CA (RFC 3820 3.6)");
	if (generation_of(proxy->kind) == LEGACY)
		return 0;
	/* Who does not know the extension must not take it for a person. */
	if ((rule_find_extension(proxy, RULE_PROXY_CERT_INFO, &ext) ||
		rule_find_extension(proxy, RULE_PROXY_DRAFT, &ext)) &&
	    !ext.critical)
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "its proxyCertInfo is not critical (RFC 3820 3.8)");
	if (rule_find_extension(proxy, RULE_SUBJECT_ALT_NAME, &ext) ||
	    rule_find_extension(proxy, RULE_ISSUER_ALT_NAME, &ext))
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "a proxy with another name (RFC 3820 3.2, 3.5)");
	return 0;
}

/* What the issuer of a proxy, itself an end entity or a proxy, must be. */
static int
check_issuer(const struct cert *proxy, const struct cert *issuer,
    struct fault *f)
{
	enum generation above = generation_of(issuer->kind);
	unsigned needed;

	if (issuer->kind == CERT_CA)
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "a proxy issued by a CA (RFC 3820 3.1)");
	if (above != NO_PROXY && above != generation_of(proxy->kind))
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "proxies of different generations in one chain");
	/* To X.509 a legacy proxy is but a certificate. */
	needed = generation_of(proxy->kind) == LEGACY
	    ? CERT_KU_KEY_CERT_SIGN
	    : CERT_KU_DIGITAL_SIGNATURE;
	if (issuer->has_key_usage && (issuer->key_usage & needed) == 0)
		return rule_broken(f, FAULT_UNTRUSTED, issuer,
		    "its key may not sign such a proxy (RFC 3820 3.6)");
	return 0;
}

/* What the site does not want to see any more. */
static int
check_generation(const struct cert *proxy, unsigned flags, struct fault *f)
{
	enum generation g = generation_of(proxy->kind);

	if ((g == LEGACY && (flags & TRUST_NO_LEGACY) != 0) ||
	    (g == DRAFT && (flags & TRUST_NO_DRAFT) != 0))
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "a %s proxy, which is not accepted here: make one of RFC "
		    "3820",
		    g == LEGACY ? "legacy" : "draft");
	return 0;
}

int
rfc3820_proxy(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	const struct cert *proxy = path->cert[i];

	/* A path that broke off above its last proxy shows no issuer. */
	if (i >= path->eec && !(cert_is_proxy(proxy) && i + 1 < path->count))
		return 0;
	if (check_generation(proxy, q->flags, f) < 0 ||
	    check_issuer(proxy, path->cert[i + 1], f) < 0 ||
	    check_name(proxy, path->cert[i + 1], f) < 0 ||
	    check_fields(proxy, f) < 0)
		return -1;
	/* ${i} proxies stand below this one. */
	if (proxy->path_length >= 0 && i > (size_t)proxy->path_length)
		return rule_broken(f, FAULT_UNTRUSTED, proxy,
		    "more proxies below it than its path length of %d "
		    "(RFC 3820 3.8.1)",
		    proxy->path_length);
	return 0;
}
