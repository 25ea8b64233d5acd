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
	/* The key of RFC 8032 7.1, test 1.  Not zeroes: those are a point of
	 * small order, under which a signature of zeroes is right for one text
	 * in four. */
	static const struct log_pub pub = { .name = "signet/fuzz/00000000",
		.key = { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5,
		    0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72,
		    0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7,
		    0x07, 0x51, 0x1a } };
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
