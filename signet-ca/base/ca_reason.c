#include "ca_reason.h"

#include "base/fault.h"

#include <stddef.h>
#include <string.h>

static const struct {
	int code;
	const char *word;
} reasons[] = {
#define REASON(code, word) { code, word },
#include "ca_reason.def"
#undef REASON
};

int
ca_reason_read(const char *word, int *code, struct fault *f)
{
	*code = 0;
	if (word == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strcmp(reasons[i].word, word) != 0)
			continue;
		*code = reasons[i].code;
		return 0;
	}
	if (strcmp(word, "removeFromCRL") == 0)
		return fault_set(f, FAULT_USAGE,
		    "removeFromCRL is for delta CRLs: what is on hold is let "
		    "go by signet-ca release");
	return fault_set(f, FAULT_USAGE, "unknown --reason \"%s\"", word);
}
