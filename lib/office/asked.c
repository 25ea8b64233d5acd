#include "office/asked.h"

#include "base/fault.h"
#include "office/name.h"
#include "x509/cert.h"
#include "x509/der.h"

#include <string.h>
#include <strings.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text)                                       \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}
#define OID_TEXT 128

/* extensionRequest (RFC 2985 5.4.2), and Microsoft's own of the same form. */
static const struct wire_bytes extension_requests[] = {
	BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"),
	BYTES("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"),
};

static const struct {
	struct wire_bytes oid;
	unsigned bit;
} purposes[] = {
	{ BYTES("\x2b\x06\x01\x05\x05\x07\x03\x01"), CERT_EKU_SERVER_AUTH },
	{ BYTES("\x2b\x06\x01\x05\x05\x07\x03\x02"), CERT_EKU_CLIENT_AUTH },
	{ BYTES("\x2b\x06\x01\x05\x05\x07\x03\x04"), CERT_EKU_EMAIL },
};

static const struct {
	unsigned bit;
	const char *name;
} usages[] = {
	{ CERT_KU_KEY_CERT_SIGN, "keyCertSign" },
	{ CERT_KU_CRL_SIGN, "cRLSign" },
	{ CERT_KU_DIGITAL_SIGNATURE, "digitalSignature" },
	{ CERT_KU_NON_REPUDIATION, "nonRepudiation" },
	{ CERT_KU_KEY_ENCIPHERMENT, "keyEncipherment" },
	{ CERT_KU_DATA_ENCIPHERMENT, "dataEncipherment" },
	{ CERT_KU_KEY_AGREEMENT, "keyAgreement" },
};

static int
refuse_oid(const char *what, struct wire_bytes oid, struct fault *f)
{
	char text[OID_TEXT];

	if (der_oid_text(oid, text, sizeof(text)) < 0)
		return fault_set(f, FAULT_DENIED, "the request asks for %s",
		    what);
	return fault_set(f, FAULT_DENIED, "the request asks for %s %s", what,
	    text);
}

/* RFC 5280 4.2.1.6. */
static int
read_alt_names(struct asked *a, struct der_in *value, struct fault *f)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);

	while (in.left > 0 && !in.failed) {
		uint8_t tag = der_peek(&in);
		struct wire_bytes name = der_get(&in, tag);

		if (tag != DER_CONTEXT(1) && tag != DER_CONTEXT(2))
			return fault_set(f, FAULT_DENIED,
			    "the request asks for a name that is neither a "
			    "host's nor a mail address (GeneralName [%u])",
			    tag & 0x1fu);
		if (a->count == ASKED_NAMES_MAX)
			return fault_set(f, FAULT_DENIED,
			    "the request asks for more than %d names",
			    ASKED_NAMES_MAX);
		a->name[a->count].mail = tag == DER_CONTEXT(1);
		a->name[a->count++].text = name;
	}
	value->failed |= !der_ended(&in);
	return 0;
}

/* RFC 5280 4.2.1.9; some write FALSE out. */
static int
read_constraints(struct asked *a, struct der_in *value, struct fault *f)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);

	(void)f;
	if (der_peek(&in) == DER_BOOLEAN)
		a->ca = der_get_bool(&in);
	if (der_peek(&in) == DER_INTEGER) {
		uint64_t n = der_get_u64(&in);

		a->path_length = n > INT32_MAX ? INT32_MAX : (int)n;
	}
	value->failed |= !der_ended(&in);
	return 0;
}

static int
read_usage(struct asked *a, struct der_in *value, struct fault *f)
{
	(void)f;
	a->usage = der_get_flags(value);
	return 0;
}

static int
read_purposes(struct asked *a, struct der_in *value, struct fault *f)
{
	struct der_in in = der_enter(value, DER_SEQUENCE);

	while (in.left > 0 && !in.failed) {
		struct wire_bytes oid = der_get_oid(&in);
		unsigned bit = 0;

		for (size_t i = 0; i < COUNT_OF(purposes); i++)
			if (der_bytes_equal(oid, purposes[i].oid))
				bit = purposes[i].bit;
		if (bit == 0 && !in.failed)
			return refuse_oid("the purpose", oid, f);
		a->purpose |= bit;
	}
	value->failed |= !der_ended(&in);
	return 0;
}

/* The identifier is computed from the key when the certificate is made. */
static int
pass_key_id(struct asked *a, struct der_in *value, struct fault *f)
{
	(void)a;
	(void)f;
	(void)der_get(value, DER_OCTET_STRING);
	return 0;
}

static const struct {
	struct wire_bytes oid;
	int (*read)(struct asked *a, struct der_in *value, struct fault *f);
} readers[] = {
	{ BYTES("\x55\x1d\x11"), read_alt_names },
	{ BYTES("\x55\x1d\x13"), read_constraints },
	{ BYTES("\x55\x1d\x0f"), read_usage },
	{ BYTES("\x55\x1d\x25"), read_purposes },
	{ BYTES("\x55\x1d\x0e"), pass_key_id },
};

