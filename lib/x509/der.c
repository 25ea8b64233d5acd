#include "x509/der.h"

#include <string.h>

#define LONG_FORM 0x80
#define TAG_NUMBER 0x1f

static const struct wire_bytes nothing = { NULL, 0 };

static struct wire_bytes
fail(struct der_in *in)
{
	in->failed = true;
	return nothing;
}

/*
 * How many octets the header at ${in} takes, and how many contents follow.
 * 0 unless the tag is of the low form, the length is definite and minimal
 * (X.690 10.1), and all contents are there.
 */
static size_t
header(const struct der_in *in, size_t *len)
{
	size_t octets, n = 0;

	if (in->failed || in->left < 2 || in->at[0] == 0 ||
	    (in->at[0] & TAG_NUMBER) == TAG_NUMBER)
		return 0;
	if (in->at[1] < LONG_FORM) {
		*len = in->at[1];
		return in->left - 2 >= *len ? 2 : 0;
	}
	octets = in->at[1] & (LONG_FORM - 1);
	if (octets == 0 || octets > 4 || in->left - 2 < octets)
		return 0;
	for (size_t i = 0; i < octets; i++)
		n = n << 8 | in->at[2 + i];
	if (n < LONG_FORM || n >> 8 * (octets - 1) == 0 ||
	    in->left - 2 - octets < n)
		return 0;
	*len = n;
	return 2 + octets;
}

uint8_t
der_peek(const struct der_in *in)
{
	return in->failed || in->left == 0 ? 0 : in->at[0];
}

/* The next element, ${whole} or only its contents. */
static struct wire_bytes
element(struct der_in *in, uint8_t tag, bool whole)
{
	struct wire_bytes found;
	size_t len = 0;
	size_t head = header(in, &len);

	if (head == 0 || (tag != 0 && in->at[0] != tag))
		return fail(in);
	found.data = whole ? in->at : in->at + head;
	found.len = whole ? head + len : len;
	in->at += head + len;
	in->left -= head + len;
	return found;
}

struct wire_bytes
der_get(struct der_in *in, uint8_t tag)
{
	return element(in, tag, false);
}

struct wire_bytes
der_get_whole(struct der_in *in, uint8_t tag)
{
	return element(in, tag, true);
}

struct der_in
der_enter(struct der_in *in, uint8_t tag)
{
	struct wire_bytes contents = element(in, tag, false);

	return (struct der_in){ contents.data, contents.len, in->failed };
}

bool
der_maybe(struct der_in *in, uint8_t tag, struct der_in *inner)
{
	*inner = (struct der_in){ NULL, 0, in->failed };
	if (der_peek(in) != tag)
		return false;
	*inner = der_enter(in, tag);
	return !in->failed;
}

bool
der_get_bool(struct der_in *in)
{
	struct wire_bytes b = der_get(in, DER_BOOLEAN);

	/* X.690 11.1: TRUE is all ones. */
	if (in->failed || b.len != 1 || (b.data[0] != 0 && b.data[0] != 0xff)) {
		in->failed = true;
		return false;
	}
	return b.data[0] == 0xff;
}

struct wire_bytes
der_get_unsigned(struct der_in *in)
{
	struct wire_bytes n = der_get(in, DER_INTEGER);

	if (in->failed || n.len == 0 || n.data[0] >= 0x80)
		return fail(in);
	if (n.data[0] != 0)
		return n;
	/* X.690 8.3.2: a zero octet only before a high first bit. */
	if (n.len > 1 && n.data[1] < 0x80)
		return fail(in);
	return (struct wire_bytes){ n.data + 1, n.len - 1 };
}

struct wire_bytes
der_get_positive(struct der_in *in)
{
	struct wire_bytes n = der_get_unsigned(in);

	return n.len == 0 ? fail(in) : n;
}

uint64_t
der_get_u64(struct der_in *in)
{
	struct wire_bytes n = der_get_unsigned(in);
	uint64_t value = 0;

	if (n.len > sizeof(value)) {
		in->failed = true;
		return 0;
	}
	for (size_t i = 0; i < n.len; i++)
		value = value << 8 | n.data[i];
	return value;
}

struct wire_bytes
der_get_bits(struct der_in *in)
{
	struct wire_bytes bits = der_get(in, DER_BIT_STRING);

	if (in->failed || bits.len == 0 || bits.data[0] != 0)
		return fail(in);
	return (struct wire_bytes){ bits.data + 1, bits.len - 1 };
}

/* Whether a named-bit list ends as it must: the last bit that counts is one
 * and the padding after it zero. */
