#ifndef SYS_CONSOLE_PROBE_H
#define SYS_CONSOLE_PROBE_H

#include "base/text.h"
#include "base/unit.h"
#include "sys/console.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

/* A machine whose terminal 7 is free and is a pty, and what was done to it, in
 * order. */
static struct {
	char done[1024];
	const char *fails; /* the step that fails */
	int error;
	int active;
	int alone;     /* what TIOCGEXCL says */
	short mode;    /* VT_GETMODE */
	int shows;     /* KDGETMODE */
	bool stubborn; /* what is shown does not let go */
	char slave[64];
	mode_t owned;
} machine;

static inline bool
play_did(const char *step)
{
	size_t len = strlen(machine.done);

	assert_int_equal(text_fmt(machine.done + len,
			     sizeof(machine.done) - len, "%s%s",
			     len == 0 ? "" : " ", step),
	    0);
	if (machine.fails == NULL || strcmp(machine.fails, step) != 0)
		return true;
	errno = machine.error;
	return false;
}

static inline int
play_open(const char *path, int flags)
{
	char step[64];

	assert_true((flags & O_NOCTTY) != 0 && (flags & O_CLOEXEC) != 0);
	assert_int_equal(text_fmt(step, sizeof(step), "open:%s",
			     strrchr(path, '/') + 1),
	    0);
	if (!play_did(step))
		return -1;
	return open(strcmp(path, "/dev/tty7") == 0 ? machine.slave
						   : "/dev/null",
	    flags);
}

static inline int
play_control(int fd, unsigned long request, long number)
{
	char step[64];

	if (request == TIOCEXCL || request == TIOCNXCL)
		return play_did(request == TIOCEXCL ? "EXCL" : "NXCL")
		    ? ioctl(fd, request)
		    : -1;
	assert_true(request == VT_ACTIVATE || request == VT_DISALLOCATE);
	assert_int_equal(text_fmt(step, sizeof(step), "%s:%ld",
			     request == VT_ACTIVATE ? "ACTIVATE"
						    : "DISALLOCATE",
			     number),
	    0);
	if (!play_did(step))
		return -1;
	if (request == VT_ACTIVATE && !machine.stubborn)
		machine.active = (int)number;
	return 0;
}

static inline int
play_control_at(int fd, unsigned long request, void *at)
{
	(void)fd;
	if (request == VT_GETSTATE) {
		*(struct vt_stat *)at =
		    (struct vt_stat){ .v_active =
					  (unsigned short)machine.active };
		return 0;
	}
	if (request == VT_OPENQRY) {
		*(int *)at = play_did("OPENQRY") ? 7 : -1;
		return 0;
	}
	if (request == TIOCGEXCL)
		*(int *)at = machine.alone;
	else if (request == VT_GETMODE)
		((struct vt_mode *)at)->mode = (char)machine.mode;
	else if (request == KDGETMODE)
		*(int *)at = machine.shows;
	else
		fail_msg("ioctl %lx", request);
	return 0;
}

static inline int
play_own(int fd, uid_t uid, gid_t gid, mode_t mode)
{
	(void)fd;
	(void)uid;
	(void)gid;
	machine.owned = mode;
	return play_did(mode == 0600 ? "own" : "disown") ? 0 : -1;
}

static inline int
play_hang_up(const char *path)
{
	assert_string_equal(path, "/dev/tty7");
	return play_did("hang-up") ? 0 : -1;
}

static const struct console_device play_device = { play_open, play_control,
	play_control_at, play_own, play_hang_up };

/* A fresh machine; the descriptor of the person's end of its terminal 7, which
 * does not wait. */
static inline int
play_machine(void)
{
	int master, slave;

	memset(&machine, 0, sizeof(machine));
	machine.active = 1;
	machine.mode = VT_AUTO;
	assert_int_equal(openpty(&master, &slave, machine.slave, NULL, NULL),
	    0);
	/* It stays when we have closed it; its mode is not ours. */
	assert_int_equal(fcntl(slave, F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(fchmod(slave, 0620), 0);
	assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	return master;
}

#endif
