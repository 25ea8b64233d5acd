#include "sys/console_device.h"

#include "base/fault.h"
#include "base/text.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kd.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long we wait for the screen to be switched back.  VT_WAITACTIVE would
 * wait for as long as the one that is shown pleases. */
#define SWITCH_STEP_MS 10
#define SWITCH_STEPS 30

#define OPEN_FLAGS (O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
#define PATH_SIZE 24

/* ---- the machine's */

static int
machine_open(const char *path, int flags)
{
	return open(path, flags);
}

static int
machine_control(int fd, unsigned long request, long number)
{
	return ioctl(fd, request, number);
}

static int
machine_control_at(int fd, unsigned long request, void *at)
{
	return ioctl(fd, request, at);
}

static int
machine_own(int fd, uid_t uid, gid_t gid, mode_t mode)
{
	return fchown(fd, uid, gid) < 0 ? -1 : fchmod(fd, mode);
}

/* As getty does: hung up is the terminal that a session has, so it takes a
 * session of its own, and a process for that. */
static void __attribute__((noreturn)) hang_up_here(const char *path)
{
	int fd;

	(void)signal(SIGHUP, SIG_IGN);
	(void)setsid();
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0 || vhangup() < 0)
		_exit(errno == 0 || errno > 125 ? 125 : errno);
	_exit(0);
}

static int
machine_hang_up(const char *path)
{
	int status = 0;
	pid_t pid = fork(), got;

	if (pid < 0)
		return -1;
	if (pid == 0)
		hang_up_here(path);
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	errno = got == pid && WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	return -1;
}

const struct console_device *
console_machine(void)
{
	static const struct console_device machine = { machine_open,
		machine_control, machine_control_at, machine_own,
		machine_hang_up };

	return &machine;
}

/* ---- taking one */

static int
open_control(const struct console_device *device, struct fault *f)
{
	static const char *const paths[] = { "/dev/tty0", "/dev/console" };
	struct vt_stat state = { 0 };
	int error = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = device->open(paths[i], OPEN_FLAGS);

		if (fd >= 0 && device->control_at(fd, VT_GETSTATE, &state) == 0)
			return fd;
		if (error == 0)
			error = errno;
		if (fd >= 0)
			(void)close(fd);
	}
	if (error == EACCES || error == EPERM)
		return fault_set(f, FAULT_CONFIG,
		    "only root may open a virtual terminal (/dev/tty0: %s)",
		    strerror(error));
	return fault_set(f, FAULT_CONFIG,
	    "this machine has no virtual terminals (/dev/tty0: %s)",
	    strerror(error));
}

static int
path_of(const struct console_screen *s, char path[PATH_SIZE], struct fault *f)
{
	if (text_fmt(path, PATH_SIZE, "/dev/tty%d", s->number) < 0)
		return fault_set(f, FAULT_SYSTEM, "terminal %d", s->number);
	return 0;
}

static int
find_free(struct console_screen *s, const struct console_device *device,
    struct fault *f)
{
	struct vt_stat state = { 0 };
	int number = -1;

	if (device->control_at(s->control, VT_GETSTATE, &state) < 0)
		return fault_set(f, FAULT_SYSTEM, "VT_GETSTATE: %s",
		    strerror(errno));
	if (device->control_at(s->control, VT_OPENQRY, &number) < 0 ||
	    number <= 0)
		return fault_set(f, FAULT_BUSY,
		    "every virtual terminal is in use");
	s->before = state.v_active;
	s->number = number;
	return 0;
}

static int
failed(const char *path, const char *what, struct fault *f)
{
	return fault_set(f, FAULT_BUSY, "%s: %s: %s", path, what,
	    strerror(errno));
}

/* Nobody's screen, and nobody's alone. */
static int
see_that_it_is_free(const struct console_device *device, const char *path,
    int fd, struct fault *f)
{
	struct vt_mode mode = { 0 };
	int shows = KD_TEXT, alone = 0;

	if (device->control_at(fd, TIOCGEXCL, &alone) < 0)
		return failed(path, "TIOCGEXCL", f);
	if (device->control_at(fd, VT_GETMODE, &mode) < 0)
		return failed(path, "VT_GETMODE", f);
	if (device->control_at(fd, KDGETMODE, &shows) < 0)
		return failed(path, "KDGETMODE", f);
	if (alone != 0 || mode.mode != VT_AUTO || shows != KD_TEXT)
		return fault_set(f, FAULT_BUSY, "%s: somebody else holds it",
		    path);
	return 0;
}

