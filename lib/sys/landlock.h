#ifndef SYS_LANDLOCK_H
#define SYS_LANDLOCK_H

#include "base/checked.h"

/* Which paths a process reaches, for sandbox.c. */
struct fault;
struct sandbox;

/* The kernel's Landlock ABI, 0 if it has none. */
int landlock_abi(void);

/**
 * landlock_enter(box, abi, f):
 * From now on this process reaches nothing on disk but the paths of ${box}:
 * to read, where ${box} promises PROCESS to run as well, or to write.  From ABI
 * 4 on it binds no TCP port, and connects to one only if ${box} promises
 * CONNECT; from 6 on it signals, and speaks by abstract sockets to, only its
 * own children.  What ${abi} does not know is left out.  no_new_privs must
 * have been set.
 */
CHECKED int landlock_enter(const struct sandbox *box, int abi, struct fault *f);

#endif
