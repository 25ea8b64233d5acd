"""Programs killed at their n-th durable step: a library put before libc ends
the process by SIGKILL when it is about to sync, link, rename, or make or
remove a name in a directory that it has open, for the n-th time, so that each
crash point can be tried once and none by chance."""

import os
import subprocess

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
step(void)
{
	static int seen;
	const char *at = getenv("KILL_AT");

	if (at != NULL && ++seen == strtol(at, NULL, 10))
		kill(getpid(), SIGKILL);
}

#define STEP(name, params, args)                          \
	int name params                                   \
	{                                                 \
		int (*real) params = dlsym(RTLD_NEXT, #name); \
		step();                                   \
		return real args;                         \
	}

STEP(fsync, (int fd), (fd))
STEP(fdatasync, (int fd), (fd))
STEP(link, (const char *a, const char *b), (a, b))
STEP(rename, (const char *a, const char *b), (a, b))
STEP(syncfs, (int fd), (fd))
STEP(linkat, (int a, const char *b, int c, const char *d, int e),
    (a, b, c, d, e))
STEP(symlinkat, (const char *a, int b, const char *c), (a, b, c))
STEP(mkdirat, (int a, const char *b, mode_t c), (a, b, c))
STEP(unlinkat, (int a, const char *b, int c), (a, b, c))
STEP(renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))
STEP(renameat2, (int a, const char *b, int c, const char *d, unsigned e),
    (a, b, c, d, e))
"""


class KillAt:
    def __init__(self, directory):
        self.library = directory / "kill_at.so"
        (directory / "kill_at.c").write_text(SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.library,
                        directory / "kill_at.c", "-ldl"], check=True)

    def run(self, n, *args):
        """The process's status, -9 if it came to its n-th step."""
        env = dict(os.environ, KILL_AT=str(n), LD_PRELOAD=str(self.library))
        # The sanitizers' run-time wants to come first, and need not.
        env["ASAN_OPTIONS"] = ":".join(
            [env.get("ASAN_OPTIONS", ""), "verify_asan_link_order=0"]).strip(":")
        return subprocess.run([str(a) for a in args], env=env, timeout=120,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)

    def each(self, *args, most=80):
        """Run with a crash at step 1, 2, ... until it gets through; yields
        after each crash, how many there were."""
        for n in range(1, most):
            result = self.run(n, *args)
            if result.returncode == 0:
                return
            assert result.returncode == -9, (n, result.stderr)
            yield n
        raise AssertionError(f"more than {most} steps: {args}")
