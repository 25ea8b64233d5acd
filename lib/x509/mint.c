#include "x509/mint.h"

#include "base/fault.h"
#include "base/rand.h"
#include "base/text.h"

#include <string.h>

#define LEAST_LIFE 60

/* What a profile may name as purpose, in the order of the extension. */
static const struct {
	unsigned bit;
	const char *oid;
} purposes[] = {
	{ CERT_EKU_SERVER_AUTH, "1.3.6.1.5.5.7.3.1" },
	{ CERT_EKU_CLIENT_AUTH, "1.3.6.1.5.5.7.3.2" },
	{ CERT_EKU_EMAIL, "1.3.6.1.5.5.7.3.4" },
};

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int
mint_times(const struct profile *profile, const struct authority *issuer,
    time_t now, int64_t asked, time_t *not_before, time_t *not_after,
    struct fault *f)
{
	int64_t ceiling = profile->conf.max_lifetime;
	int64_t backdate = profile->conf.backdate;
	int64_t life = asked > 0 ? asked : profile->conf.lifetime;
	time_t from, until;

	if (issuer != NULL)
		ceiling = least(ceiling, issuer->conf.max_lifetime);
	/* The ceiling of a CA may be less than a profile reckons with. */
	backdate = least(backdate, ceiling - LEAST_LIFE);
	life = least(life, ceiling - backdate);
	from = now - backdate;
	until = now + life;
	if (issuer != NULL && now < issuer->cert->not_before)
		return fault_set(f, FAULT_EXPIRED, "the CA %s is not valid yet",
		    issuer->conf.name);
	if (issuer != NULL && issuer->cert->not_after - now < LEAST_LIFE)
		return fault_set(f, FAULT_EXPIRED,
		    "the CA %s has expired or is about to", issuer->conf.name);
	if (issuer != NULL && from < issuer->cert->not_before)
		from = issuer->cert->not_before;
	if (issuer != NULL && until > issuer->cert->not_after)
		until = issuer->cert->not_after;
	*not_before = from;
	*not_after = until;
	return 0;
}

/* Open Extension { oid, critical, OCTET STRING { ... */
struct extension {
	size_t whole;
	size_t value;
};

static struct extension
open_extension(struct buf *out, const char *oid, bool critical)
{
	struct extension e;

	e.whole = der_open(out, DER_SEQUENCE);
	der_put_oid(out, oid);
	if (critical)
		der_put_bool(out, true);
	e.value = der_open(out, DER_OCTET_STRING);
	return e;
}

static void
close_extension(struct buf *out, struct extension e)
{
	der_close(out, e.value);
	der_close(out, e.whole);
}

/* RFC 5280 4.2.1.9; FALSE is the default, so DER leaves it out. */
static void
put_basic_constraints(const struct profile *p, struct buf *out)
{
	struct extension e = open_extension(out, "2.5.29.19", true);
	size_t value = der_open(out, DER_SEQUENCE);

	if (p->conf.ca) {
		der_put_bool(out, true);
		if (p->conf.path_length >= 0)
			der_put_u64(out, (uint64_t)p->conf.path_length);
	}
	der_close(out, value);
	close_extension(out, e);
}

static void
put_key_usage(unsigned usage, struct buf *out)
{
	struct extension e = open_extension(out, "2.5.29.15", true);

	der_put_flags(out, usage);
	close_extension(out, e);
}

static void
put_purposes(unsigned purpose, struct buf *out)
{
	struct extension e;
	size_t value;

	if (purpose == 0)
		return;
	e = open_extension(out, "2.5.29.37", false);
	value = der_open(out, DER_SEQUENCE);
	for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++)
		if ((purpose & purposes[i].bit) != 0)
			der_put_oid(out, purposes[i].oid);
	der_close(out, value);
	close_extension(out, e);
}

static void
put_key_ids(const struct mint *m, struct buf *out)
{
	uint8_t id[KEY_ID_SIZE];
	struct extension e;
	size_t value;

	spki_id(&m->spki, id);
	e = open_extension(out, "2.5.29.14", false);
	der_put(out, DER_OCTET_STRING, id, sizeof(id));
	close_extension(out, e);

	/* The keyid alone: issuer and serial would break when the CA's
	 * certificate is issued again for the same key. */
	e = open_extension(out, "2.5.29.35", false);
	value = der_open(out, DER_SEQUENCE);
	der_put(out, DER_CONTEXT(0), m->issuer == NULL ? id : m->issuer->key_id,
	    KEY_ID_SIZE);
	der_close(out, value);
	close_extension(out, e);
}

