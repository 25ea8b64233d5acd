#include "token/token_elf.h"

#include <stdlib.h>
#include <string.h>

#define NAME "C_GetFunctionList"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What exports the name has it in it, and lacks another; and of a file that is
 * cut short nothing is said that lies behind its end. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire_bytes file = { data, size };
	const struct wire_bytes half = { data, size / 2 };
	const enum token_elf found = token_elf_exports(file, NAME);

	if (found == TOKEN_ELF_EXPORTS &&
	    memmem(data, size, NAME, sizeof(NAME)) == NULL)
		abort();
	if (token_elf_exports(half, NAME) == TOKEN_ELF_EXPORTS &&
	    found != TOKEN_ELF_EXPORTS)
		abort();
	return 0;
}
