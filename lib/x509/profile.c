#include "x509/profile.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/cert.h"
#include "x509/dn.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct conf_item items[] = {
#define CONF(field, keyword, TYPE, fallback, min, max, doc)                \
	{ keyword, CONF_TYPE_##TYPE, offsetof(struct profile_conf, field), \
		fallback, min, max, doc },
#include "x509/profile.def"
#undef CONF
};

const struct conf_schema profile_schema = { "profile", items, COUNT_OF(items) };

struct bit {
	const char *name;
	unsigned bit;
};

static const struct bit usages[] = {
	{ "digitalSignature", CERT_KU_DIGITAL_SIGNATURE },
	{ "nonRepudiation", CERT_KU_NON_REPUDIATION },
	{ "keyEncipherment", CERT_KU_KEY_ENCIPHERMENT },
	{ "dataEncipherment", CERT_KU_DATA_ENCIPHERMENT },
	{ "keyCertSign", CERT_KU_KEY_CERT_SIGN },
	{ "cRLSign", CERT_KU_CRL_SIGN },
};

static const struct bit purposes[] = {
	{ "serverAuth", CERT_EKU_SERVER_AUTH },
	{ "clientAuth", CERT_EKU_CLIENT_AUTH },
	{ "emailProtection", CERT_EKU_EMAIL },
};

/*
 * Two policies of one arc contradict each other, and consumers then drop all
 * of them (facts: PROFILES 2): the IGTF authentication profile, the entity
 * kind, the level of assurance.
 */
static const char *const exclusive_arcs[] = {
	"1.2.840.113612.5.2.2.",
	"1.2.840.113612.5.2.3.3.",
	"1.2.840.113612.5.2.5.",
};

static int
read_bits(const conf_list *names, const struct bit *table, size_t count,
    const char *what, unsigned *bits, struct fault *f)
{
	unsigned found = 0;

	for (size_t i = 0; i < names->count; i++) {
		unsigned bit = 0;

		for (size_t j = 0; j < count; j++)
			if (strcmp(names->item[i], table[j].name) == 0)
				bit = table[j].bit;
		if (bit == 0)
			return fault_set(f, FAULT_CONFIG, "unknown %s \"%s\"",
			    what, names->item[i]);
		if ((found & bit) != 0)
			return fault_set(f, FAULT_CONFIG,
			    "%s %s is given twice", what, names->item[i]);
		found |= bit;
	}
	*bits = found;
	return 0;
}

int
profile_usage_read(const conf_list *names, unsigned *bits, struct fault *f)
{
	return read_bits(names, usages, COUNT_OF(usages), "usage", bits, f);
}

int
profile_purpose_read(const conf_list *names, unsigned *bits, struct fault *f)
{
	return read_bits(names, purposes, COUNT_OF(purposes), "purpose", bits,
	    f);
}

bool
profile_url_good(const char *text)
{
	if (!text_starts(text, "http://") || strlen(text) < 8)
		return false;
	return text_printable(text) && strpbrk(text, " \"'<>\\^`{|}") == NULL;
}

/* One arc of an OID: digits without a leading zero, small enough for every
 * reader.  The first character after it, or NULL. */
static const char *
skip_arc(const char *s, unsigned long *value)
{
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 9 || (n > 1 && *s == '0'))
		return NULL;
	*value = 0;
	for (size_t i = 0; i < n; i++)
		*value = *value * 10 + (unsigned long)(s[i] - '0');
	return s + n;
}

/* X.660: the first arc is 0, 1 or 2, and under 0 and 1 the second below 40. */
bool
profile_oid_good(const char *text)
{
	unsigned long arc[2] = { 0 }, value = 0;
	size_t count = 0;

	for (const char *s = text;; s++) {
		if ((s = skip_arc(s, &value)) == NULL || count == 20)
			return false;
		if (count < 2)
			arc[count] = value;
		count++;
		if (*s == '\0')
			break;
		if (*s != '.')
			return false;
	}
	return count >= 2 && arc[0] <= 2 && (arc[0] == 2 || arc[1] < 40);
}

static int
check_policies(const conf_list *policy, struct fault *f)
{
	size_t seen[COUNT_OF(exclusive_arcs)] = { 0 };

	for (size_t i = 0; i < policy->count; i++) {
		const char *oid = policy->item[i];

		if (!profile_oid_good(oid))
			return fault_set(f, FAULT_CONFIG,
			    "policy is no object identifier: \"%s\"", oid);
		for (size_t j = 0; j < i; j++)
			if (strcmp(policy->item[j], oid) == 0)
				return fault_set(f, FAULT_CONFIG,
				    "policy %s is given twice", oid);
		for (size_t j = 0; j < COUNT_OF(seen); j++)
			if (text_starts(oid, exclusive_arcs[j]) &&
			    seen[j]++ > 0)
				return fault_set(f, FAULT_CONFIG,
				    "two policies under %s contradict",
				    exclusive_arcs[j]);
	}
	return 0;
}

