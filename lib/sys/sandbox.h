#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include "base/checked.h"

#include <sys/resource.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * The walls of a process: its user, its limits, its system calls (seccomp)
 * and its paths (Landlock).  A process raises them once, before the first
 * byte from anyone is read, and never lowers them.
 *
 * Promises are the lines of promise.def: named sets of system calls.
 */
struct fault;

enum sandbox_promise {
#define PROMISE(NAME, ...) SANDBOX_##NAME,
#include "sys/promise.def"
#undef PROMISE
	SANDBOX_PROMISE_COUNT
};

#define SANDBOX_PATHS_MAX 48

struct sandbox_path {
	const char *path; /* a missing path is left out, not a fault */
	bool write;
};

struct sandbox {
	uint64_t promises; /* of bits 1 << SANDBOX_X */
	struct sandbox_path paths[SANDBOX_PATHS_MAX]; /* ends with NULL */
	uid_t uid; /* to become, when we are root; 0 stays */
	gid_t gid;
	rlim_t files;	   /* RLIMIT_NOFILE; 0 leaves it */
	bool may_gain;	   /* leave no_new_privs off (PAM's worker only);
			      then there is no seccomp and no Landlock */
	bool log_only;	   /* --seccomp=log: log what would be refused */
	bool may_give;	   /* one who stays root may give files away, and
			      see to them afterwards */
	bool no_processes; /* RLIMIT_NPROC 0 */
};

#define SANDBOX_PROMISE(NAME) ((uint64_t)1 << SANDBOX_##NAME)

/**
 * sandbox_enter(box, f):
 * Close nothing, read nothing but the time zone; set core size 0, dumpable off
 * and umask 077, drop to the user and group (supplementary groups and all
 * capabilities too, and see that root cannot be regained), set limits,
 * no_new_privs, Landlock for the paths (everything else on disk is refused;
 * TCP bind, and without SANDBOX_CONNECT connect, as well where the kernel's ABI
 * has them), and the seccomp filter whose default is to kill the process.
 * Fails closed, but a kernel without Landlock is logged, not a fault.
 *
 * One who stays root keeps root's own files and no capability (except with
 * may_gain; with may_give, those of CAP_CHOWN, CAP_FOWNER and
 * CAP_DAC_READ_SEARCH that it has).  With SANDBOX_PROCESS, programs may be run from the paths that are
 * not for writing.  What libraries load late (OpenSSL's configuration, name
 * services) is to be loaded before, or needs RPATH and LIBRARIES.
 */
CHECKED int sandbox_enter(const struct sandbox *box, struct fault *f);

/* Resolve "name" or "123" or "name:group" to ids.  FAULT_CONFIG if unknown. */
CHECKED int sandbox_user(const char *who, uid_t *uid, gid_t *gid,
    struct fault *f);

#endif
