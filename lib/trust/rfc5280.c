#include "trust/rfc5280.h"

#include "base/clock.h"
#include "trust/rule.h"
#include "trust/verify.h"
#include "x509/der.h"

#include <string.h>

#define LEAST_RSA 2048

/*
 * Critical extensions that are honoured, and where.  Policies need no
 * honouring as long as nobody demands one (RFC 5280 6.1.5 g), so those who do,
 * by policyConstraints, are refused.
 */
enum place {
	ANYWHERE,
	IN_CA,
	IN_PROXY
};

static const struct {
	const char *oid;
	enum place place;
} honoured[] = {
	{ "2.5.29.14", ANYWHERE }, /* subjectKeyIdentifier */
	{ "2.5.29.15", ANYWHERE }, /* keyUsage */
	{ RULE_SUBJECT_ALT_NAME, ANYWHERE },
	{ RULE_ISSUER_ALT_NAME, ANYWHERE },
	{ RULE_BASIC_CONSTRAINTS, ANYWHERE },
	{ RULE_NAME_CONSTRAINTS, IN_CA },
	{ "2.5.29.31", ANYWHERE }, /* cRLDistributionPoints */
	{ "2.5.29.32", ANYWHERE }, /* certificatePolicies */
	{ "2.5.29.33", IN_CA },	   /* policyMappings */
	{ "2.5.29.35", ANYWHERE }, /* authorityKeyIdentifier */
	{ "2.5.29.37", ANYWHERE }, /* extendedKeyUsage */
	{ "2.5.29.54", IN_CA },	   /* inhibitAnyPolicy */
	{ RULE_PROXY_CERT_INFO, IN_PROXY },
	{ RULE_PROXY_DRAFT, IN_PROXY },
};

static bool
is_honoured(const struct cert *cert, const char *oid)
{
	for (size_t i = 0; i < sizeof(honoured) / sizeof(honoured[0]); i++) {
		if (strcmp(honoured[i].oid, oid) != 0)
			continue;
		return honoured[i].place == ANYWHERE ||
		    (honoured[i].place == IN_CA && cert->kind == CERT_CA) ||
		    (honoured[i].place == IN_PROXY && cert_is_proxy(cert));
	}
	return false;
}

static int
check_extensions(const struct cert *cert, struct fault *f)
{
	struct rule_extension ext;
	size_t at = 0;
	int more;

	while ((more = rule_next_extension(cert, &at, &ext)) == 1)
		if (ext.critical && !is_honoured(cert, ext.oid))
			return rule_broken(f, FAULT_UNTRUSTED, cert,
			    "critical extension %s is not known here "
			    "(RFC 5280 4.2)",
			    ext.oid);
	if (more < 0)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "malformed extensions");
	return 0;
}

static int
check_times(const struct cert *cert, time_t now, struct fault *f)
{
	char when[CLOCK_TEXT_SIZE];

	/* The last second is lost to OpenSSL's peers, so to ours as well. */
	if (now >= cert->not_after) {
		clock_text(cert->not_after, when);
		return rule_broken(f, FAULT_EXPIRED, cert, "expired at %s",
		    when);
	}
	if (now < cert->not_before) {
		clock_text(cert->not_before, when);
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "not yet valid, only from %s on", when);
	}
	return 0;
}

static int
check_key(const struct cert *cert, struct fault *f)
{
	if (cert->spki.kind == KEY_RSA && cert->spki.size < LEAST_RSA)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "its RSA key has %u bits, the least is %d", cert->spki.size,
		    LEAST_RSA);
	return 0;
}

/* An extendedKeyUsage binds the certificate and, in a CA, all below it. */
static int
check_purpose(const struct cert *cert, unsigned flags, struct fault *f)
{
	if (!cert->has_eku)
		return 0;
	if ((flags & TRUST_SERVER) != 0 &&
	    (cert->eku & CERT_EKU_SERVER_AUTH) == 0)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "its extendedKeyUsage lacks serverAuth");
	if ((flags & TRUST_CLIENT) != 0 &&
	    (cert->eku & CERT_EKU_CLIENT_AUTH) == 0)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "its extendedKeyUsage lacks clientAuth");
	return 0;
}

/* The leaf's own key usage; old RSA hosts may have keyEncipherment only. */
static int
check_leaf(const struct cert *leaf, unsigned flags, struct fault *f)
{
	unsigned any = CERT_KU_DIGITAL_SIGNATURE;

	if ((flags & TRUST_SERVER) != 0)
		any |= CERT_KU_KEY_ENCIPHERMENT;
	if ((flags & (TRUST_SERVER | TRUST_CLIENT)) != 0 &&
	    leaf->has_key_usage && (leaf->key_usage & any) == 0)
		return rule_broken(f, FAULT_UNTRUSTED, leaf,
		    "its keyUsage does not allow TLS");
	return 0;
}

/* How many CAs below index ${ca} count against its path length: all but the
 * last certificate and self-issued ones (RFC 5280 4.2.1.9). */
static int
cas_below(const struct trust_path *path, size_t ca)
{
	int count = 0;

	for (size_t i = path->eec + 1; i < ca; i++)
		if (!cert_is_self_issued(path->cert[i]))
			count++;
	return count;
}

/* RFC 5280 6.1.4 (k) to (n). */
static int
check_ca(const struct trust_path *path, size_t i, struct fault *f)
{
	const struct cert *ca = path->cert[i];
	struct rule_extension ext;

	if (ca->kind != CERT_CA || !ca->ca)
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "issues certificates and is not a CA");
	if (!rule_find_extension(ca, RULE_BASIC_CONSTRAINTS, &ext) ||
	    !ext.critical)
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "its basicConstraints are not critical "
		    "(RFC 5280 4.2.1.9)");
	if (ca->has_key_usage && (ca->key_usage & CERT_KU_KEY_CERT_SIGN) == 0)
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "its key may not sign certificates (RFC 5280 4.2.1.3)");
	if (ca->path_length >= 0 && cas_below(path, i) > ca->path_length)
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "more CAs below it than its path length of %d",
		    ca->path_length);
	return 0;
}

static int
check_end(const struct trust_path *path, unsigned flags, struct fault *f)
{
	const struct cert *end = path->cert[path->eec];

	if (end->kind == CERT_EEC && end->has_key_usage &&
	    (end->key_usage & CERT_KU_KEY_CERT_SIGN) != 0)
		return rule_broken(f, FAULT_UNTRUSTED, end,
		    "an end entity with the key usage of a CA "
		    "(RFC 5280 4.2.1.9)");
	if (end->kind != CERT_CA)
		return 0;
	if ((flags & TRUST_CA) == 0)
		return rule_broken(f, FAULT_UNTRUSTED, end,
		    "a CA where an end entity should be");
	return 0;
}

int
rfc5280_role(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	if (i == path->eec && check_end(path, q->flags, f) < 0)
		return -1;
	return i == 0 ? check_leaf(path->cert[0], q->flags, f) : 0;
}

int
rfc5280_dates(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	return check_times(path->cert[i], q->now, f);
}

int
rfc5280_extensions(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	(void)q;
	return check_extensions(path->cert[i], f);
}

int
rfc5280_key(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	(void)q;
	return check_key(path->cert[i], f);
}

int
rfc5280_purpose(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	return check_purpose(path->cert[i], q->flags, f);
}

int
rfc5280_ca(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	(void)q;
	return i > path->eec ? check_ca(path, i, f) : 0;
}
