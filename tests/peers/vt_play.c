/*
 * vt_play.so: virtual terminals for a machine that has none, or has a person
 * before it.  Preloaded (LD_PRELOAD); VT_PLAY names the slave of a pty, which
 * is what /dev/tty9 is then, and VT_PLAY_LOG a file that gets a line for each
 * thing done to it.  Terminal 1 is shown at first, and 9 is free.
 *
 *   VT_PLAY_BUSY=1   9 is somebody's own (TIOCGEXCL)
 *   VT_PLAY_NONE=1   there is no console
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FREE 9

typedef int open_fn(const char *path, int flags, ...);
typedef int ioctl_fn(int fd, unsigned long request, ...);
typedef int own_fn(int fd, uid_t uid, gid_t gid);
typedef int mode_fn(int fd, mode_t mode);

/* A process plays one machine. */
static struct {
	int shown;
	int console; /* descriptors of ours */
	int terminal;
} play = { 1, -1, -1 };

static void *
real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static open_fn *
real_open(void)
{
	static open_fn *fn;
	void *found;

	if (fn == NULL) {
		found = real("open");
		memcpy(&fn, &found, sizeof(fn));
	}
	return fn;
}

static void
note(const char *step, long number)
{
	const char *path = getenv("VT_PLAY_LOG");
	char line[80];
	int fd, len;

	if (path == NULL)
		return;
	len = number < 0
	    ? snprintf(line, sizeof(line), "%s\n", step)
	    : snprintf(line, sizeof(line), "%s %ld\n", step, number);
	fd = real_open()(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	if (write(fd, line, (size_t)len) != len)
		abort();
	(void)close(fd);
}

static int
open_played(const char *path, int flags, mode_t mode)
{
	const char *slave = getenv("VT_PLAY");

	if (slave == NULL || strncmp(path, "/dev/", 5) != 0)
		return real_open()(path, flags, mode);
	if (strcmp(path, "/dev/tty0") == 0 ||
	    strcmp(path, "/dev/console") == 0) {
		if (getenv("VT_PLAY_NONE") != NULL) {
			errno = ENOENT;
			return -1;
		}
		/* What is said to the console itself is seen there too. */
		play.console = real_open()(slave, flags, mode);
		return play.console;
	}
	if (strcmp(path, "/dev/tty9") == 0) {
		note("open", FREE);
		play.terminal = real_open()(slave, flags, mode);
		return play.terminal;
	}
	return real_open()(path, flags, mode);
}

__attribute__((visibility("default"))) int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return open_played(path, flags, mode);
}

/* What the library's header makes of open() where it checks more, with files
 * of any size and without. */
int open_checked(const char *path, int flags) __asm__("__open64_2");
int open_checked_short(const char *path, int flags) __asm__("__open_2");

__attribute__((visibility("default"))) int
open_checked(const char *path, int flags)
{
	return open_played(path, flags, 0);
}

__attribute__((visibility("default"))) int
open_checked_short(const char *path, int flags)
{
	return open_played(path, flags, 0);
}

static int
answer(unsigned long request, void *at, long number)
{
	switch (request) {
	case VT_GETSTATE:
		((struct vt_stat *)at)->v_active = (unsigned short)play.shown;
		return 0;
	case VT_OPENQRY:
		note("query", -1);
		*(int *)at = FREE;
		return 0;
	case VT_GETMODE:
		((struct vt_mode *)at)->mode = VT_AUTO;
		return 0;
	case KDGETMODE:
		*(int *)at = KD_TEXT;
		return 0;
	case TIOCGEXCL:
		*(int *)at = getenv("VT_PLAY_BUSY") != NULL;
		return 0;
	case VT_ACTIVATE:
		note("show", number);
		play.shown = (int)number;
		return 0;
	case VT_DISALLOCATE:
		note("give-back", number);
		return 0;
	case TIOCSCTTY:
		note("session", -1);
		return 0;
	case TIOCEXCL:
	case TIOCNXCL:
		note(request == TIOCEXCL ? "alone" : "not-alone", -1);
		break;
	default:
		break;
	}
	return 1;
}

__attribute__((visibility("default"))) int
ioctl(int fd, unsigned long request, ...)
{
	void *found = real("ioctl");
	ioctl_fn *fn;
	va_list ap;
	void *at;

	memcpy(&fn, &found, sizeof(fn));
	va_start(ap, request);
	at = va_arg(ap, void *);
	va_end(ap);
	if (getenv("VT_PLAY") != NULL &&
	    (fd == play.console || fd == play.terminal) &&
	    answer(request, at, (long)at) == 0)
		return 0;
	return fn(fd, request, at);
}

__attribute__((visibility("default"))) int
fchown(int fd, uid_t uid, gid_t gid)
{
	void *found = real("fchown");
	own_fn *fn;

	memcpy(&fn, &found, sizeof(fn));
	if (getenv("VT_PLAY") == NULL || fd != play.terminal)
		return fn(fd, uid, gid);
	note("own", -1);
	return 0;
}

__attribute__((visibility("default"))) int
fchmod(int fd, mode_t mode)
{
	void *found = real("fchmod");
	mode_fn *fn;

	memcpy(&fn, &found, sizeof(fn));
	if (getenv("VT_PLAY") == NULL || fd != play.terminal)
		return fn(fd, mode);
	note("mode", (long)mode);
	return 0;
}

__attribute__((visibility("default"))) int
vhangup(void)
{
	note("hang-up", -1);
	return 0;
}
