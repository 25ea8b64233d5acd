/* What is read of a cache's file, and written again, is that file. */
#include "fetch/fetch_cache.h"

#include "base/fault.h"

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of most inputs no digest is right: give those the one they need. */
static void
mend(uint8_t *file, size_t size)
{
	size_t tail, body;

	if (size < 8)
		return;
	tail = (size_t)file[size - 6] << 8 | file[size - 5];
	if (tail < 8 + 8 + 4 + FETCH_DIGEST || tail > size)
		return;
	body = size - tail;
	for (int i = 0; i < 8; i++)
		file[body + (size_t)i] =
		    (uint8_t)((uint64_t)body >> (56 - 8 * i));
	(void)EVP_Digest(file, body, file + body + 12, NULL, EVP_sha256(),
	    NULL);
}

static void
look(const uint8_t *data, size_t size)
{
	struct wire_bytes body;
	uint8_t tail[FETCH_TAIL_MAX];
	struct fetch_meta meta;
	struct fault f;
	size_t len;

	if (fetch_tail_read((struct wire_bytes){ data, size }, &meta, &body,
		&f) < 0)
		return;
	if (body.len > size)
		abort();
	len = fetch_tail_write(&meta, body.len, tail);
	if (len != size - body.len || memcmp(tail, data + body.len, len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *file = malloc(size > 0 ? size : 1);

	if (file == NULL)
		return 0;
	look(data, size);
	if (size > 0)
		memcpy(file, data, size);
	mend(file, size);
	look(file, size);
	free(file);
	return 0;
}
