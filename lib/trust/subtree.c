#include "trust/subtree.h"

#include "x509/der.h"
#include "x509/dn.h"

#include <ctype.h>
#include <string.h>

#define VALUE_MAX DN_MAX

/* A value as it is compared: lower case, blanks trimmed and single. */
struct folded {
	size_t len;
	uint8_t text[VALUE_MAX];
};

static bool
put(struct folded *to, uint8_t c)
{
	if (isspace(c)) {
		/* A blank is put when something follows it. */
		if (to->len > 0 && to->text[to->len - 1] != ' ')
			to->text[to->len++] = ' ';
		return to->len < VALUE_MAX;
	}
	to->text[to->len++] = (uint8_t)tolower(c);
	return to->len < VALUE_MAX;
}

/* How many bytes a character of string type ${tag} has; 0: not a type we
 * compare. */
static size_t
width_of(uint8_t tag)
{
	switch (tag) {
	case DER_UTF8:
	case DER_PRINTABLE:
	case DER_IA5:
		return 1;
	case DER_BMP:
		return 2;
	default:
		return 0;
	}
}

static bool
fold(uint8_t tag, struct wire_bytes value, struct folded *to)
{
	size_t width = width_of(tag);

	to->len = 0;
	if (width == 0 || value.len % width != 0)
		return false;
	for (size_t i = 0; i < value.len; i += width) {
		if (width == 2 && value.data[i] != 0)
			return false;
		if (!put(to, value.data[i + width - 1]))
			return false;
	}
	while (to->len > 0 && to->text[to->len - 1] == ' ')
		to->len--;
	return true;
}

/* Two AttributeTypeAndValues: 1 equal, 0 not, -1 who knows. */
static int
compare_attributes(struct der_in a, struct der_in b)
{
	struct folded left, right;
	uint8_t tag_a, tag_b;

	if (!der_bytes_equal(der_get(&a, DER_OID), der_get(&b, DER_OID)))
		return 0;
	tag_a = der_peek(&a);
	tag_b = der_peek(&b);
	if (!fold(tag_a, der_get(&a, tag_a), &left) ||
	    !fold(tag_b, der_get(&b, tag_b), &right))
		return -1;
	return left.len == right.len &&
	    memcmp(left.text, right.text, left.len) == 0;
}

/* Two RDNs; those of several attributes only compare byte for byte. */
static int
compare_rdns(struct wire_bytes a, struct wire_bytes b)
{
	struct der_in left = DER_IN(a.data, a.len);
	struct der_in right = DER_IN(b.data, b.len);
	struct der_in one, other;

	if (der_bytes_equal(a, b))
		return 1;
	one = der_enter(&left, DER_SEQUENCE);
	other = der_enter(&right, DER_SEQUENCE);
	if (!der_ended(&left) || !der_ended(&right))
		return -1;
	return compare_attributes(one, other);
}

int
subtree_directory(struct wire_bytes name, struct wire_bytes base)
{
	struct der_in a = DER_IN(name.data, name.len);
	struct der_in b = DER_IN(base.data, base.len);
	struct der_in rdns = der_enter(&a, DER_SEQUENCE);
	struct der_in wanted = der_enter(&b, DER_SEQUENCE);

	while (wanted.left > 0) {
		struct wire_bytes want = der_get(&wanted, DER_SET);
		struct wire_bytes have;
		int same;

		if (wanted.failed)
			return -1;
		if (rdns.left == 0)
			return 0;
		have = der_get(&rdns, DER_SET);
		if (rdns.failed)
			return -1;
		if ((same = compare_rdns(have, want)) != 1)
			return same;
	}
	return der_ended(&a) && der_ended(&b) ? 1 : -1;
}

/* A dot at the end says no more than that the name is whole. */
static struct wire_bytes
without_last_dot(struct wire_bytes name)
{
	if (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	return name;
}

bool
subtree_domain(struct wire_bytes name, struct wire_bytes base)
{
	const uint8_t *end;

	name = without_last_dot(name);
	base = without_last_dot(base);
	if (base.len == 0)
		return true;
	if (name.len < base.len)
		return false;
	end = name.data + name.len - base.len;
	if (strncasecmp((const char *)end, (const char *)base.data, base.len) !=
	    0)
		return false;
	return name.len == base.len || base.data[0] == '.' || end[-1] == '.';
}

bool
subtree_wildcard(struct wire_bytes name, struct wire_bytes base)
{
	struct wire_bytes rest;

	if (name.len < 2 || name.data[0] != '*' || name.data[1] != '.')
		return false;
	rest = (struct wire_bytes){ name.data + 1, name.len - 1 };
	/* It is the base that must lie below what the wildcard stands for.
	 * NOLINTNEXTLINE(readability-suspicious-call-argument) */
	return subtree_domain(base, rest);
}
