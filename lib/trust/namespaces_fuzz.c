/* What is read, written and read again says the same. */
#include "trust/namespaces.h"

#include "base/fault.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "/O=A/CN=CA", "/DC=org/O=B/CN=x",
	"/O=A/CN=host\\/a", "/O=A/UID=u/emailAddress=e@a", "/O=A/CN=CA x" };
#define NAMES (sizeof(names) / sizeof(names[0]))

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	struct namespaces first = { NULL };
	struct namespaces second = { NULL };
	OWN_BUF(text, 4 * NAMESPACES_MAX);

	if (namespaces_read(&first, (const char *)data, size, &f) < 0)
		return 0;
	namespaces_write(&first, &text);
	if (text.failed ||
	    namespaces_read(&second, (const char *)text.data, text.len, &f) <
		0 ||
	    namespaces_count(&first) != namespaces_count(&second))
		abort();
	for (size_t ca = 0; ca < NAMES; ca++)
		for (size_t who = 0; who < NAMES; who++)
			if (namespaces_says(&first, names[0], names[ca],
				names[who]) !=
			    namespaces_says(&second, names[0], names[ca],
				names[who]))
				abort();
	namespaces_clear(&first);
	namespaces_clear(&second);
	return 0;
}
