#include "x509/tbs.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/tbs_part.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define VALUE_MAX 255
#define RDN_MAX 32
#define RSA_LEAST 2048
#define RSA_MOST 16384

/* Whole AlgorithmIdentifiers: RFC 4055 section 5, RFC 5758 section 3.2. */
static const struct {
	enum key_kind kind;
	struct wire_bytes der;
} algorithms[] = {
	{ KEY_RSA,
	    TBS_OID("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
		    "\x05\x00") },
	{ KEY_P256,
	    TBS_OID("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03"
		    "\x02") },
	{ KEY_P384,
	    TBS_OID("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03"
		    "\x03") },
};

/* AlgorithmIdentifiers of the keys we certify: RFC 3279 2.3.1, RFC 5480. */
static const struct {
	struct wire_bytes der;
	size_t point; /* length of an uncompressed one; 0: RSA */
} key_algorithms[] = {
	{ TBS_OID("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
		  "\x05\x00"),
	    0 },
	{ TBS_OID("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08"
		  "\x2a\x86\x48\xce\x3d\x03\x01\x07"),
	    65 },
	{ TBS_OID("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05"
		  "\x2b\x81\x04\x00\x22"),
	    97 },
};

/* What a name may be made of, and which string types each may have. */
enum form {
	FORM_IA5,
	FORM_COUNTRY, /* two letters, PrintableString */
	FORM_PRINTABLE,
	FORM_TEXT /* PrintableString if it fits, else UTF8String */
};

static const struct attribute {
	struct wire_bytes oid;
	enum form form;
	size_t most; /* characters, RFC 5280 appendix A.1; 0: VALUE_MAX */
} attributes[] = {
	{ TBS_OID("\x55\x04\x03"), FORM_TEXT, 64 },	 /* CN */
	{ TBS_OID("\x55\x04\x04"), FORM_TEXT, 0 },	 /* SN */
	{ TBS_OID("\x55\x04\x05"), FORM_PRINTABLE, 64 }, /* serialNumber */
	{ TBS_OID("\x55\x04\x06"), FORM_COUNTRY, 2 },
	{ TBS_OID("\x55\x04\x07"), FORM_TEXT, 128 }, /* L */
	{ TBS_OID("\x55\x04\x08"), FORM_TEXT, 128 }, /* ST */
	{ TBS_OID("\x55\x04\x09"), FORM_TEXT, 0 },   /* street */
	{ TBS_OID("\x55\x04\x0a"), FORM_TEXT, 64 },  /* O */
	{ TBS_OID("\x55\x04\x0b"), FORM_TEXT, 64 },  /* OU */
	{ TBS_OID("\x55\x04\x0c"), FORM_TEXT, 64 },  /* title */
	{ TBS_OID("\x55\x04\x2a"), FORM_TEXT, 0 },   /* GN */
	{ TBS_OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"), FORM_TEXT,
	    0 }, /* UID */
	{ TBS_OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), FORM_IA5,
	    0 }, /* DC */
	{ TBS_OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"), FORM_IA5,
	    255 }, /* emailAddress */
};

static const struct wire_bytes common_name = TBS_OID("\x55\x04\x03");

int
tbs_algorithm(struct der_in *in, const struct authority *a, struct fault *f)
{
	struct wire_bytes found = der_get_whole(in, DER_SEQUENCE);

	for (size_t i = 0; i < COUNT_OF(algorithms); i++)
		if (!in->failed && algorithms[i].kind == a->cert->spki.kind &&
		    der_bytes_equal(found, algorithms[i].der))
			return 0;
	return fault_set(f, FAULT_DENIED,
	    "the signature algorithm is not that of the CA's key");
}

int
tbs_issuer(struct der_in *in, const struct authority *a, struct fault *f)
{
	struct wire_bytes found = der_get_whole(in, DER_SEQUENCE);
	struct wire_bytes own = { a->cert->subject.der, a->cert->subject.len };

	if (in->failed || own.len == 0 || !der_bytes_equal(found, own))
		return fault_set(f, FAULT_DENIED,
		    "the issuer is not the CA's own name");
	return 0;
}

int
tbs_serial(struct der_in *in, struct wire_bytes *serial, struct fault *f)
{
	*serial = der_get_positive(in);
	if (in->failed || serial->len > TBS_SERIAL_MAX ||
	    (serial->len == TBS_SERIAL_MAX && serial->data[0] >= 0x80))
		return fault_set(f, FAULT_DENIED,
		    "RFC 5280 4.1.2.2: serial is not a positive number of at "
		    "most 20 octets");
	return 0;
}

static int
check_version(struct der_in *in, struct fault *f)
{
	struct der_in version = der_enter(in, DER_CONTEXT_C(0));

	if (der_get_u64(&version) != 2 || !der_ended(&version))
		return fault_set(f, FAULT_DENIED,
		    "RFC 5280 4.1.2.1: not a version 3 certificate");
	return 0;
}

