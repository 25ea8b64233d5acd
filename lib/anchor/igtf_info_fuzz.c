/* What is read without complaint, written and read again is the same. */
#include "anchor/igtf_info.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct anchor_want *
read_one(const void *data, size_t size)
{
	struct fault f = { 0 };
	struct anchor_want *want = want_new(WANT_IGTF, "A.info", &f);

	if (want == NULL || want_set(&want->alias, "A", &f) < 0)
		abort();
	/* Only a list past its bound can fail. */
	if (igtf_info_read(want, data, size, &f) < 0) {
		want_free(want);
		return NULL;
	}
	return want;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct anchor_want *first = read_one(data, size), *second;
	OWN_BUF(text, 8 * IGTF_INFO_MAX);
	OWN_BUF(again, 8 * IGTF_INFO_MAX);

	if (first == NULL)
		return 0;
	igtf_info_write(first, &text);
	if (first->wrong.count == 0 && text.len <= IGTF_INFO_MAX) {
		if ((second = read_one(text.data, text.len)) == NULL)
			abort();
		igtf_info_write(second, &again);
		if (second->wrong.count != 0 || text.len != again.len ||
		    memcmp(text.data, again.data, text.len) != 0)
			abort();
		want_free(second);
	}
	want_free(first);
	return 0;
}
