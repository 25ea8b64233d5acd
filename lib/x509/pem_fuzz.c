/* Every block that is read must, written again, read the same. */
#include "x509/pem.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

#define MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read the one block of ${text} that pem_put made of ${der}. */
static void
check_again(const char *label, const struct buf *der)
{
	struct fault f = { 0 };
	OWN_BUF(text, 2 * MOST);
	OWN_BUF(again, MOST);
	size_t at = 0;

	pem_put(&text, label, (struct wire_bytes){ der->data, der->len });
	if (text.failed ||
	    pem_next(text.data, text.len, &at, label, &again, &f) != 1 ||
	    at != text.len || again.len != der->len ||
	    memcmp(again.data, der->data, der->len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	struct pem_block block;
	size_t at = 0, start = 0;

	if (size > MOST)
		return 0;
	while (pem_find(data, size, &at, &block, &f) == 1) {
		OWN_BUF(der, MOST);

		if (pem_next(data, size, &start, NULL, &der, &f) == 1)
			check_again(block.label, &der);
		if (start != at)
			abort();
	}
	return 0;
}
