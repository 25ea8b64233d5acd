/* Extensions of certificates (RFC 5280 4.2, RFC 3820 3.8). */
#include "base/fault.h"
#include "base/text.h"
#include "x509/cert_part.h"

#include <string.h>

#define EXTENSIONS_MAX 64
#define KEY_USAGE_BITS 0x1ffu

/* One extension as it stands. */
struct extension {
	struct wire_bytes oid;
	bool critical;
	struct der_in value; /* inside the OCTET STRING */
};

/* A reader of one kind; false if the value is malformed. */
typedef bool reader(struct cert *cert, struct der_in *value,
    struct cert_proxy_info *info);

static bool
read_basic_constraints(struct cert *cert, struct der_in *value,
    struct cert_proxy_info *info)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);
	uint64_t path = 0;
	bool has_path;

	(void)info;
	/* FALSE is the default and yet written out by some. */
	if (der_peek(&in) == DER_BOOLEAN)
		cert->ca = der_get_bool(&in);
	has_path = der_peek(&in) == DER_INTEGER;
	if (has_path)
		path = der_get_u64(&in);
	if (!der_ended(&in) || path > INT16_MAX)
		return false;
	/* It means nothing in what is no CA. */
	if (has_path && cert->ca)
		cert->path_length = (int)path;
	return true;
}

static bool
read_key_usage(struct cert *cert, struct der_in *value,
    struct cert_proxy_info *info)
{
	(void)info;
	cert->has_key_usage = true;
	cert->key_usage = der_get_flags(value) & KEY_USAGE_BITS;
	return !value->failed;
}

static bool
read_ext_key_usage(struct cert *cert, struct der_in *value,
    struct cert_proxy_info *info)
{
	static const struct {
		const char *oid; /* 1.3.6.1.5.5.7.3.n */
		unsigned bit;
	} purposes[] = {
		{ "\x2b\x06\x01\x05\x05\x07\x03\x01", CERT_EKU_SERVER_AUTH },
		{ "\x2b\x06\x01\x05\x05\x07\x03\x02", CERT_EKU_CLIENT_AUTH },
		{ "\x2b\x06\x01\x05\x05\x07\x03\x04", CERT_EKU_EMAIL },
	};
	struct der_in in = der_enter(value, DER_SEQUENCE);

	(void)info;
	cert->has_eku = true;
	do {
		struct wire_bytes oid = der_get_oid(&in);
		unsigned bit = CERT_EKU_OTHER;

		for (size_t i = 0; i < 3; i++)
			if (oid.len == strlen(purposes[i].oid) &&
			    memcmp(oid.data, purposes[i].oid, oid.len) == 0)
				bit = purposes[i].bit;
		cert->eku |= bit;
	} while (in.left > 0 && !in.failed);
	return !in.failed;
}

static bool
read_key_id(struct cert *cert, struct der_in *value,
    struct cert_proxy_info *info)
{
	(void)info;
	cert->key_id = der_get(value, DER_OCTET_STRING);
	return !value->failed && cert->key_id.len > 0;
}

static bool
read_authority_id(struct cert *cert, struct der_in *value,
    struct cert_proxy_info *info)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);

	(void)info;
	if (der_peek(&in) == DER_CONTEXT(0))
		cert->authority_id = der_get(&in, DER_CONTEXT(0));
	/* Issuer and serial, of which we make no use. */
	if (der_peek(&in) == DER_CONTEXT_C(1))
		(void)der_get(&in, DER_CONTEXT_C(1));
	if (der_peek(&in) == DER_CONTEXT(2))
		(void)der_get(&in, DER_CONTEXT(2));
	return der_ended(&in);
}

static bool
read_alt_names(struct cert *cert, struct der_in *value,
    struct cert_proxy_info *info)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);

	(void)info;
	cert->alt_names = (struct wire_bytes){ in.at, in.left };
	while (in.left > 0 && !in.failed) {
		/* GeneralName: context-specific [0] to [8]. */
		if ((der_peek(&in) & 0xc0) != 0x80 ||
		    (der_peek(&in) & 0x1f) > 8)
			in.failed = true;
		(void)der_get_whole(&in, 0);
	}
	return !in.failed;
}

/* ProxyPolicy (RFC 3820 3.8). */
static void
read_policy(struct der_in *in, struct cert_proxy_info *info)
{
	struct der_in policy = der_enter(in, DER_SEQUENCE);

	info->language = der_get_oid(&policy);
	if (policy.left > 0)
		(void)der_get(&policy, DER_OCTET_STRING);
	if (!der_ended(&policy))
		in->failed = true;
}

static bool
set_path_length(struct cert_proxy_info *info, struct der_in *in)
{
	uint64_t length = der_get_u64(in);

	if (length > INT16_MAX)
		length = INT16_MAX; /* as good as none */
	info->path_length = (int)length;
	return !in->failed;
}