static void
put_names(const char *const *names, uint8_t tag, struct buf *out)
{
	for (; names != NULL && *names != NULL; names++)
		der_put(out, tag, *names, strlen(*names));
}

static void
put_alt_names(const struct mint *m, struct buf *out)
{
	struct extension e;
	size_t value;

	if ((m->dns_names == NULL || *m->dns_names == NULL) &&
	    (m->emails == NULL || *m->emails == NULL))
		return;
	e = open_extension(out, "2.5.29.17", false);
	value = der_open(out, DER_SEQUENCE);
	put_names(m->emails, DER_CONTEXT(1), out);
	put_names(m->dns_names, DER_CONTEXT(2), out);
	der_close(out, value);
	close_extension(out, e);
}

/* RFC 5280 4.2.1.13: each address a point of its own, as mirrors are. */
static void
put_crl_points(const struct mint *m, struct buf *out)
{
	const conf_list *urls = &m->profile->conf.crl_url;
	struct extension e;
	size_t value;

	if (urls->count == 0 && m->issuer != NULL)
		urls = &m->issuer->conf.crl_url;
	if (urls->count == 0)
		return;
	e = open_extension(out, "2.5.29.31", false);
	value = der_open(out, DER_SEQUENCE);
	for (size_t i = 0; i < urls->count; i++) {
		size_t point = der_open(out, DER_SEQUENCE);
		size_t name = der_open(out, DER_CONTEXT_C(0));
		size_t full = der_open(out, DER_CONTEXT_C(0));

		der_put(out, DER_CONTEXT(6), urls->item[i],
		    strlen(urls->item[i]));
		der_close(out, full);
		der_close(out, name);
		der_close(out, point);
	}
	der_close(out, value);
	close_extension(out, e);
}

static void
put_access(const char *method, const char *url, struct buf *out)
{
	size_t access;

	if (*url == '\0')
		return;
	access = der_open(out, DER_SEQUENCE);
	der_put_oid(out, method);
	der_put(out, DER_CONTEXT(6), url, strlen(url));
	der_close(out, access);
}

/* RFC 5280 4.2.2.1. */
static void
put_authority_access(const struct mint *m, struct buf *out)
{
	const char *ocsp = m->profile->conf.ocsp_url;
	const char *issuers = m->profile->conf.issuer_url;
	struct extension e;
	size_t value;

	if (*issuers == '\0' && m->issuer != NULL)
		issuers = m->issuer->conf.issuer_url;
	if (*ocsp == '\0' && *issuers == '\0')
		return;
	e = open_extension(out, "1.3.6.1.5.5.7.1.1", false);
	value = der_open(out, DER_SEQUENCE);
	put_access("1.3.6.1.5.5.7.48.1", ocsp, out);
	put_access("1.3.6.1.5.5.7.48.2", issuers, out);
	der_close(out, value);
	close_extension(out, e);
}

static bool
has_policy(const conf_list *policies, const char *oid)
{
	for (size_t i = 0; i < policies->count; i++)
		if (strcmp(policies->item[i], oid) == 0)
			return true;
	return false;
}

