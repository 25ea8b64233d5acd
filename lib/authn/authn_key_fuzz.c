/* What was taken apart goes together again to the same bytes. */
#include "authn/authn_key.h"

#include "base/buf.h"
#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct authn_key_answer answer;
	struct fault f = { 0 };
	OWN_BUF(again, 2097152);
	uint8_t length[4];
	struct wire_out out = { length, sizeof(length), false };

	if (authn_key_read(&answer, (struct wire_bytes){ data, size }, &f) <
	    0) {
		if (f.code != FAULT_INPUT)
			abort();
		return 0;
	}
	wire_put_u32(&out, (uint32_t)answer.signature.len);
	buf_put(&again, length, sizeof(length));
	buf_put(&again, answer.signature.data, answer.signature.len);
	buf_put_u8(&again, (uint8_t)answer.count);
	for (size_t i = 0; i < answer.count; i++)
		buf_put(&again, answer.cert[i].data, answer.cert[i].len);
	if (again.failed || again.len != size ||
	    memcmp(again.data, data, size) != 0)
		abort();
	return 0;
}
