/*
 * SoftHSM's configuration: what is found in it is an absolute path that stands
 * there, and a line of our own after it is what counts.
 */
#include "signetd/token/preset.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

static const char ours[] = "\ndirectories.tokendir = /ours \n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + sizeof(ours));
	static char tokens[PATH_MAX];
	struct fault f = { 0 };

	must(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	memcpy(text + size, ours, sizeof(ours));
	if (preset_read_softhsm(text, size, tokens, &f) == 0) {
		must(*tokens == '\0' ||
		    (*tokens == '/' &&
			memmem(text, size, tokens, strlen(tokens)) != NULL));
		must(preset_read_softhsm(text, size + sizeof(ours) - 1, tokens,
			 &f) == 0);
		must(strcmp(tokens, "/ours") == 0);
	}
	free(text);
	return 0;
}
