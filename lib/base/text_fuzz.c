/*
 * Base64 and hexadecimal: what decodes encodes to the same text, and what is
 * encoded decodes to the same bytes.  UTF-8: what is accepted is the one way
 * to write its characters.  Numbers: what is read is in range.
 */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* Memory that ends where it should. */
static void *
exactly(size_t len)
{
	void *p = malloc(len > 0 ? len : 1);

	must(p != NULL);
	return p;
}

static void
try_base64(const uint8_t *data, size_t size)
{
	size_t most = size / 4 * 3;
	uint8_t *out = exactly(most);
	char *text = exactly(TEXT_BASE64_SIZE(most));
	int n = text_unbase64((const char *)data, size, out, most);

	if (n >= 0) {
		text_base64(out, (size_t)n, text);
		must(strlen(text) == size);
		must(memcmp(text, data, size) == 0);
	}
	free(text);
	free(out);
	text = exactly(TEXT_BASE64_SIZE(size));
	out = exactly(size);
	text_base64(data, size, text);
	must(strlen(text) + 1 == TEXT_BASE64_SIZE(size));
	must(text_unbase64(text, strlen(text), out, size) == (int)size);
	must(memcmp(out, data, size) == 0);
	free(out);
	free(text);
}

static void
try_hex(const uint8_t *data, size_t size)
{
	char *text = exactly(2 * size + 1);
	uint8_t *out = exactly(size);

	text_hex(data, size, text);
	must(strlen(text) == 2 * size);
	must(text_unhex(text, out, size) == (int)size);
	must(memcmp(out, data, size) == 0);
	free(out);
	free(text);
}

/* The bytes of ${code}, RFC 3629 section 3. */
static size_t
write_utf8(uint32_t code, uint8_t out[4])
{
	size_t more = code < 0x80 ? 0
	    : code < 0x800	  ? 1
	    : code < 0x10000	  ? 2
				  : 3;
	static const uint8_t leads[] = { 0x00, 0xc0, 0xe0, 0xf0 };

	for (size_t i = more; i > 0; i--, code >>= 6)
		out[i] = (uint8_t)(0x80 | (code & 0x3f));
	out[0] = (uint8_t)(leads[more] | code);
	return more + 1;
}

static void
try_utf8(const uint8_t *data, size_t size)
{
	if (!text_utf8(data, size))
		return;
	for (size_t i = 0; i < size;) {
		uint32_t code = data[i];
		size_t more = code < 0x80 ? 0
		    : code < 0xe0	  ? 1
		    : code < 0xf0	  ? 2
					  : 3;
		uint8_t again[4];

		must(i + more < size);
		code &= more == 0 ? 0x7fu : 0x3fu >> more;
		for (size_t j = 1; j <= more; j++)
			code = code << 6 | (data[i + j] & 0x3fu);
		must(code >= 0x20 && (code < 0x7f || code > 0x9f));
		must(code < 0xd800 || (code > 0xdfff && code <= 0x10ffff));
		must(write_utf8(code, again) == more + 1);
		must(memcmp(again, data + i, more + 1) == 0);
		i += more + 1;
	}
}

static void
try_text(const uint8_t *data, size_t size)
{
	char *text = exactly(size + 1);
	int64_t value;

	memcpy(text, data, size);
	text[size] = '\0';
	if (text_number(text, -5, 1000000, &value) == 0)
		must(value >= -5 && value <= 1000000);
	must(text_distance(text, text) == 0 || strlen(text) > 63);
	must(text_distance(text, "listen") == text_distance("listen", text));
	must(strlen(text_trim(text)) <= size);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > MOST)
		return 0;
	try_base64(data, size);
	try_hex(data, size);
	try_utf8(data, size);
	try_text(data, size);
	return 0;
}