static bool
read_proxy_info(struct cert *cert, struct der_in *value,
    struct cert_proxy_info *info)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);

	(void)cert;
	info->rfc = true;
	if (der_peek(&in) == DER_INTEGER && !set_path_length(info, &in))
		return false;
	read_policy(&in, info);
	return der_ended(&in);
}

/* The draft had the policy first and the length tagged. */
static bool
read_draft_info(struct cert *cert, struct der_in *value,
    struct cert_proxy_info *info)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);
	struct der_in tagged;

	(void)cert;
	info->draft = true;
	read_policy(&in, info);
	if (der_maybe(&in, DER_CONTEXT_C(1), &tagged) &&
	    (!set_path_length(info, &tagged) || !der_ended(&tagged)))
		return false;
	return der_ended(&in);
}

/*
 * What we know.  Those without reader are honoured by lib/trust, or demand
 * nothing as long as nobody asks for a policy (RFC 5280 6.1.5).
 */
static const struct {
	const char *oid;
	const char *name;
	reader *read;
} known[] = {
	{ "\x55\x1d\x0e", "subjectKeyIdentifier", read_key_id },
	{ "\x55\x1d\x0f", "keyUsage", read_key_usage },
	{ "\x55\x1d\x11", "subjectAltName", read_alt_names },
	{ "\x55\x1d\x12", "issuerAltName", NULL },
	{ "\x55\x1d\x13", "basicConstraints", read_basic_constraints },
	{ "\x55\x1d\x1e", "nameConstraints", NULL },
	{ "\x55\x1d\x1f", "cRLDistributionPoints", NULL },
	{ "\x55\x1d\x20", "certificatePolicies", NULL },
	{ "\x55\x1d\x21", "policyMappings", NULL },
	{ "\x55\x1d\x23", "authorityKeyIdentifier", read_authority_id },
	{ "\x55\x1d\x25", "extendedKeyUsage", read_ext_key_usage },
	{ "\x55\x1d\x36", "inhibitAnyPolicy", NULL },
	{ "\x2b\x06\x01\x05\x05\x07\x01\x0e", "proxyCertInfo",
	    read_proxy_info },
	{ "\x2b\x06\x01\x04\x01\x9b\x50\x01\x81\x5e", "proxyCertInfo (draft)",
	    read_draft_info },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

static void
set_unknown(struct cert *cert, const struct extension *ext)
{
	if (!ext->critical || cert->unknown_critical)
		return;
	cert->unknown_critical = true;
	if (der_oid_text(ext->oid, cert->unknown_oid,
		sizeof(cert->unknown_oid)) < 0)
		(void)snprintf(cert->unknown_oid, sizeof(cert->unknown_oid),
		    "%s", "(an OID too long to show)");
}

static int
read_value(struct cert *cert, struct extension *ext,
    struct cert_proxy_info *info, struct fault *f)
{
	for (size_t i = 0; i < KNOWN; i++) {
		if (strlen(known[i].oid) != ext->oid.len ||
		    memcmp(known[i].oid, ext->oid.data, ext->oid.len) != 0)
			continue;
		if (known[i].read == NULL ||
		    (known[i].read(cert, &ext->value, info) &&
			der_ended(&ext->value)))
			return 0;
		return fault_set(f, FAULT_INPUT, "malformed extension %s",
		    known[i].name);
	}
	set_unknown(cert, ext);
	return 0;
}

/* The next extension of ${in}; false if it is malformed. */
static bool
next_extension(struct der_in *in, struct extension *ext)
{
	struct der_in one = der_enter(in, DER_SEQUENCE);

	ext->oid = der_get_oid(&one);
	ext->critical = der_peek(&one) == DER_BOOLEAN && der_get_bool(&one);
	ext->value = der_enter(&one, DER_OCTET_STRING);
	return der_ended(&one) && ext->oid.len > 0;
}

int
cert_read_extensions(struct cert *cert, struct der_in in,
    struct cert_proxy_info *info, struct fault *f)
{
	struct wire_bytes seen[EXTENSIONS_MAX];
	struct extension ext;
	size_t count = 0;

	cert->extensions = (struct wire_bytes){ in.at, in.left };
	for (; in.left > 0; count++) {
		if (!next_extension(&in, &ext))
			return fault_set(f, FAULT_INPUT,
			    "RFC 5280 4.1: malformed extension");
		if (count == EXTENSIONS_MAX)
			return fault_set(f, FAULT_INPUT,
			    "more than %d extensions", EXTENSIONS_MAX);
		for (size_t i = 0; i < count; i++)
			if (der_bytes_equal(seen[i], ext.oid))
				return fault_set(f, FAULT_INPUT,
				    "RFC 5280 4.2: an extension twice");
		seen[count] = ext.oid;
		if (read_value(cert, &ext, info, f) < 0)
			return -1;
	}
	return 0;
}
