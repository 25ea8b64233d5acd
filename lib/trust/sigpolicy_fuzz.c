/* What is read, written and read again decides the same. */
#include "trust/sigpolicy.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "/O=A/CN=CA", "/DC=org/O=B/CN=x",
	"/O=A/CN=host/a", "/O=A/UID=u/emailAddress=e@a", "/O=A/CN=CA x" };
#define NAMES (sizeof(names) / sizeof(names[0]))

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	struct sigpolicy first = { NULL };
	struct sigpolicy second = { NULL };
	OWN_BUF(text, 4 * SIGPOLICY_MAX);

	if (sigpolicy_read(&first, (const char *)data, size, &f) < 0)
		return 0;
	sigpolicy_write(&first, &text);
	if (text.failed ||
	    sigpolicy_read(&second, (const char *)text.data, text.len, &f) < 0)
		abort();
	for (size_t ca = 0; ca < NAMES; ca++)
		for (size_t who = 0; who < NAMES; who++)
			if (sigpolicy_allows(&first, names[ca], names[who]) !=
			    sigpolicy_allows(&second, names[ca], names[who]))
				abort();
	sigpolicy_clear(&first);
	sigpolicy_clear(&second);
	return 0;
}
