/* The extensions of a certificate to be signed (RFC 5280 4.2). */
#include "base/fault.h"
#include "x509/tbs_part.h"

#include <openssl/evp.h>

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define NAMES_MAX 256
#define URLS_MAX 16
#define POLICIES_MAX 16

struct context {
	const struct authority *a;
	const struct tbs_key *key;
};

int
tbs_extension(struct der_in *in, struct tbs_extension *e, struct fault *f)
{
	struct der_in whole = der_enter(in, DER_SEQUENCE);

	e->oid = der_get(&whole, DER_OID);
	e->critical = der_peek(&whole) == DER_BOOLEAN;
	/* X.690 11.5: the default, FALSE, is never written out. */
	if (e->critical && !der_get_bool(&whole))
		return fault_set(f, FAULT_DENIED,
		    "an extension's criticality is not in DER");
	e->value = der_enter(&whole, DER_OCTET_STRING);
	if (!der_ended(&whole))
		return fault_set(f, FAULT_DENIED, "malformed extension");
	return 0;
}

static int
check_basic_constraints(struct der_in *value, const struct context *c,
    struct fault *f)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);
	int above = c->a->cert->path_length;
	bool ca = der_peek(&in) == DER_BOOLEAN && der_get_bool(&in);
	bool limited = ca && der_peek(&in) == DER_INTEGER;
	uint64_t path = limited ? der_get_u64(&in) : 0;

	if (!der_ended(&in))
		return fault_set(f, FAULT_DENIED, "malformed basicConstraints");
	if (ca != c->a->signs_ca)
		return fault_set(f, FAULT_DENIED, "this CA signs %s",
		    c->a->signs_ca ? "CAs only" : "end entities only");
	if (path > 16 ||
	    (ca && above >= 0 && (!limited || path >= (uint64_t)above)))
		return fault_set(f, FAULT_DENIED,
		    "path length is not below that of the CA");
	return 0;
}

static int
check_key_usage(struct der_in *value, const struct context *c, struct fault *f)
{
	const unsigned ca_bits = CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN;
	uint32_t usage = der_get_flags(value);

	if (value->failed || usage == 0)
		return fault_set(f, FAULT_DENIED, "malformed keyUsage");
	if ((usage & ~c->a->usage) != 0)
		return fault_set(f, FAULT_DENIED,
		    "keyUsage goes beyond what this CA may certify");
	if (c->a->signs_ca ? (usage & CERT_KU_KEY_CERT_SIGN) == 0
			   : (usage & ca_bits) != 0)
		return fault_set(f, FAULT_DENIED,
		    "keyUsage does not fit what this CA signs");
	if (!c->key->rsa && (usage & CERT_KU_KEY_ENCIPHERMENT) != 0)
		return fault_set(f, FAULT_DENIED,
		    "RFC 8813 3: keyEncipherment of an EC key");
	return 0;
}

static int
check_purposes(struct der_in *value, const struct context *c, struct fault *f)
{
	static const struct {
		struct wire_bytes oid;
		unsigned bit;
	} known[] = {
		{ TBS_OID("\x2b\x06\x01\x05\x05\x07\x03\x01"),
		    CERT_EKU_SERVER_AUTH },
		{ TBS_OID("\x2b\x06\x01\x05\x05\x07\x03\x02"),
		    CERT_EKU_CLIENT_AUTH },
		{ TBS_OID("\x2b\x06\x01\x05\x05\x07\x03\x04"), CERT_EKU_EMAIL },
	};
	struct der_in in = der_enter(value, DER_SEQUENCE);
	unsigned seen = 0;

	while (der_peek(&in) != 0) {
		struct wire_bytes oid = der_get(&in, DER_OID);
		unsigned bit = 0;

		for (size_t i = 0; i < COUNT_OF(known); i++)
			if (der_bytes_equal(oid, known[i].oid))
				bit = known[i].bit;
		if (in.failed || bit == 0 || (seen & bit) != 0)
			return fault_set(f, FAULT_DENIED,
			    "a purpose is unknown or given twice");
		seen |= bit;
	}
	if (!der_ended(&in) || seen == 0)
		return fault_set(f, FAULT_DENIED, "malformed extKeyUsage");
	if ((seen & ~c->a->purpose) != 0)
		return fault_set(f, FAULT_DENIED,
		    "extKeyUsage goes beyond what this CA may certify");
	return 0;
}

/* RFC 5280 4.2.1.2, method (1). */
static int
check_subject_id(struct der_in *value, const struct context *c, struct fault *f)
{
	struct wire_bytes id = der_get(value, DER_OCTET_STRING);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(c->key->bits.data, c->key->bits.len, digest, &len,
		EVP_sha1(), NULL) != 1)
		return fault_set(f, FAULT_INTERNAL, "SHA-1 failed");
	if (!der_bytes_equal(id, (struct wire_bytes){ digest, len }))
		return fault_set(f, FAULT_DENIED,
		    "subjectKeyIdentifier is not that of the key");
	return 0;
}

