/* Names: their structure, and what is asked of it.  dn_text.c reads and makes
 * names from text, dn_show.c shows them. */
#include "x509/dn.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"

#include <string.h>

struct dn_walk
dn_walk(const struct dn *dn)
{
	struct der_in in = DER_IN(dn->der, dn->len);
	struct dn_walk walk = { der_enter(&in, DER_SEQUENCE), DER_IN(NULL, 0) };

	return walk;
}

bool
dn_walk_next(struct dn_walk *walk, struct dn_ava *ava)
{
	struct der_in one;
	bool first = walk->avas.left == 0;

	if (first)
		walk->avas = der_enter(&walk->rdns, DER_SET);
	one = der_enter(&walk->avas, DER_SEQUENCE);
	ava->first = first;
	ava->oid = der_get_oid(&one);
	ava->tag = der_peek(&one);
	ava->value = der_get(&one, ava->tag);
	return der_ended(&one);
}

/* The code point of the ${size} octets at ${p}. */
static uint32_t
code_point(const uint8_t *p, size_t size)
{
	uint32_t c = 0;

	for (size_t i = 0; i < size; i++)
		c = c << 8 | p[i];
	return c;
}

/* Octets a character has in the string type ${tag}; 0 for UTF-8, which is
 * checked otherwise, -1 for no type of a name (RFC 5280 4.1.2.4). */
static int
char_size(uint8_t tag)
{
	switch (tag) {
	case DER_UTF8:
		return 0;
	case DER_PRINTABLE:
	case DER_NUMERIC:
	case DER_IA5:
	case DER_T61:
		return 1;
	case DER_BMP:
		return 2;
	case DER_UNIVERSAL:
		return 4;
	default:
		return -1;
	}
}

/*
 * Whether ${ava} has a value that can be shown: characters of its type that
 * exist and do not control anything.  PrintableString and the like are held to
 * ASCII only, since certificates with "@" or "_" in one are in use.
 */
static bool
value_is_good(const struct dn_ava *ava)
{
	int size = char_size(ava->tag);
	size_t step = size > 0 ? (size_t)size : 1;
	uint32_t most = ava->tag == DER_T61 ? 0xff : 0x7e;

	if (size < 0 || ava->value.len == 0 || ava->value.len % step != 0)
		return false;
	if (size == 0)
		return text_utf8(ava->value.data, ava->value.len);
	if (size > 1)
		most = 0x10ffff;
	for (size_t i = 0; i < ava->value.len; i += step) {
		uint32_t c = code_point(ava->value.data + i, step);

		if (c < 0x20 || c == 0x7f || c > most ||
		    (c >= 0xd800 && c < 0xe000))
			return false;
	}
	return true;
}

/* Whether ${a} sorts before ${b} as the members of a SET OF must (X.690 11.6);
 * equal members are refused as well. */
static bool
in_order(struct wire_bytes a, struct wire_bytes b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.data, b.data, least);

	return order < 0 || (order == 0 && a.len < b.len);
}

/* One RDN: a SET of AttributeTypeAndValue. */
static bool
rdn_is_good(struct der_in *rdns)
{
	struct der_in set = der_enter(rdns, DER_SET);
	struct wire_bytes before = { NULL, 0 };
	char oid[128];

	do {
		struct wire_bytes whole = der_get_whole(&set, DER_SEQUENCE);
		struct der_in outer = DER_IN(whole.data, whole.len);
		struct der_in one = der_enter(&outer, DER_SEQUENCE);
		struct dn_ava ava = { .oid = der_get_oid(&one) };

		ava.tag = der_peek(&one);
		ava.value = der_get(&one, ava.tag);
		if (set.failed || !der_ended(&one) || !value_is_good(&ava) ||
		    der_oid_text(ava.oid, oid, sizeof(oid)) < 0 ||
		    (before.data != NULL && !in_order(before, whole)))
			return false;
		before = whole;
	} while (set.left > 0);
	return true;
}

