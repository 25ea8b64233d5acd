/*
 * A credential that is read and written reads back as the same.  In the corpus
 * a private key is called an example key, so that no one takes a file of it
 * for a secret.
 */
#include "x509/proxy.h"

#include "base/fault.h"
#include "x509/der.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
compare(const struct credential *a, const struct credential *b)
{
	if (a->chain.count != b->chain.count ||
	    (a->key == NULL) != (b->key == NULL))
		abort();
	for (size_t i = 0; i < a->chain.count; i++)
		if (a->chain.cert[i]->len != b->chain.cert[i]->len ||
		    memcmp(a->chain.cert[i]->der, b->chain.cert[i]->der,
			a->chain.cert[i]->len) != 0)
			abort();
	if (a->key != NULL &&
	    !der_bytes_equal(key_spki(a->key)->der, b->chain.cert[0]->spki.der))
		abort();
}

static void
rename_keys(struct buf *text)
{
	static const char from[] = "EXAMPLE KEY-----";
	uint8_t *at = text->data;

	while ((at = memmem(at, text->len - (size_t)(at - text->data), from,
		    sizeof(from) - 1)) != NULL)
		memcpy(at, "PRIVATE", 7);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	OWN_BUF(in, 4 << 20);
	OWN_BUF(text, 4 << 20);
	struct credential first = { 0 };
	struct credential second = { 0 };

	buf_put(&in, data, size);
	if (size == 0 || in.failed)
		return 0;
	rename_keys(&in);
	if (credential_read(&first, in.data, in.len, NULL, &f) < 0)
		return 0;
	if (credential_write(&first, &text, &f) < 0 ||
	    credential_read(&second, text.data, text.len, NULL, &f) < 0)
		abort();
	compare(&first, &second);
	credential_clear(&first);
	credential_clear(&second);
	return 0;
}
