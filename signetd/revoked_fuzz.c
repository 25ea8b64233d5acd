#include "signetd/revoked.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A list that is read whole is, written again, the same bytes. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_in in = { .at = data, .left = size };
	OWN_BUF(again, 1048576);
	struct revoked r;
	int result;

	while ((result = revoked_next(&in, &r)) == 1)
		revoked_put(&again, &r);
	if (result == 0 &&
	    (again.len != size || (size > 0 && memcmp(again.data, data, size))))
		abort();
	return 0;
}