static void
put_policy(const char *oid, struct buf *out)
{
	size_t information = der_open(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	der_close(out, information);
}

/* RFC 5280 4.2.1.4: those of the profile, and for an end entity the
 * organisation's own.  A CA has anyPolicy, which is all of them. */
static void
put_policies(const struct mint *m, struct buf *out)
{
	static const conf_list none;
	const conf_list *policies = &m->profile->conf.policy;
	const conf_list *own = m->issuer == NULL || m->profile->conf.ca
	    ? &none
	    : &m->issuer->conf.policy_oid;
	struct extension e;
	size_t value;

	if (policies->count == 0 && own->count == 0)
		return;
	e = open_extension(out, "2.5.29.32", false);
	value = der_open(out, DER_SEQUENCE);
	for (size_t i = 0; i < policies->count; i++)
		put_policy(policies->item[i], out);
	for (size_t i = 0; i < own->count; i++)
		if (!has_policy(policies, own->item[i]))
			put_policy(own->item[i], out);
	der_close(out, value);
	close_extension(out, e);
}

static unsigned
usage_of(const struct mint *m)
{
	/* An EC key enciphers no keys (RFC 8813 section 3). */
	if (m->spki.kind != KEY_RSA)
		return m->profile->usage & ~CERT_KU_KEY_ENCIPHERMENT;
	return m->profile->usage;
}

static void
put_extensions(const struct mint *m, struct buf *out)
{
	size_t outer = der_open(out, DER_CONTEXT_C(3));
	size_t list = der_open(out, DER_SEQUENCE);

	put_basic_constraints(m->profile, out);
	put_key_usage(usage_of(m), out);
	put_purposes(m->profile->purpose, out);
	put_key_ids(m, out);
	put_alt_names(m, out);
	put_crl_points(m, out);
	put_authority_access(m, out);
	put_policies(m, out);
	der_close(out, list);
	der_close(out, outer);
}

static bool
names_good(const char *const *names)
{
	for (; names != NULL && *names != NULL; names++)
		if (**names == '\0' || strlen(*names) > 254 ||
		    !text_printable(*names) || strchr(*names, ' ') != NULL)
			return false;
	return true;
}

static int
check(const struct mint *m, struct fault *f)
{
	size_t len = m->serial_len;
	bool zero = true;

	for (size_t i = 0; i < len; i++)
		zero = zero && m->serial[i] == 0;
	if (zero || len > CERT_SERIAL_MAX ||
	    (len == CERT_SERIAL_MAX && (m->serial[0] & 0x80) != 0))
		return fault_set(f, FAULT_INTERNAL,
		    "RFC 5280 4.1.2.2: serial out of range");
	if (m->not_before >= m->not_after)
		return fault_set(f, FAULT_INTERNAL, "lifetime is not positive");
	if (m->subject.len == 0 || m->spki.der.len == 0)
		return fault_set(f, FAULT_INTERNAL, "no subject or no key");
	if (usage_of(m) == 0)
		return fault_set(f, FAULT_KEY,
		    "the profile has no usage for a key of this kind");
	if (!names_good(m->dns_names) || !names_good(m->emails))
		return fault_set(f, FAULT_INPUT,
		    "a name in subjectAltName is malformed");
	return 0;
}

int
mint_tbs(const struct mint *m, struct buf *tbs, struct fault *f)
{
	const struct dn *issuer =
	    m->issuer == NULL ? &m->subject : &m->issuer->cert->subject;
	struct wire_bytes algorithm = key_signature_algorithm(m->signer_kind);
	size_t whole, part;

	if (check(m, f) < 0)
		return -1;
	whole = der_open(tbs, DER_SEQUENCE);
	part = der_open(tbs, DER_CONTEXT_C(0));
	der_put_u64(tbs, 2); /* v3 */
	der_close(tbs, part);
	der_put_positive(tbs, m->serial, m->serial_len);
	buf_put(tbs, algorithm.data, algorithm.len);
	buf_put(tbs, issuer->der, issuer->len);
	part = der_open(tbs, DER_SEQUENCE);
	der_put_time(tbs, m->not_before);
	der_put_time(tbs, m->not_after);
	der_close(tbs, part);
	buf_put(tbs, m->subject.der, m->subject.len);
	buf_put(tbs, m->spki.der.data, m->spki.der.len);
	put_extensions(m, tbs);
	der_close(tbs, whole);
	if (tbs->failed)
		return fault_set(f, FAULT_MEMORY,
		    "certificate is larger than %zu bytes", tbs->limit);
	return 0;
}

int
mint_finish(struct wire_bytes tbs, enum key_kind kind,
    struct wire_bytes signature, struct buf *out, struct fault *f)
{
	struct wire_bytes algorithm = key_signature_algorithm(kind);
	size_t whole = der_open(out, DER_SEQUENCE);

	buf_put(out, tbs.data, tbs.len);
	buf_put(out, algorithm.data, algorithm.len);
	der_put_bits(out, signature.data, signature.len);
	der_close(out, whole);
	if (out->failed)
		return fault_set(f, FAULT_MEMORY,
		    "what was signed is larger than %zu bytes", out->limit);
	return 0;
}

void
mint_random_serial(uint8_t serial[MINT_SERIAL_SIZE])
{
	/* 20 octets, the first neither negative nor a zero to be dropped. */
	do {
		rand_bytes(serial, MINT_SERIAL_SIZE);
		serial[0] &= 0x7f;
	} while (serial[0] == 0);
}
