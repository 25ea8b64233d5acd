#ifndef TOKEN_ELF_H
#define TOKEN_ELF_H

#include "base/wire.h"

/*
 * Shared objects, looked at and not loaded: whoever loads one runs it.
 */

enum token_elf {
	TOKEN_ELF_NONE,	   /* nothing that could be loaded here */
	TOKEN_ELF_LACKS,   /* a shared object that does not export the name */
	TOKEN_ELF_EXPORTS, /* one that does */
	TOKEN_ELF_UNTOLD   /* one whose sections were taken away */
};

/* Whether the shared object in ${file} defines ${name} for others. */
enum token_elf token_elf_exports(struct wire_bytes file, const char *name);

#endif
