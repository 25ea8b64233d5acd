/*
 * A certificate message that is read must be, byte for byte, its count and
 * its certificates; cut anywhere it must ask for more or be refused, never be
 * taken for whole; and what follows it must not change what is read.
 */
#include "myproxy/myproxy_reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same_bytes(const uint8_t *data, size_t used, const struct cert_list *chain)
{
	size_t at = 1;

	if (chain->count != data[0])
		abort();
	for (size_t i = 0; i < chain->count; i++) {
		const struct cert *cert = chain->cert[i];

		if (cert->len > used - at ||
		    memcmp(cert->der, data + at, cert->len) != 0)
			abort();
		at += cert->len;
	}
	if (at != used)
		abort();
}

/* ${len} bytes of ${data} in memory of just that size. */
static int
read_exactly(const uint8_t *data, size_t len, size_t *used)
{
	struct cert_list chain = { .count = 0 };
	struct fault f;
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int result;

	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	result = myproxy_reply_read(copy, len, used, &chain, &f);
	if (result == 1)
		same_bytes(copy, *used, &chain);
	cert_list_free(&chain);
	free(copy);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t used = 0;
	size_t again = 0;

	(void)myproxy_reply_is_text(data, size);
	if (read_exactly(data, size, &used) != 1)
		return 0;
	if (used > size || read_exactly(data, used, &again) != 1 ||
	    again != used)
		abort();
	for (size_t cut = 0; cut < 8 && cut < used; cut++) {
		size_t len = cut * used / 8;

		if (read_exactly(data, len, &again) != 0)
			abort();
	}
	if (read_exactly(data, used - 1, &again) != 0)
		abort();
	return 0;
}