static int
check_serial(struct der_in *in, const struct authority *a, struct fault *f)
{
	struct wire_bytes serial;
	uint64_t number = 0;

	if (tbs_serial(in, &serial, f) < 0)
		return -1;
	if (a->serial_random)
		return 0;
	for (size_t i = 0; i < serial.len && serial.len <= 8; i++)
		number = number << 8 | serial.data[i];
	if (serial.len > 8 || number < a->serial_start ||
	    number - a->serial_start >= a->serial_span)
		return fault_set(f, FAULT_DENIED,
		    "serial is outside of the CA's range");
	return 0;
}

static int
check_validity(struct der_in *in, const struct authority *a, time_t now,
    struct fault *f)
{
	struct der_in validity = der_enter(in, DER_SEQUENCE);
	time_t from = der_get_time(&validity);
	time_t until = der_get_time(&validity);

	if (!der_ended(&validity))
		return fault_set(f, FAULT_DENIED,
		    "RFC 5280 4.1.2.5: malformed validity");
	if (from > now + TBS_AHEAD || from < now - TBS_BEHIND)
		return fault_set(f, FAULT_DENIED, "notBefore is far from now");
	if (until <= from || until <= now)
		return fault_set(f, FAULT_DENIED, "notAfter has passed");
	if (until - from > a->conf.max_lifetime)
		return fault_set(f, FAULT_DENIED,
		    "lifetime of %lld s is above the CA's ceiling of %lld s",
		    (long long)(until - from), (long long)a->conf.max_lifetime);
	if (until > a->cert->not_after)
		return fault_set(f, FAULT_DENIED,
		    "notAfter is past that of the CA");
	return 0;
}

/* X.680 41.4. */
static bool
is_printable(struct wire_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool digit = c >= '0' && c <= '9';

		if (c == 0 ||
		    (!letter && !digit && strchr(" '()+,-./:=?", c) == NULL))
			return false;
	}
	return true;
}

static bool
is_ascii(struct wire_bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < 0x20 || text.data[i] > 0x7e)
			return false;
	return true;
}

/* One text has one encoding, or two subjects could look the same. */
static bool
value_good(enum form form, uint8_t tag, struct wire_bytes text)
{
	if (text.len == 0 || text.len > VALUE_MAX)
		return false;
	switch (form) {
	case FORM_IA5:
		return tag == DER_IA5 && is_ascii(text);
	case FORM_COUNTRY:
		return tag == DER_PRINTABLE && text.len == 2 &&
		    is_printable(text);
	case FORM_PRINTABLE:
		return tag == DER_PRINTABLE && is_printable(text);
	case FORM_TEXT:
		if (tag == DER_PRINTABLE)
			return is_printable(text);
		return tag == DER_UTF8 && !is_printable(text) &&
		    text_utf8(text.data, text.len);
	}
	return false;
}

static bool
length_good(const struct attribute *attribute, struct wire_bytes text)
{
	size_t characters = 0;

	for (size_t i = 0; i < text.len; i++)
		characters += (text.data[i] & 0xc0) != 0x80;
	return attribute->most == 0 || characters <= attribute->most;
}

static bool
bytes_are(struct wire_bytes bytes, const char *text)
{
	return bytes.len == strlen(text) &&
	    memcmp(bytes.data, text, bytes.len) == 0;
}

/*
 * One RDN with one attribute.  ${last}: GSI takes a certificate whose name
 * ends in these CNs for a proxy of the name above it.
 */
static bool
rdn_good(struct der_in *name, bool *proxy)
{
	struct der_in set = der_enter(name, DER_SET);
	struct der_in pair = der_enter(&set, DER_SEQUENCE);
	struct wire_bytes oid = der_get(&pair, DER_OID);
	uint8_t tag = der_peek(&pair);
	struct wire_bytes value = der_get(&pair, tag);

	if (!der_ended(&pair) || !der_ended(&set))
		return false;
	*proxy = der_bytes_equal(oid, common_name) &&
	    (bytes_are(value, "proxy") || bytes_are(value, "limited proxy"));
	for (size_t i = 0; i < COUNT_OF(attributes); i++)
		if (der_bytes_equal(oid, attributes[i].oid))
			return value_good(attributes[i].form, tag, value) &&
			    length_good(&attributes[i], value);
	return false;
}

static bool
name_good(struct wire_bytes der)
{
	struct der_in whole = DER_IN(der.data, der.len);
	struct der_in name = der_enter(&whole, DER_SEQUENCE);
	bool proxy = false;
	size_t count = 0;

	if (der.len > DN_MAX)
		return false;
	while (!der_ended(&name))
		if (!rdn_good(&name, &proxy) || ++count > RDN_MAX)
			return false;
	return count > 0 && !proxy;
}

