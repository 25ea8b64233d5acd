#include "sys/console.h"

#include "base/fault.h"
#include "base/text.h"
#include "sys/console_device.h"
#include "sys/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* The longest line that the kernel hands out (N_TTY), and its end. */
#define LINE_MAX_BYTES 4096
#define LOOK_MS 200
#define WRITE_MS 200

struct console {
	const struct console_device *device;
	struct loop *loop;
	enum console_kind kind;
	console_heard_fn *heard;
	void *arg;
	struct console_screen screen; /* of a virtual terminal */
	char name[16];
	int fd;
	struct loop_watch *watch;
	struct loop_timer *look; /* for the foreground */
	struct termios was;
	bool silent; /* ${was} is to be set back */
	bool asked;
	bool empty;
	char text[CONSOLE_TEXT_MAX]; /* to be shown yet */
	char prompt[64];
};

/* A person who has stopped the output (Ctrl-S) does not stop us. */
static void
show(const struct console *c, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		struct pollfd ready = { .fd = c->fd, .events = POLLOUT };
		ssize_t put = write(c->fd, text, len);

		if (put > 0) {
			text += put;
			len -= (size_t)put;
			continue;
		}
		if (put < 0 && errno == EINTR)
			continue;
		if (put == 0 || errno != EAGAIN ||
		    poll(&ready, 1, WRITE_MS) != 1)
			return;
	}
}

/* Lines, no echo, and no character that does more than edit the line.  On a
 * terminal of its own nobody is to be interrupted either. */
static void
be_quiet(const struct console *c, struct termios *t)
{
	t->c_lflag &=
	    ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ECHOCTL | IEXTEN);
	t->c_lflag |= ICANON;
	t->c_iflag &= ~(tcflag_t)(IXON | INLCR | IGNCR);
	t->c_iflag |= ICRNL;
	t->c_oflag |= OPOST | ONLCR;
	t->c_cc[VEOF] = t->c_cc[VSUSP] = _POSIX_VDISABLE;
	t->c_cc[VEOL] = t->c_cc[VEOL2] = _POSIX_VDISABLE;
	if (c->kind == CONSOLE_VIRTUAL)
		t->c_lflag &= ~(tcflag_t)ISIG;
}

static int
set_silent(struct console *c, struct fault *f)
{
	struct termios quiet;

	if (tcgetattr(c->fd, &c->was) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", c->name,
		    strerror(errno));
	quiet = c->was;
	be_quiet(c, &quiet);
	/* What was typed before it was asked for is not the answer. */
	if (tcsetattr(c->fd, TCSAFLUSH, &quiet) < 0 ||
	    tcgetattr(c->fd, &quiet) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", c->name,
		    strerror(errno));
	c->silent = true;
	if ((quiet.c_lflag & ECHO) != 0)
		return fault_set(f, FAULT_SYSTEM,
		    "%s: it would show the answer", c->name);
	return 0;
}

/* ---- listening */

static void
listen_to(struct console *c, bool asked)
{
	c->asked = asked;
	loop_watch_set(c->watch, asked ? LOOP_READ : 0);
}

static void
ask_now(struct console *c)
{
	(void)tcflush(c->fd, TCIFLUSH);
	show(c, c->text);
	c->text[0] = '\0';
	if (c->prompt[0] != '\0')
		show(c, c->prompt);
	listen_to(c, c->prompt[0] != '\0');
}

/* Who reads in the background is stopped; a daemon goes on meanwhile. */
static bool
in_foreground(const struct console *c)
{
	return c->kind == CONSOLE_VIRTUAL || tcgetpgrp(c->fd) == getpgrp();
}

static void
give_up(struct console *c, const char *why)
{
	struct fault f = { 0 };

	loop_watch_set(c->watch, 0);
	loop_timer_stop(c->look);
	(void)fault_set(&f, FAULT_UNREACHABLE, "%s: %s", c->name, why);
	c->heard(c->arg, NULL, &f);
}

static void
look(void *arg)
{
	struct console *c = arg;
	struct fault f = { 0 };

	if (!in_foreground(c)) {
		loop_timer_set(c->look, LOOK_MS);
		return;
	}
	if (!c->silent && set_silent(c, &f) < 0) {
		give_up(c, f.text);
		return;
	}
	ask_now(c);
}

/* Why the line ${answer} cannot be what was asked for; NULL if it can. */
static const char *
whats_wrong(const struct console *c, const struct secret *answer)
{
	const char *text = secret_text(answer);
	size_t len = secret_len(answer);

	if (len == 0 && !c->empty)
		return "Nothing was entered.";
	if (len > CONSOLE_ANSWER_MAX)
		return "That is too long; it was not tried.";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return "There is a control character in it; it was not "
			       "tried.";
	return NULL;
}

static void
take_line(struct console *c, struct secret *line, size_t len)
{
	OWN_STRUCT(secret) answer = line;
	const char *wrong;

	if (len > 0 && secret_text(answer)[len - 1] == '\n')
		len--;
	secret_set_len(answer, len);
	show(c, "\n");
	if ((wrong = whats_wrong(c, answer)) != NULL) {
		char text[128];

		if (text_fmt(text, sizeof(text), "%s\n", wrong) == 0)
			show(c, text);
		ask_now(c);
		return;
	}
	listen_to(c, false);
	c->heard(c->arg, TAKE(answer), NULL);
}

