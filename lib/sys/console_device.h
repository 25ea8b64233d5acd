#ifndef SYS_CONSOLE_DEVICE_H
#define SYS_CONSOLE_DEVICE_H

#include "sys/console.h"

#include <linux/vt.h>

/*
 * A virtual terminal of this machine: found, taken, shown, and given back.  For
 * console.c alone.
 */
struct fault;

struct console_screen {
	int control; /* the console itself; -1: none */
	int number;  /* of our terminal; 0: none */
	int before;  /* of the one that was shown; 0: none to go back to */
	uid_t uid;   /* whose it was, and how */
	gid_t gid;
	mode_t mode;
	bool owned;
	bool alone; /* TIOCEXCL was said */
};

/* The devices of this machine. */
const struct console_device *console_machine(void);

/**
 * console_screen_open(s, device, fd, f):
 * Take one that nobody uses; ${fd} is its descriptor, not waiting.  After a
 * fault console_screen_close() gives back what was taken.  FAULT_CONFIG if
 * there are none on this machine, or not for us; FAULT_BUSY if all are in use
 * or somebody was quicker.
 */
CHECKED int console_screen_open(struct console_screen *s,
    const struct console_device *device, int *fd, struct fault *f);

/* Ask the kernel to show it; that happens soon, or when the one that is shown
 * lets go. */
CHECKED int console_screen_show(struct console_screen *s,
    const struct console_device *device, struct fault *f);

/* Show what was shown before, if ours still is; give it back.  Closes ${fd},
 * if that is not -1. */
void console_screen_close(struct console_screen *s,
    const struct console_device *device, int fd);

CHECKED int console_screen_check(const struct console_device *device,
    struct fault *f);

#endif
