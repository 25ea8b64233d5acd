/* A request or an answer that is read is, written again, the same bytes. */
#include "callout/callout_form.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct buf *again, const uint8_t *data, size_t size)
{
	if (again->failed || again->len != size ||
	    memcmp(again->data, data, size) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct callout_request r;
	struct callout_answer a;
	struct fault f = { 0 };
	OWN_BUF(request, CALLOUT_REQUEST_MAX);
	OWN_BUF(answer, CALLOUT_ANSWER_MAX);

	if (callout_request_read(&r, data, size, &f) == 0) {
		callout_request_write(&r, &request);
		check_same(&request, data, size);
	}
	if (callout_answer_read(&a, data, size, &f) == 0) {
		callout_answer_write(&a, &answer);
		check_same(&answer, data, size);
	}
	return 0;
}