static bool
flags_end_well(struct wire_bytes bits)
{
	unsigned padding;

	if (bits.len == 0 || bits.len > 5 || bits.data[0] > 7)
		return false;
	padding = bits.data[0];
	if (bits.len == 1)
		return padding == 0;
	return (bits.data[bits.len - 1] & ((2u << padding) - 1)) ==
	    1u << padding;
}

uint32_t
der_get_flags(struct der_in *in)
{
	struct wire_bytes bits = der_get(in, DER_BIT_STRING);
	uint32_t flags = 0;

	if (in->failed || !flags_end_well(bits)) {
		in->failed = true;
		return 0;
	}
	for (size_t i = 0; i < 8 * (bits.len - 1); i++)
		if (bits.data[1 + i / 8] & 0x80 >> i % 8)
			flags |= 1u << i;
	return flags;
}

bool
der_ended(const struct der_in *in)
{
	return !in->failed && in->left == 0;
}

bool
der_bytes_equal(struct wire_bytes a, struct wire_bytes b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

size_t
der_open(struct buf *out, uint8_t tag)
{
	buf_put_u8(out, tag);
	buf_put_u8(out, 0);
	return out->len;
}

void
der_close(struct buf *out, size_t mark)
{
	size_t len, more = 0;
	uint8_t *at;

	if (out->failed)
		return;
	len = out->len - mark;
	if (len >= LONG_FORM)
		for (size_t n = len; n > 0; n >>= 8)
			more++;
	if (buf_room(out, more) == NULL)
		return;
	/* buf_room may have moved the data. */
	at = out->data + mark;
	if (more == 0) {
		at[-1] = (uint8_t)len;
		return;
	}
	memmove(at + more, at, len);
	at[-1] = (uint8_t)(LONG_FORM | more);
	for (size_t i = 0; i < more; i++)
		at[i] = (uint8_t)(len >> 8 * (more - 1 - i));
	out->len += more;
}

void
der_put(struct buf *out, uint8_t tag, const void *data, size_t len)
{
	size_t mark = der_open(out, tag);

	buf_put(out, data, len);
	der_close(out, mark);
}

size_t
der_header_size(size_t len)
{
	size_t size = 2;

	if (len >= LONG_FORM)
		for (size_t n = len; n > 0; n >>= 8)
			size++;
	return size;
}

void
der_put_header(struct buf *out, uint8_t tag, size_t len)
{
	size_t more = der_header_size(len) - 2;

	buf_put_u8(out, tag);
	buf_put_u8(out, (uint8_t)(more == 0 ? len : LONG_FORM | more));
	while (more-- > 0)
		buf_put_u8(out, (uint8_t)(len >> 8 * more));
}

void
der_put_bool(struct buf *out, bool value)
{
	der_put(out, DER_BOOLEAN, value ? "\xff" : "\0", 1);
}

void
der_put_u64(struct buf *out, uint64_t value)
{
	uint8_t octets[1 + sizeof(value)] = { 0 };
	size_t skip = 0;

	for (size_t i = 0; i < sizeof(value); i++)
		octets[1 + i] = (uint8_t)(value >> 8 * (sizeof(value) - 1 - i));
	while (skip < sizeof(value) && octets[skip] == 0 &&
	    octets[skip + 1] < 0x80)
		skip++;
	der_put(out, DER_INTEGER, octets + skip, sizeof(octets) - skip);
}

void
der_put_positive(struct buf *out, const void *data, size_t len)
{
	const uint8_t *octets = data;
	size_t mark = der_open(out, DER_INTEGER);

	while (len > 0 && *octets == 0) {
		octets++;
		len--;
	}
	if (len == 0 || *octets >= 0x80)
		buf_put_u8(out, 0);
	buf_put(out, octets, len);
	der_close(out, mark);
}

void
der_put_bits(struct buf *out, const void *data, size_t len)
{
	size_t mark = der_open(out, DER_BIT_STRING);

	buf_put_u8(out, 0);
	buf_put(out, data, len);
	der_close(out, mark);
}

void
der_put_flags(struct buf *out, uint32_t flags)
{
	uint8_t octets[5] = { 0 };
	unsigned count = 0;

	for (unsigned i = 0; i < 32; i++) {
		if ((flags >> i & 1) == 0)
			continue;
		octets[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
		count = i + 1;
	}
	octets[0] = (uint8_t)((8 - count % 8) % 8);
	der_put(out, DER_BIT_STRING, octets, 1 + (count + 7) / 8);
}
