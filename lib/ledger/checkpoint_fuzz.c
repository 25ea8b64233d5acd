#include "ledger/checkpoint.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What reads as a signed head is written again as it stood before its empty
 * line; and no head that we did not sign is taken for ours. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct log_pub pub = { .name = "signet/fuzz/00000000" };
	struct wire_bytes file = { data, size };
	struct checkpoint c;
	struct fault f = { 0 };
	OWN_BUF(text, CHECKPOINT_MAX);

	if (checkpoint_read(file, &pub, &c, &f) == 0)
		abort();
	if (checkpoint_read(file, NULL, &c, &f) < 0)
		return 0;
	if (checkpoint_text(&c, &text, &f) < 0 || text.len >= size ||
	    memcmp(text.data, data, text.len) != 0 || data[text.len] != '\n')
		abort();
	return 0;
}
