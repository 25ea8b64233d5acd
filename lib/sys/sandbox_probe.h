#ifndef SYS_SANDBOX_PROBE_H
#define SYS_SANDBOX_PROBE_H

/* For sandbox_test, landlock_test and filter_test. */

#include "base/fault.h"
#include "base/unit.h"
#include "sys/sandbox.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Each test forks a child which raises its walls and then does what it may or
 * may not.  A child ends with 0, or with the line that went wrong.
 */

#define NOBODY 65534
#define FINE 0
#define NO_WALLS 250

/* Within a child: what must hold. */
#define HOLDS(what)                                \
	do {                                       \
		if (!(what))                       \
			_exit(__LINE__ % 240 + 1); \
	} while (0)

typedef void act_fn(const char *dir);

/* A directory that whoever the child becomes may use: DIR/open holds "file",
 * and DIR/closed "file". */
struct place {
	char dir[64];
	char open[80];
	char closed[80];
};

static inline void
make_file(const char *dir, mode_t mode)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/file", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static inline void
make_place(struct place *p)
{
	memcpy(p->dir, "/tmp/sandbox_test.XXXXXX", 25);
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(chmod(p->dir, 0755), 0);
	(void)snprintf(p->open, sizeof(p->open), "%s/open", p->dir);
	(void)snprintf(p->closed, sizeof(p->closed), "%s/closed", p->dir);
	make_file(p->open, 0666);
	make_file(p->closed, 0666);
}

static inline void
remove_in(const char *dir, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path);
}

static inline void
remove_place(const struct place *p)
{
	const char *const dirs[] = { p->open, p->closed };

	for (size_t i = 0; i < 2; i++) {
		remove_in(dirs[i], "file");
		remove_in(dirs[i], "db");
		assert_int_equal(rmdir(dirs[i]), 0);
	}
	assert_int_equal(rmdir(p->dir), 0);
}

/* How a child ended that entered ${box} and then did ${act}. */
static inline int
status_of(const struct sandbox *box, act_fn *act, const char *dir)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct fault f = { 0 };

		if (sandbox_enter(box, &f) < 0) {
			fprintf(stderr, "%s\n", f.text);
			_exit(NO_WALLS);
		}
		act(dir);
		_exit(FINE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static inline void
passes(const struct sandbox *box, act_fn *act, const char *dir)
{
	int status = status_of(box, act, dir);

	if (WIFSIGNALED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != FINE)
		fail_msg("HOLDS failed in line %% 240 + 1 = %d",
		    WEXITSTATUS(status));
}

/* Everything a role has, for tests of one wall among them. */
#define ALL_PROMISES                                                \
	(SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(ACCEPT) |         \
	    SANDBOX_PROMISE(RPATH) | SANDBOX_PROMISE(WPATH) |       \
	    SANDBOX_PROMISE(CONNECT) | SANDBOX_PROMISE(LIBRARIES) | \
	    SANDBOX_PROMISE(PROCESS))

static inline struct sandbox
a_box(uint64_t promises)
{
	struct sandbox box = { .promises = promises };

	box.uid = NOBODY;
	box.gid = NOBODY;
	return box;
}

/* What the kernel says of ${path} opened for ${flags}: 0 or errno. */
static inline int
try_open(const char *dir, const char *name, int flags)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

#endif
