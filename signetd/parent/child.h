#ifndef SIGNETD_PARENT_CHILD_H
#define SIGNETD_PARENT_CHILD_H

#include "base/checked.h"
#include "ipc/msg.h"

#include <sys/types.h>

#include <stddef.h>

/* One process of a role, fresh from exec: nothing inherited but descriptor 3
 * and standard error. */
struct fault;

#define CHILD_ENV_MAX 16

/* The executable signetd-NAME: beside our own, as in a build tree, else where
 * packages put it. */
CHECKED int child_find(const char *name, char *path, size_t size,
    struct fault *f);

/**
 * child_spawn(role, control, keep, kept, f):
 * Run the executable signetd-ROLE with ${control} as its descriptor 3.  Its
 * environment is PATH, what a service manager's log wants, and the ${kept}
 * names at ${keep}.  The process id, or -1.
 */
CHECKED pid_t child_spawn(enum msg_role role, int control,
    const char *const *keep, size_t kept, struct fault *f);

/* How ${status} of waitpid ended a process, for people. */
void child_end_text(int status, char *text, size_t size);

#endif
