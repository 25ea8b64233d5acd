/*
 * Whatever is taken for a request would be written so again, is wholly in
 * printable ASCII, and is not taken with one byte changed; whatever is taken
 * for a reply would be written so again.
 */
#include "office/request.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Around the same PKCS#10 request the same lines come out, but for those that
 * speak of the signature. */
static void
check_again(struct request *r, const uint8_t *data, size_t size)
{
	OWN_BUF(out, REQUEST_FILE_MAX);
	struct fault f = { 0 };
	bool proved = r->proved;

	if (request_write(r, NULL, &out, &f) < 0)
		abort();
	if (!proved && (out.len != size || memcmp(out.data, data, size) != 0))
		abort();
	if (proved && out.len >= size)
		abort();
}

static void
check_altered(const uint8_t *data, size_t size)
{
	OWN_STRUCT(request) r = NULL;
	struct fault f = { 0 };
	uint8_t *copy = malloc(size);

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	copy[size / 2] ^= 1;
	r = request_read((struct wire_bytes){ copy, size }, &f);
	free(copy);
	if (r != NULL)
		abort();
}

static void
check_reply(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	OWN_STRUCT(reply) r = reply_read((struct wire_bytes){ data, size }, &f);
	OWN_BUF(out, REPLY_FILE_MAX);

	if (r == NULL)
		return;
	if (reply_write(r, &out, &f) < 0 || out.len != size ||
	    memcmp(out.data, data, size) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	OWN_STRUCT(request) r =
	    request_read((struct wire_bytes){ data, size }, &f);

	check_reply(data, size);
	if (r == NULL)
		return 0;
	for (size_t i = 0; i < size; i++)
		if (data[i] != '\n' && (data[i] < 0x20 || data[i] > 0x7e))
			abort();
	if (r->proved)
		check_altered(data, size);
	check_again(r, data, size);
	return 0;
}
