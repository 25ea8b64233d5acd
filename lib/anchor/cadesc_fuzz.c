/* What is read without complaint, and can be written, reads back the same. */
#include "anchor/cadesc.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct anchor_want *
read_one(const void *data, size_t size)
{
	struct fault f = { 0 };
	struct anchor_want *want =
	    want_new(WANT_CADESC, "5889db0d.alpha.cadesc", &f);

	if (want == NULL ||
	    cadesc_name(want->file, want->hash, (char[WANT_ALIAS_MAX]){ 0 }) !=
		0 ||
	    want_set(&want->alias, "alpha", &f) < 0 ||
	    cadesc_read(want, data, size, &f) < 0)
		abort();
	return want;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct anchor_want *first = read_one(data, size);
	struct fault f = { 0 };
	OWN_BUF(text, 8 * CADESC_MAX);
	OWN_BUF(again, 8 * CADESC_MAX);

	if (first->wrong.count == 0 && !first->disabled &&
	    cadesc_write(first, &text, &f) == 0 && text.len <= CADESC_MAX) {
		struct anchor_want *second = read_one(text.data, text.len);

		if (second->wrong.count != 0 ||
		    cadesc_write(second, &again, &f) < 0 ||
		    text.len != again.len ||
		    memcmp(text.data, again.data, text.len) != 0)
			abort();
		want_free(second);
	}
	want_free(first);
	return 0;
}