/* Whether the name has all RDNs of ${base} first, and at least one more. */
static bool
name_below(struct wire_bytes der, const struct dn *base)
{
	struct der_in name_whole = DER_IN(der.data, der.len);
	struct der_in base_whole = DER_IN(base->der, base->len);
	struct der_in name = der_enter(&name_whole, DER_SEQUENCE);
	struct der_in above = der_enter(&base_whole, DER_SEQUENCE);

	if (der_ended(&above))
		return false;
	while (!der_ended(&above)) {
		struct wire_bytes want = der_get_whole(&above, DER_SET);
		struct wire_bytes have = der_get_whole(&name, DER_SET);

		if (above.failed || name.failed || !der_bytes_equal(want, have))
			return false;
	}
	return der_peek(&name) == DER_SET;
}

static int
check_subject(struct der_in *in, const struct authority *a, struct fault *f)
{
	struct wire_bytes name = der_get_whole(in, DER_SEQUENCE);
	struct wire_bytes own = { a->cert->subject.der, a->cert->subject.len };
	bool below = false;

	if (in->failed || !name_good(name))
		return fault_set(f, FAULT_DENIED,
		    "malformed subject, or a value in it is longer than RFC "
		    "5280 appendix A.1 lets it be (CN: 64 characters)");
	for (size_t i = 0; i < a->under_count; i++)
		below = below || name_below(name, &a->under[i]);
	if (!below)
		return fault_set(f, FAULT_DENIED,
		    "the subject is outside of the CA's name space");
	if (der_bytes_equal(name, own))
		return fault_set(f, FAULT_DENIED,
		    "the subject is the CA's own name");
	return 0;
}

static size_t
bits_in(struct wire_bytes number)
{
	size_t bits = number.len * 8;

	for (unsigned top = 0x80; bits > 0 && (number.data[0] & top) == 0;
	     top >>= 1)
		bits--;
	return bits;
}

/* RFC 3279 2.3.1; odd modulus, odd exponent of 65537 to 64 bits. */
static bool
rsa_good(struct wire_bytes bits)
{
	struct der_in whole = DER_IN(bits.data, bits.len);
	struct der_in key = der_enter(&whole, DER_SEQUENCE);
	struct wire_bytes modulus = der_get_positive(&key);
	uint64_t exponent = der_get_u64(&key);

	if (!der_ended(&key) || !der_ended(&whole))
		return false;
	return bits_in(modulus) >= RSA_LEAST && bits_in(modulus) <= RSA_MOST &&
	    (modulus.data[modulus.len - 1] & 1) != 0 && exponent >= 65537 &&
	    (exponent & 1) != 0;
}

static int
check_key(struct der_in *in, const struct authority *a, struct tbs_key *key,
    struct fault *f)
{
	struct wire_bytes whole = der_get_whole(in, DER_SEQUENCE);
	struct der_in outer = DER_IN(whole.data, whole.len);
	struct der_in spki = der_enter(&outer, DER_SEQUENCE);
	struct wire_bytes algorithm = der_get_whole(&spki, DER_SEQUENCE);
	bool good = false;

	key->bits = der_get_bits(&spki);
	if (in->failed || !der_ended(&spki))
		return fault_set(f, FAULT_DENIED, "malformed public key");
	for (size_t i = 0; i < COUNT_OF(key_algorithms); i++) {
		size_t point = key_algorithms[i].point;

		if (!der_bytes_equal(algorithm, key_algorithms[i].der))
			continue;
		key->rsa = point == 0;
		good = key->rsa
		    ? rsa_good(key->bits)
		    : key->bits.len == point && key->bits.data[0] == 0x04;
	}
	if (!good)
		return fault_set(f, FAULT_DENIED,
		    "the key is neither RSA of 2048 bits or more nor P-256 "
		    "nor P-384");
	if (der_bytes_equal(key->bits, a->cert->spki.bits))
		return fault_set(f, FAULT_DENIED, "the key is the CA's own");
	return 0;
}

int
tbs_check(struct wire_bytes tbs, const struct authority *authority, time_t now,
    struct fault *f)
{
	struct der_in outer = DER_IN(tbs.data, tbs.len);
	struct der_in in = der_enter(&outer, DER_SEQUENCE);
	struct tbs_key key = { 0 };

	if (tbs.len > CERT_MAX || !der_ended(&outer))
		return fault_set(f, FAULT_DENIED,
		    "not a certificate to be signed");
	if (check_version(&in, f) < 0 || check_serial(&in, authority, f) < 0 ||
	    tbs_algorithm(&in, authority, f) < 0 ||
	    tbs_issuer(&in, authority, f) < 0 ||
	    check_validity(&in, authority, now, f) < 0 ||
	    check_subject(&in, authority, f) < 0 ||
	    check_key(&in, authority, &key, f) < 0)
		return -1;
	return tbs_extensions(&in, authority, &key, f);
}