/* A line comes whole: the kernel gathers it. */
static void
ready(void *arg, int fd, unsigned what)
{
	struct console *c = arg;
	struct fault f = { 0 };
	OWN_STRUCT(secret) line = NULL;
	ssize_t got;

	(void)what;
	if (!in_foreground(c)) {
		listen_to(c, false);
		loop_timer_set(c->look, LOOK_MS);
		return;
	}
	if ((line = secret_new(LINE_MAX_BYTES, &f)) == NULL) {
		give_up(c, f.text);
		return;
	}
	got = read(fd, secret_data(line), LINE_MAX_BYTES);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		give_up(c, got == 0 ? "it was hung up" : strerror(errno));
		return;
	}
	take_line(c, TAKE(line), (size_t)got);
}

/* ---- the whole */

static int
open_terminal(struct console *c, struct fault *f)
{
	if (text_copy(c->name, sizeof(c->name), "tty") < 0)
		return -1;
	c->fd = c->device->open("/dev/tty",
	    O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (c->fd < 0)
		return fault_set(f, FAULT_CONFIG,
		    "there is no terminal to ask at: signetd was started "
		    "without one");
	return 0;
}

static int
open_virtual(struct console *c, struct fault *f)
{
	if (console_screen_open(&c->screen, c->device, &c->fd, f) < 0)
		return -1;
	return text_fmt(c->name, sizeof(c->name), "tty%d", c->screen.number);
}

static int
begin(struct console *c, struct fault *f)
{
	if (c->kind == CONSOLE_VIRTUAL ? open_virtual(c, f) < 0
				       : open_terminal(c, f) < 0)
		return -1;
	c->watch = loop_watch_new(c->loop, c->fd, 0, ready, c, f);
	c->look = loop_timer_new(c->loop, look, c, f);
	if (c->watch == NULL || c->look == NULL)
		return -1;
	/* What goes wrong there is told on the loop, not from here. */
	if (c->kind == CONSOLE_TERMINAL) {
		loop_timer_set(c->look, 0);
		return 0;
	}
	if (set_silent(c, f) < 0)
		return -1;
	/* Cleared, before it is seen. */
	show(c, "\033c\033[H\033[J");
	ask_now(c);
	return console_screen_show(&c->screen, c->device, f);
}

static void
keep_text(struct console *c, const char *text, const char *prompt, bool empty)
{
	const char *end = text;

	while (*end != '\0' && end - text < CONSOLE_TEXT_MAX - 1)
		end++;
	memcpy(c->text, text, (size_t)(end - text));
	c->text[end - text] = '\0';
	if (text_copy(c->prompt, sizeof(c->prompt),
		prompt == NULL ? "" : prompt) < 0)
		(void)!text_copy(c->prompt, sizeof(c->prompt), "Answer: ");
	c->empty = empty;
}

struct console *
console_open(struct loop *loop, const struct console_wish *wish,
    struct fault *f)
{
	struct console *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for a console");
		return NULL;
	}
	c->device = wish->device == NULL ? console_machine() : wish->device;
	c->loop = loop;
	c->kind = wish->kind;
	c->heard = wish->heard;
	c->arg = wish->arg;
	c->fd = -1;
	c->screen.control = -1;
	keep_text(c, wish->text, wish->prompt, wish->empty);
	if (begin(c, f) == 0)
		return c;
	console_free(c);
	return NULL;
}

void
console_ask(struct console *c, const char *text, const char *prompt, bool empty)
{
	keep_text(c, text, prompt, empty);
	look(c);
}

const char *
console_name(const struct console *c)
{
	return c->name;
}

void
console_free(struct console *c)
{
	if (c == NULL)
		return;
	loop_watch_free(c->watch);
	loop_timer_free(c->look);
	if (c->fd >= 0 && c->kind == CONSOLE_VIRTUAL)
		/* And what has scrolled away. */
		show(c, "\033[H\033[J\033[3J");
	if (c->silent) {
		if (c->asked && c->kind == CONSOLE_TERMINAL && in_foreground(c))
			show(c, "\n");
		(void)tcsetattr(c->fd, TCSAFLUSH, &c->was);
	}
	if (c->kind == CONSOLE_VIRTUAL)
		console_screen_close(&c->screen, c->device, c->fd);
	else if (c->fd >= 0)
		(void)close(c->fd);
	free(c);
}

int
console_check(enum console_kind kind, const struct console_device *device,
    struct fault *f)
{
	const struct console_device *d =
	    device == NULL ? console_machine() : device;
	int fd;

	if (kind == CONSOLE_VIRTUAL)
		return console_screen_check(d, f);
	fd = d->open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fault_set(f, FAULT_CONFIG,
		    "there is no terminal: start signetd from one");
	(void)close(fd);
	return 0;
}

void
console_tell(enum console_kind kind, const struct console_device *device,
    const char *line)
{
	const struct console_device *d =
	    device == NULL ? console_machine() : device;
	const char *path =
	    kind == CONSOLE_VIRTUAL ? "/dev/console" : "/dev/tty";
	struct console to = {
		.fd =
		    d->open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
	};

	if (to.fd < 0)
		return;
	show(&to, line);
	show(&to, "\r\n");
	(void)close(to.fd);
}
