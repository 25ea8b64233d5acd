#ifndef TOKEN_MODULE_H
#define TOKEN_MODULE_H

#include "base/checked.h"
#include "base/own.h"
#include "token/token_uri.h"

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

/*
 * A PKCS#11 module: a foreign library in our process.  The caller ignores
 * SIGPIPE first, since modules write to sockets, and does not fork any more: a
 * child could go on with the login (facts: PKCS11).
 */
struct fault;

struct token_module {
	CK_FUNCTION_LIST *call; /* the module's */
	bool threads;		/* may be called by several at once */
	bool started;
	char path[256]; /* without symbolic links */
};

/**
 * token_module_find(uri, path, f):
 * The path of the module that ${uri} names by module-path, or by module-name in
 * the places where distributions put modules.  FAULT_CONFIG if it names none,
 * FAULT_ABSENT if there is none.
 */
CHECKED int token_module_find(const struct token_uri *uri, char path[256],
    struct fault *f);

/**
 * token_module_open(path, f):
 * Load the module at the absolute ${path} and start it.  The file and the
 * directories above it must be root's or this user's, and nobody else's to
 * change: FAULT_DENIED says which.  FAULT_CONFIG if it is no module.  It is
 * told that threads will call it; one that cannot have that has ${threads}
 * false.  token_module_close() it.
 */
CHECKED struct token_module *token_module_open(const char *path,
    struct fault *f);

/* The functions of the module at ${path}, which is loaded if it is not yet;
 * neither checked nor started.  FAULT_CONFIG if it is no module. */
CHECKED CK_FUNCTION_LIST *token_module_list(const char *path, struct fault *f);

/* C_Finalize and C_Initialize.  All sessions and logins are gone then, and
 * nobody may be inside a call but of C_WaitForSlotEvent. */
CHECKED int token_module_restart(struct token_module *module, struct fault *f);

/* Finalise.  The library stays in memory: what it left running might miss it.
 * Nothing happens if ${module} is NULL. */
void token_module_close(struct token_module *module);

OWN_FREE_STRUCT(token_module, token_module_close)

#endif