int
tbs_authority_id(struct der_in *value, const struct authority *a,
    struct fault *f)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);
	struct wire_bytes id = der_get(&in, DER_CONTEXT(0));
	struct wire_bytes own = { a->key_id, sizeof(a->key_id) };

	if (!der_ended(&in) || !der_bytes_equal(id, own))
		return fault_set(f, FAULT_DENIED,
		    "authorityKeyIdentifier is not the CA's own key");
	return 0;
}

static int
check_authority_id(struct der_in *value, const struct context *c,
    struct fault *f)
{
	return tbs_authority_id(value, c->a, f);
}

/* RFC 1123 2.1: labels of letters, digits and inner hyphens; at least two
 * labels are not asked for, wildcards are never signed. */
static bool
is_host(const uint8_t *at, size_t len)
{
	size_t label = 0;
	uint8_t before = '.';

	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; before = at[i++]) {
		bool letter = (at[i] >= 'a' && at[i] <= 'z') ||
		    (at[i] >= 'A' && at[i] <= 'Z') ||
		    (at[i] >= '0' && at[i] <= '9');

		if (at[i] == '.' && before != '.' && before != '-') {
			label = 0;
			continue;
		}
		if ((!letter && (at[i] != '-' || label == 0)) || ++label > 63)
			return false;
	}
	return before != '.' && before != '-';
}

/* RFC 5321 4.1.2, of the local part only a dot-string. */
static bool
is_mailbox(struct wire_bytes text)
{
	static const char special[] = "!#$%&'*+-/=?^_`{|}~";
	const uint8_t *at = memchr(text.data, '@', text.len);
	size_t local = at == NULL ? 0 : (size_t)(at - text.data);
	uint8_t before = '.';

	if (local == 0 || local > 64)
		return false;
	for (size_t i = 0; i < local; before = text.data[i++]) {
		uint8_t c = text.data[i];
		bool atom = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    (c != 0 && strchr(special, c) != NULL);

		if (!atom && (c != '.' || before == '.'))
			return false;
	}
	return before != '.' && is_host(at + 1, text.len - local - 1);
}

static int
check_alt_names(struct der_in *value, const struct context *c, struct fault *f)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);
	size_t count = 0;

	if (c->a->signs_ca)
		return fault_set(f, FAULT_DENIED, "subjectAltName of a CA");
	while (der_peek(&in) != 0) {
		uint8_t tag = der_peek(&in);
		struct wire_bytes name = der_get(&in, tag);
		bool host = !in.failed && tag == DER_CONTEXT(2) &&
		    is_host(name.data, name.len);
		bool mailbox =
		    !in.failed && tag == DER_CONTEXT(1) && is_mailbox(name);

		if ((!host && !mailbox) || ++count > NAMES_MAX)
			return fault_set(f, FAULT_DENIED,
			    "malformed subjectAltName");
		/* Or a person's certificate could stand for a server. */
		if (host && (c->a->purpose & CERT_EKU_SERVER_AUTH) == 0)
			return fault_set(f, FAULT_DENIED,
			    "a host name from a CA that certifies no servers");
	}
	if (!der_ended(&in) || count == 0)
		return fault_set(f, FAULT_DENIED, "malformed subjectAltName");
	return 0;
}

static bool
is_url(struct wire_bytes text)
{
	static const char scheme[] = "http://";

	if (text.len < sizeof(scheme) || text.len > 255 ||
	    memcmp(text.data, scheme, sizeof(scheme) - 1) != 0)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= 0x20 || text.data[i] > 0x7e ||
		    strchr("\"'<>\\^`{|}", text.data[i]) != NULL)
			return false;
	return true;
}

static int
check_crl_points(struct der_in *value, const struct context *c, struct fault *f)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);
	size_t count = 0;

	(void)c;
	while (der_peek(&in) != 0) {
		struct der_in point = der_enter(&in, DER_SEQUENCE);
		struct der_in name = der_enter(&point, DER_CONTEXT_C(0));
		struct der_in full = der_enter(&name, DER_CONTEXT_C(0));
		struct wire_bytes url = der_get(&full, DER_CONTEXT(6));

		if (!der_ended(&full) || !der_ended(&name) ||
		    !der_ended(&point) || !is_url(url) || ++count > URLS_MAX)
			return fault_set(f, FAULT_DENIED,
			    "malformed cRLDistributionPoints");
	}
	if (!der_ended(&in) || count == 0)
		return fault_set(f, FAULT_DENIED,
		    "malformed cRLDistributionPoints");
	return 0;
}

static int
check_authority_access(struct der_in *value, const struct context *c,
    struct fault *f)
{
	static const struct wire_bytes ocsp =
	    TBS_OID("\x2b\x06\x01\x05\x05\x07\x30\x01");
	static const struct wire_bytes issuers =
	    TBS_OID("\x2b\x06\x01\x05\x05\x07\x30\x02");
	struct der_in in = der_enter(value, DER_SEQUENCE);
	size_t count = 0;