static int
check_urls(const struct profile_conf *conf, struct fault *f)
{
	const char *bad = NULL;

	for (size_t i = 0; i < conf->crl_url.count; i++)
		if (!profile_url_good(conf->crl_url.item[i]))
			bad = conf->crl_url.item[i];
	if (*conf->issuer_url != '\0' && !profile_url_good(conf->issuer_url))
		bad = conf->issuer_url;
	if (*conf->ocsp_url != '\0' && !profile_url_good(conf->ocsp_url))
		bad = conf->ocsp_url;
	if (bad != NULL)
		return fault_set(f, FAULT_CONFIG, "not an http address: \"%s\"",
		    bad);
	return 0;
}

/* A mistake in the template shows when the file is read, not at a login. */
static int
check_subject(const struct profile_conf *conf, struct fault *f)
{
	static const struct dn_value sample[] = {
		{ "principal", "a@A" },
		{ "user", "a" },
		{ "realm", "A" },
		{ NULL, NULL },
	};
	struct dn dn;

	if (*conf->subject == '\0')
		return 0;
	if (dn_fill(&dn, conf->subject, sample, f) < 0) {
		f->code = FAULT_CONFIG;
		return fault_wrap(f, "subject");
	}
	return 0;
}

static int
check_domain(const char *domain, struct fault *f)
{
	if (strspn(domain,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789.-") != strlen(domain) ||
	    *domain == '.' || *domain == '-' || text_ends(domain, ".") ||
	    strstr(domain, "..") != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "email-domain is no domain: \"%s\"", domain);
	return 0;
}

static int
check_kind(const struct profile *p, struct fault *f)
{
	const unsigned ca_bits = CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN;

	if (p->usage == 0)
		return fault_set(f, FAULT_CONFIG, "no usage is given");
	if (p->conf.ca && (p->usage & CERT_KU_KEY_CERT_SIGN) == 0)
		return fault_set(f, FAULT_CONFIG,
		    "a CA needs usage keyCertSign");
	if (p->conf.ca && p->purpose != 0)
		return fault_set(f, FAULT_CONFIG, "a CA has no purpose");
	if (!p->conf.ca && (p->usage & ca_bits) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "keyCertSign and cRLSign are for a CA");
	if (!p->conf.ca && p->conf.path_length >= 0)
		return fault_set(f, FAULT_CONFIG, "path-length is for a CA");
	return 0;
}

static int
check_times(const struct profile_conf *conf, struct fault *f)
{
	if (conf->lifetime > conf->max_lifetime)
		return fault_set(f, FAULT_CONFIG,
		    "lifetime is longer than max-lifetime");
	if (conf->backdate + 60 > conf->max_lifetime)
		return fault_set(f, FAULT_CONFIG,
		    "backdate leaves less than a minute of max-lifetime");
	return 0;
}

int
profile_read(struct profile *p, const char *name, const char *text, size_t len,
    struct fault *f)
{
	memset(p, 0, sizeof(*p));
	if (text_copy(p->name, sizeof(p->name), name) < 0)
		return fault_set(f, FAULT_CONFIG, "profile name is too long");
	if (conf_read(&profile_schema, &p->conf, text, len, f) < 0)
		return -1;
	if (key_rules_read(&p->keys, p->conf.key, f) < 0)
		return fault_wrap(f, "key");
	if (profile_usage_read(&p->conf.usage, &p->usage, f) < 0 ||
	    profile_purpose_read(&p->conf.purpose, &p->purpose, f) < 0)
		return -1;
	if (check_kind(p, f) < 0 || check_times(&p->conf, f) < 0 ||
	    check_policies(&p->conf.policy, f) < 0 ||
	    check_urls(&p->conf, f) < 0 || check_subject(&p->conf, f) < 0)
		return -1;
	return check_domain(p->conf.email_domain, f);
}

int
profile_read_named(struct profile *p, struct wire_bytes text, struct fault *f)
{
	const char *at = (const char *)text.data;
	const char *end = text.len == 0 ? NULL : memchr(at, '\n', text.len);
	char name[PROFILE_NAME_SIZE];

	if (end == NULL || end - at < 3 || memcmp(at, "# ", 2) != 0 ||
	    text_fmt(name, sizeof(name), "%.*s", (int)(end - at - 2), at + 2) <
		0)
		return fault_set(f, FAULT_CONFIG, "a profile without a name");
	return profile_read(p, name, at, text.len, f);
}