int
dn_read_der(struct dn *dn, struct wire_bytes der, struct fault *f)
{
	struct der_in in = DER_IN(der.data, der.len);
	struct der_in rdns = der_enter(&in, DER_SEQUENCE);

	if (der.len > DN_MAX)
		return fault_set(f, FAULT_INPUT,
		    "a name of %zu bytes; %d is the most", der.len, DN_MAX);
	if (!der_ended(&in))
		return fault_set(f, FAULT_INPUT, "malformed name");
	while (rdns.left > 0)
		if (!rdn_is_good(&rdns))
			return fault_set(f, FAULT_INPUT,
			    "malformed name: RFC 5280 4.1.2.4");
	memcpy(dn->der, der.data, der.len);
	dn->len = der.len;
	return 0;
}

bool
dn_equal(const struct dn *a, const struct dn *b)
{
	return a->len == b->len && memcmp(a->der, b->der, a->len) == 0;
}

/* The RDNs of ${dn}, without the header around them. */
static struct wire_bytes
contents(const struct dn *dn)
{
	struct der_in in = DER_IN(dn->der, dn->len);

	return der_get(&in, DER_SEQUENCE);
}

bool
dn_under(const struct dn *dn, const struct dn *base)
{
	struct wire_bytes all = contents(dn), first = contents(base);

	/* RDNs are self-delimiting: a prefix of bytes is a prefix of RDNs.
	 * Nothing is below a name without RDN: an empty name space is a
	 * mistake, not the world. */
	return first.len > 0 && all.len > first.len &&
	    memcmp(all.data, first.data, first.len) == 0;
}

size_t
dn_depth(const struct dn *dn)
{
	struct der_in in = DER_IN(dn->der, dn->len);
	struct der_in rdns = der_enter(&in, DER_SEQUENCE);
	size_t depth = 0;

	for (; rdns.left > 0 && !rdns.failed; depth++)
		(void)der_get(&rdns, DER_SET);
	return depth;
}

bool
dn_parent(const struct dn *dn, struct dn *parent)
{
	OWN_BUF(out, DN_MAX);
	struct der_in in = DER_IN(dn->der, dn->len);
	struct der_in rdns = der_enter(&in, DER_SEQUENCE);
	const uint8_t *first = rdns.at, *last = NULL;
	size_t mark = der_open(&out, DER_SEQUENCE);

	while (rdns.left > 0 && !rdns.failed)
		last = der_get_whole(&rdns, DER_SET).data;
	if (rdns.failed || last == NULL || last == first)
		return false;
	buf_put(&out, first, (size_t)(last - first));
	der_close(&out, mark);
	if (out.failed)
		return false;
	memcpy(parent->der, out.data, out.len);
	parent->len = out.len;
	return true;
}

/* ${dn} as OpenSSL holds names, for its hashes. */
static X509_NAME *
name_of(const struct dn *dn)
{
	const uint8_t *at = dn->der;

	return d2i_X509_NAME(NULL, &at, (long)dn->len);
}

int
dn_hash(const struct dn *dn, char hash[9], struct fault *f)
{
	OWN(X509_NAME) name = name_of(dn);
	unsigned long value;
	int good = 0;

	if (name == NULL)
		return ossl_fault(f, FAULT_INPUT, "hash of a name");
	value = X509_NAME_hash_ex(name, NULL, NULL, &good);
	if (good != 1)
		return ossl_fault(f, FAULT_SYSTEM, "hash of a name");
	return text_fmt(hash, 9, "%08lx", value & 0xffffffff);
}

int
dn_hash_old(const struct dn *dn, char hash[9], struct fault *f)
{
	OWN(X509_NAME) name = name_of(dn);
	unsigned long value;

	if (name == NULL)
		return ossl_fault(f, FAULT_INPUT, "old hash of a name");
	/* 0 is how it says that there is no MD5 here. */
	if ((value = X509_NAME_hash_old(name)) == 0)
		return ossl_fault(f, FAULT_SYSTEM, "old hash of a name");
	return text_fmt(hash, 9, "%08lx", value & 0xffffffff);
}
