#ifndef SYS_CONSOLE_H
#define SYS_CONSOLE_H

#include "base/checked.h"
#include "base/own.h"
#include "base/secret.h"

#include <sys/types.h>

#include <stdbool.h>

/*
 * Ask a person for a secret, on the loop and without holding it up: at a
 * virtual terminal that is opened for this, so that somebody must stand before
 * the machine, or at the controlling terminal of this process.
 *
 * The virtual terminal (console_ioctl(4), vt(4)) is one that nobody uses
 * (VT_OPENQRY).  It becomes root's (mode 0600), is hung up, is ours alone
 * (TIOCEXCL), without echo, its input flushed, and is shown (VT_ACTIVATE).
 * Afterwards it is wiped, the one that was shown before is shown again, and
 * what the kernel has for it is given back (VT_DISALLOCATE).
 */
struct fault;
struct loop;
struct console;

enum console_kind {
	CONSOLE_VIRTUAL,
	CONSOLE_TERMINAL
};

#define CONSOLE_ANSWER_MAX 255 /* bytes */
#define CONSOLE_TEXT_MAX 1200

/* What is done to devices; tests bring their own.  All as in Linux: -1 and
 * errno. */
struct console_device {
	int (*open)(const char *path, int flags);
	/* An ioctl(2) whose argument is a number, or a pointer. */
	int (*control)(int fd, unsigned long request, long number);
	int (*control_at)(int fd, unsigned long request, void *at);
	int (*own)(int fd, uid_t uid, gid_t gid, mode_t mode);
	/* End whoever has ${path} open (vhangup(2)). */
	int (*hang_up)(const char *path);
};

/* A line came: ${answer}, of 1 to CONSOLE_ANSWER_MAX bytes without control
 * characters (or empty, if that was wished for), is now the handler's.  Or it
 * is NULL, and ${f} says why nothing more will come.  The handler may free the
 * console, or let it ask again. */
typedef void console_heard_fn(void *arg, struct secret *answer,
    const struct fault *f);

struct console_wish {
	enum console_kind kind;
	const char *text;   /* what is shown: UTF-8 lines, cut to TEXT_MAX */
	const char *prompt; /* behind it */
	bool empty;	    /* an empty answer is one */
	console_heard_fn *heard;
	void *arg;
	const struct console_device *device; /* NULL: those of this machine */
};

/**
 * console_open(loop, wish, f):
 * Begin to ask.  FAULT_CONFIG if this process has no such terminal,
 * FAULT_BUSY if it cannot have it now.  Whatever failed, everything is as it
 * was before.  A terminal at which this process is in the background is asked
 * at when it comes to the foreground: it must ignore SIGTTIN and SIGTTOU.
 */
CHECKED struct console *console_open(struct loop *loop,
    const struct console_wish *wish, struct fault *f);

/* Show ${text}, and ask again unless ${prompt} is NULL: then what is typed is
 * not heard. */
void console_ask(struct console *console, const char *text, const char *prompt,
    bool empty);

/* Its name, as in "tty7" or "tty". */
const char *console_name(const struct console *console);

/* Set all back.  It may take some tens of milliseconds, until the screen has
 * been switched. */
void console_free(struct console *console);

/* Whether there is such a terminal: FAULT_CONFIG says what to do if not. */
CHECKED int console_check(enum console_kind kind,
    const struct console_device *device, struct fault *f);

/* Show a line that wants no answer; whether it could be is not known. */
void console_tell(enum console_kind kind, const struct console_device *device,
    const char *line);

OWN_FREE_STRUCT(console, console_free)

#endif