static int
malformed(struct fault *f)
{
	return fault_set(f, FAULT_INPUT,
	    "the request's extensions are malformed: RFC 5280 4.2");
}

/* One Extension; *${seen} has a bit for each that came. */
static int
read_extension(struct asked *a, struct der_in *list, unsigned *seen,
    struct fault *f)
{
	struct der_in one = der_enter(list, DER_SEQUENCE);
	struct wire_bytes oid = der_get_oid(&one);
	struct der_in value;

	if (der_peek(&one) == DER_BOOLEAN)
		(void)der_get_bool(&one);
	value = der_enter(&one, DER_OCTET_STRING);
	if (!der_ended(&one))
		return malformed(f);
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		if (!der_bytes_equal(oid, readers[i].oid))
			continue;
		if ((*seen & 1u << i) != 0)
			return fault_set(f, FAULT_INPUT,
			    "RFC 5280 4.2: the request has an extension "
			    "twice");
		*seen |= 1u << i;
		if (readers[i].read(a, &value, f) < 0)
			return -1;
		return der_ended(&value) ? 0 : malformed(f);
	}
	return refuse_oid("the extension", oid, f);
}

static bool
is_extension_request(struct wire_bytes oid)
{
	for (size_t i = 0; i < COUNT_OF(extension_requests); i++)
		if (der_bytes_equal(oid, extension_requests[i]))
			return true;
	return false;
}

static int
read_values(struct asked *a, struct der_in *values, unsigned *seen,
    struct fault *f)
{
	while (values->left > 0 && !values->failed) {
		struct der_in list = der_enter(values, DER_SEQUENCE);

		while (list.left > 0 && !list.failed)
			if (read_extension(a, &list, seen, f) < 0)
				return -1;
		if (!der_ended(&list))
			return malformed(f);
	}
	return 0;
}

int
asked_read(struct asked *a, const struct csr *csr, struct fault *f)
{
	struct der_in set = DER_IN(csr->attributes.data, csr->attributes.len);
	unsigned seen = 0;

	memset(a, 0, sizeof(*a));
	a->path_length = -1;
	while (set.left > 0) {
		struct der_in one = der_enter(&set, DER_SEQUENCE);
		struct wire_bytes oid = der_get_oid(&one);
		struct der_in values = der_enter(&one, DER_SET);

		if (!der_ended(&one))
			return malformed(f);
		if (is_extension_request(oid) &&
		    read_values(a, &values, &seen, f) < 0)
			return -1;
	}
	return der_ended(&set) ? 0 : malformed(f);
}

static int
check_usage(const struct asked *a, const struct profile *profile,
    struct fault *f)
{
	unsigned more = a->usage & ~profile->usage;

	for (size_t i = 0; i < COUNT_OF(usages); i++)
		if ((more & usages[i].bit) != 0)
			return fault_set(f, FAULT_DENIED,
			    "the request asks for usage %s, which profile %s "
			    "does not give",
			    usages[i].name, profile->name);
	if (more != 0)
		return fault_set(f, FAULT_DENIED,
		    "the request asks for a usage (bits %x) that profile %s "
		    "does not give",
		    more, profile->name);
	if ((a->purpose & ~profile->purpose) != 0)
		return fault_set(f, FAULT_DENIED,
		    "the request asks for a purpose (extendedKeyUsage) that "
		    "profile %s does not give",
		    profile->name);
	return 0;
}

static bool
listed(struct wire_bytes text, const char *const *names)
{
	for (; names != NULL && *names != NULL; names++)
		if (strlen(*names) == text.len &&
		    strncasecmp(*names, (const char *)text.data, text.len) == 0)
			return true;
	return false;
}

int
asked_check(const struct asked *a, const struct profile *profile,
    const char *const *dns, const char *const *emails, struct fault *f)
{
	if (a->ca && !profile->conf.ca)
		return fault_set(f, FAULT_DENIED,
		    "the request asks for a CA (CA:TRUE), which profile %s "
		    "does not make",
		    profile->name);
	if (a->path_length > profile->conf.path_length &&
	    profile->conf.path_length >= 0)
		return fault_set(f, FAULT_DENIED,
		    "the request asks for a path length of %d, profile %s "
		    "gives %lld",
		    a->path_length, profile->name,
		    (long long)profile->conf.path_length);
	if (check_usage(a, profile, f) < 0)
		return -1;
	for (size_t i = 0; i < a->count; i++) {
		const struct asked_name *n = &a->name[i];

		if (listed(n->text, n->mail ? emails : dns))
			continue;
		/* Only a name that can be shown is shown. */
		if (name_bytes_check(n->mail ? "mail address in the request"
					     : "host name in the request",
			n->text, f) < 0)
			return -1;
		return fault_set(f, FAULT_DENIED,
		    "the PKCS#10 request names %.*s, which was not asked for",
		    (int)n->text.len, (const char *)n->text.data);
	}
	return 0;
}
