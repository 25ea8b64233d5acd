/* What opens has a key, and its first certificate is that key's; what was read
 * is written, and reads back as the same. */
#include "x509/p12.h"

#include "base/fault.h"
#include "x509/der.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct credential *c)
{
	if (c->key == NULL || c->chain.count == 0 ||
	    !der_bytes_equal(key_spki(c->key)->der, c->chain.cert[0]->spki.der))
		abort();
}

/* Pages of its own: made once, not for each input. */
static struct secret *
the_phrase(void)
{
	static struct secret *made;
	struct fault f = { 0 };

	if (made == NULL && (made = secret_copy("fuzz", 4, &f)) == NULL)
		abort();
	return made;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	struct secret *phrase = the_phrase();
	OWN_BUF(text, 1 << 20);
	struct credential first = { 0 };
	struct credential second = { 0 };

	if (p12_read(&first, data, size, phrase, NULL, &f) < 0)
		return 0;
	check(&first);
	if (credential_write(&first, &text, &f) < 0 ||
	    credential_read(&second, text.data, text.len, NULL, &f) < 0)
		abort();
	check(&second);
	if (first.chain.count != second.chain.count)
		abort();
	credential_clear(&first);
	credential_clear(&second);
	return 0;
}
