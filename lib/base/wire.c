#include "base/wire.h"

#include <string.h>

/* The next ${n} bytes, or NULL if there are not so many. */
static const uint8_t *
take(struct wire_in *in, size_t n)
{
	const uint8_t *p = in->at;

	if (in->failed || n > in->left) {
		in->failed = true;
		return NULL;
	}
	in->at += n;
	in->left -= n;
	return p;
}

static uint8_t *
room(struct wire_out *out, size_t n)
{
	uint8_t *p = out->at;

	if (out->failed || n > out->left) {
		out->failed = true;
		return NULL;
	}
	out->at += n;
	out->left -= n;
	return p;
}

uint8_t
wire_get_u8(struct wire_in *in)
{
	const uint8_t *p = take(in, 1);

	return p == NULL ? 0 : *p;
}

uint32_t
wire_get_u32(struct wire_in *in)
{
	const uint8_t *p = take(in, 4);

	if (p == NULL)
		return 0;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

uint64_t
wire_get_u64(struct wire_in *in)
{
	uint64_t high = wire_get_u32(in);

	return high << 32 | wire_get_u32(in);
}

struct wire_bytes
wire_get_bytes(struct wire_in *in, size_t max)
{
	struct wire_bytes bytes = { NULL, 0 };
	size_t len = wire_get_u32(in);

	if (len > max)
		in->failed = true;
	if ((bytes.data = take(in, len)) != NULL)
		bytes.len = len;
	return bytes;
}

void
wire_get_text(struct wire_in *in, char *text, size_t size)
{
	struct wire_bytes bytes = wire_get_bytes(in, size - 1);

	text[0] = '\0';
	if (bytes.len == 0)
		return;
	if (memchr(bytes.data, '\0', bytes.len) != NULL) {
		in->failed = true;
		return;
	}
	memcpy(text, bytes.data, bytes.len);
	text[bytes.len] = '\0';
}

bool
wire_ended(const struct wire_in *in)
{
	return !in->failed && in->left == 0;
}

void
wire_put_u8(struct wire_out *out, uint8_t value)
{
	uint8_t *p = room(out, 1);

	if (p != NULL)
		*p = value;
}

void
wire_put_u32(struct wire_out *out, uint32_t value)
{
	uint8_t *p = room(out, 4);

	if (p == NULL)
		return;
	p[0] = (uint8_t)(value >> 24);
	p[1] = (uint8_t)(value >> 16);
	p[2] = (uint8_t)(value >> 8);
	p[3] = (uint8_t)value;
}

void
wire_put_u64(struct wire_out *out, uint64_t value)
{
	wire_put_u32(out, (uint32_t)(value >> 32));
	wire_put_u32(out, (uint32_t)value);
}

void
wire_put_bytes(struct wire_out *out, struct wire_bytes bytes, size_t max)
{
	uint8_t *p;

	if (bytes.len > max) {
		out->failed = true;
		return;
	}
	wire_put_u32(out, (uint32_t)bytes.len);
	if (bytes.len > 0 && (p = room(out, bytes.len)) != NULL)
		memcpy(p, bytes.data, bytes.len);
}

void
wire_put_text(struct wire_out *out, const char *text, size_t size)
{
	struct wire_bytes bytes = { (const uint8_t *)text,
		strnlen(text, size) };

	wire_put_bytes(out, bytes, size - 1);
}
