#include "ca_sysconfig.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An assignment that is read, and written as we would, reads the same; and
 * every line is taken. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_bytes rest = { data, size };
	struct sysconfig_line line, again;

	while (sysconfig_next(&rest, &line)) {
		OWN_BUF(out, 8192);
		struct wire_bytes written;

		if ((line.kind == SYSCONFIG_OTHER) != (line.why != NULL))
			abort();
		if (line.kind != SYSCONFIG_SET)
			continue;
		sysconfig_write(&line, &out);
		written = (struct wire_bytes){ out.data, out.len };
		/* Quotes take room: what is long may be a longer line. */
		if (out.len >= SYSCONFIG_VALUE)
			continue;
		if (out.failed || !sysconfig_next(&written, &again) ||
		    again.kind != SYSCONFIG_SET || written.len != 0 ||
		    strcmp(again.name, line.name) != 0 ||
		    strcmp(again.value, line.value) != 0)
			abort();
	}
	return 0;
}