/* Root's, and nobody's to open. */
static int
own(struct console_screen *s, const struct console_device *device,
    const char *path, int fd, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(path, "fstat", f);
	s->uid = st.st_uid;
	s->gid = st.st_gid;
	s->mode = st.st_mode & 07777;
	if (device->own(fd, geteuid(), 0, 0600) < 0)
		return failed(path, "chown", f);
	s->owned = true;
	return 0;
}

/* Who had opened it while it was not ours alone loses it: we too, and open it
 * again. */
static int
take(struct console_screen *s, const struct console_device *device,
    const char *path, int *fd, struct fault *f)
{
	if ((*fd = device->open(path, OPEN_FLAGS)) < 0)
		return failed(path, "open", f);
	if (see_that_it_is_free(device, path, *fd, f) < 0 ||
	    own(s, device, path, *fd, f) < 0)
		return -1;
	(void)close(*fd);
	*fd = -1;
	if (device->hang_up(path) < 0)
		return failed(path, "vhangup", f);
	if ((*fd = device->open(path, OPEN_FLAGS)) < 0)
		return failed(path, "open", f);
	if (see_that_it_is_free(device, path, *fd, f) < 0)
		return -1;
	if (device->control(*fd, TIOCEXCL, 0) < 0)
		return failed(path, "TIOCEXCL", f);
	s->alone = true;
	return 0;
}

int
console_screen_open(struct console_screen *s,
    const struct console_device *device, int *fd, struct fault *f)
{
	char path[PATH_SIZE];

	*s = (struct console_screen){ .control = -1 };
	*fd = -1;
	if ((s->control = open_control(device, f)) < 0 ||
	    find_free(s, device, f) < 0 || path_of(s, path, f) < 0)
		return -1;
	return take(s, device, path, fd, f);
}

int
console_screen_show(struct console_screen *s,
    const struct console_device *device, struct fault *f)
{
	if (device->control(s->control, VT_ACTIVATE, s->number) < 0)
		return fault_set(f, FAULT_SYSTEM, "VT_ACTIVATE: %s",
		    strerror(errno));
	return 0;
}

/* ---- giving it back */

static int
shown_now(const struct console_screen *s, const struct console_device *device)
{
	struct vt_stat state = { 0 };

	if (device->control_at(s->control, VT_GETSTATE, &state) < 0)
		return -1;
	return state.v_active;
}

/* A person who has gone to another one meanwhile stays there. */
static void
show_what_was(const struct console_screen *s,
    const struct console_device *device)
{
	const struct timespec step = { 0, SWITCH_STEP_MS * 1000000L };

	if (s->before == 0 || shown_now(s, device) != s->number ||
	    device->control(s->control, VT_ACTIVATE, s->before) < 0)
		return;
	for (int i = 0; i < SWITCH_STEPS; i++) {
		if (shown_now(s, device) != s->number)
			return;
		(void)nanosleep(&step, NULL);
	}
}

void
console_screen_close(struct console_screen *s,
    const struct console_device *device, int fd)
{
	if (s->control >= 0 && s->number > 0)
		show_what_was(s, device);
	if (fd >= 0) {
		if (s->alone)
			(void)device->control(fd, TIOCNXCL, 0);
		if (s->owned)
			(void)device->own(fd, s->uid, s->gid, s->mode);
		(void)close(fd);
	}
	if (s->control < 0)
		return;
	if (s->number > 0)
		(void)device->control(s->control, VT_DISALLOCATE, s->number);
	(void)close(s->control);
	s->control = -1;
}

int
console_screen_check(const struct console_device *device, struct fault *f)
{
	int fd = open_control(device, f);

	if (fd < 0)
		return -1;
	(void)close(fd);
	return 0;
}