	(void)c;
	while (der_peek(&in) != 0) {
		struct der_in access = der_enter(&in, DER_SEQUENCE);
		struct wire_bytes method = der_get(&access, DER_OID);
		struct wire_bytes url = der_get(&access, DER_CONTEXT(6));

		if (!der_ended(&access) || !is_url(url) || ++count > URLS_MAX ||
		    (!der_bytes_equal(method, ocsp) &&
			!der_bytes_equal(method, issuers)))
			return fault_set(f, FAULT_DENIED,
			    "malformed authorityInfoAccess");
	}
	if (!der_ended(&in) || count == 0)
		return fault_set(f, FAULT_DENIED,
		    "malformed authorityInfoAccess");
	return 0;
}

static int
check_policies(struct der_in *value, const struct context *c, struct fault *f)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);
	struct wire_bytes seen[POLICIES_MAX];
	size_t count = 0;
	char text[256];

	(void)c;
	while (der_peek(&in) != 0) {
		struct der_in information = der_enter(&in, DER_SEQUENCE);
		struct wire_bytes oid = der_get(&information, DER_OID);

		if (!der_ended(&information) || count == POLICIES_MAX ||
		    der_oid_text(oid, text, sizeof(text)) < 0)
			return fault_set(f, FAULT_DENIED,
			    "malformed certificatePolicies");
		for (size_t i = 0; i < count; i++)
			if (der_bytes_equal(seen[i], oid))
				return fault_set(f, FAULT_DENIED,
				    "RFC 5280 4.2.1.4: policy given twice");
		seen[count++] = oid;
	}
	if (!der_ended(&in) || count == 0)
		return fault_set(f, FAULT_DENIED,
		    "malformed certificatePolicies");
	return 0;
}

/* All that we know; whatever is not in this table is not signed. */
static const struct {
	struct wire_bytes oid;
	const char *name;
	bool critical;
	bool required;
	int (*check)(struct der_in *value, const struct context *c,
	    struct fault *f);
} table[] = {
	{ TBS_OID("\x55\x1d\x13"), "basicConstraints", true, true,
	    check_basic_constraints },
	{ TBS_OID("\x55\x1d\x0f"), "keyUsage", true, true, check_key_usage },
	{ TBS_OID("\x55\x1d\x25"), "extKeyUsage", false, false,
	    check_purposes },
	{ TBS_OID("\x55\x1d\x0e"), "subjectKeyIdentifier", false, true,
	    check_subject_id },
	{ TBS_OID("\x55\x1d\x23"), "authorityKeyIdentifier", false, true,
	    check_authority_id },
	{ TBS_OID("\x55\x1d\x11"), "subjectAltName", false, false,
	    check_alt_names },
	{ TBS_OID("\x55\x1d\x1f"), "cRLDistributionPoints", false, false,
	    check_crl_points },
	{ TBS_OID("\x2b\x06\x01\x05\x05\x07\x01\x01"), "authorityInfoAccess",
	    false, false, check_authority_access },
	{ TBS_OID("\x55\x1d\x20"), "certificatePolicies", false, false,
	    check_policies },
};

static int
check_one(struct tbs_extension *e, const struct context *c, unsigned *seen,
    struct fault *f)
{
	size_t i = 0;

	while (i < COUNT_OF(table) && !der_bytes_equal(e->oid, table[i].oid))
		i++;
	if (i == COUNT_OF(table))
		return fault_set(f, FAULT_DENIED, "unknown extension");
	if ((*seen & 1u << i) != 0)
		return fault_set(f, FAULT_DENIED,
		    "RFC 5280 4.2: %s given twice", table[i].name);
	*seen |= 1u << i;
	if (e->critical != table[i].critical)
		return fault_set(f, FAULT_DENIED, "%s is %scritical",
		    table[i].name, e->critical ? "" : "not ");
	if (table[i].check(&e->value, c, f) < 0)
		return -1;
	if (!der_ended(&e->value))
		return fault_set(f, FAULT_DENIED, "malformed %s",
		    table[i].name);
	return 0;
}

int
tbs_extensions(struct der_in *in, const struct authority *a,
    const struct tbs_key *key, struct fault *f)
{
	const struct context c = { a, key };
	struct der_in outer = der_enter(in, DER_CONTEXT_C(3));
	struct der_in list = der_enter(&outer, DER_SEQUENCE);
	struct tbs_extension e;
	unsigned seen = 0;

	while (der_peek(&list) != 0)
		if (tbs_extension(&list, &e, f) < 0 ||
		    check_one(&e, &c, &seen, f) < 0)
			return -1;
	if (!der_ended(&list) || !der_ended(&outer) || !der_ended(in))
		return fault_set(f, FAULT_DENIED,
		    "malformed or missing extensions");
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (table[i].required && (seen & 1u << i) == 0)
			return fault_set(f, FAULT_DENIED, "%s is missing",
			    table[i].name);
	return 0;
}
