#include "sys/ask.h"

#include "base/fault.h"
#include "base/file.h"

#include <sys/signalfd.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_MAX 1024

/* The terminal while we ask.  What would end or stop us waits until it is as
 * it was: the signals are blocked, and seen through a descriptor. */
struct terminal {
	int fd;
	int signals;
	sigset_t blocked;
	sigset_t before;
	struct termios was;
	bool silent;
};

enum heard {
	HEARD_LINE,
	HEARD_SIGNAL,
	HEARD_FAULT
};

static int
failed(const char *what, struct fault *f)
{
	return fault_set(f, FAULT_SYSTEM, "%s: %s", what, strerror(errno));
}

static void
choose_signals(sigset_t *set)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGTSTP };

	(void)sigemptyset(set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaddset(set, numbers[i]);
}

/* Block the signals, and the echo if the answer is a secret. */
static int
enter(struct terminal *t, struct fault *f)
{
	struct termios quiet;

	if (sigprocmask(SIG_BLOCK, &t->blocked, &t->before) < 0)
		return failed("sigprocmask", f);
	if (tcgetattr(t->fd, &t->was) < 0) {
		(void)failed("tcgetattr", f);
		(void)sigprocmask(SIG_SETMASK, &t->before, NULL);
		return -1;
	}
	if (!t->silent)
		return 0;
	quiet = t->was;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	/* What was typed before it was asked for is not the answer. */
	if (tcsetattr(t->fd, TCSAFLUSH, &quiet) < 0) {
		(void)failed("tcsetattr", f);
		(void)sigprocmask(SIG_SETMASK, &t->before, NULL);
		return -1;
	}
	return 0;
}

/* Set the terminal back; then let a signal that waits do what it does. */
static void
leave(struct terminal *t)
{
	bool ended = !t->silent;

	if (t->silent)
		ended = tcsetattr(t->fd, TCSAFLUSH, &t->was) == 0 &&
		    write(t->fd, "\n", 1) == 1;
	/* A terminal that has hung up has no line to end. */
	(void)ended;
	(void)sigprocmask(SIG_SETMASK, &t->before, NULL);
}

/* One byte from ${fd}: 1, or 0 at the end, or -1. */
static int
read_byte(int fd, uint8_t *byte, struct fault *f)
{
	ssize_t got;

	do
		got = read(fd, byte, 1);
	while (got < 0 && errno == EINTR);
	return got < 0 ? failed("read", f) : (int)got;
}

/*
 * Read a line into ${answer}, byte by byte so that what follows it stays
 * unread.  All of the line is read even where it is too long.
 */
static int
read_line(int fd, struct secret *answer, struct fault *f)
{
	uint8_t *data = secret_data(answer);
	size_t len = 0;
	bool bad = false;
	uint8_t byte = 0;
	int got;

	while ((got = read_byte(fd, &byte, f)) == 1 && byte != '\n') {
		if (len == secret_size(answer) || byte == '\0') {
			bad = true;
			continue;
		}
		data[len++] = byte;
	}
	explicit_bzero(&byte, sizeof(byte));
	if (got < 0)
		return -1;
	if (bad)
		return fault_set(f, FAULT_INPUT,
		    "the answer is longer than %d bytes, or holds a NUL",
		    ANSWER_MAX);
	if (got == 0 && len == 0)
		return fault_set(f, FAULT_USAGE, "no answer was given");
	secret_set_len(answer, len);
	return 0;
}

/* Wait for a whole line, or a signal, and read the line. */
static enum heard
hear(struct terminal *t, struct secret *answer, struct fault *f)
{
	struct pollfd p[2] = { { .fd = t->fd, .events = POLLIN },
		{ .fd = t->signals, .events = POLLIN } };
	int ready;

	do
		ready = poll(p, 2, -1);
	while (ready < 0 && errno == EINTR);
	if (ready < 0) {
		(void)failed("poll", f);
		return HEARD_FAULT;
	}
	if (p[1].revents != 0)
		return HEARD_SIGNAL;
	return read_line(t->fd, answer, f) < 0 ? HEARD_FAULT : HEARD_LINE;
}

static int
say(const struct terminal *t, const char *prompt, struct fault *f)
{
	return file_write_all(t->fd, prompt, strlen(prompt), f);
}

/* Ask until there is an answer.  A signal is let through with the terminal set
 * back; if we are still there after it (stopped, and going on), ask again. */
static int
converse(struct terminal *t, const char *prompt, struct secret *answer,
    struct fault *f)
{
	for (;;) {
		enum heard heard = HEARD_FAULT;

		if (enter(t, f) < 0)
			return -1;
		if (say(t, prompt, f) == 0)
			heard = hear(t, answer, f);
		leave(t);
		if (heard != HEARD_SIGNAL)
			return heard == HEARD_LINE ? 0 : -1;
	}
}

static int
open_terminal(struct terminal *t, bool silent, struct fault *f)
{
	*t = (struct terminal){ .silent = silent };
	choose_signals(&t->blocked);
	t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (t->fd < 0)
		return fault_set(f, FAULT_USAGE,
		    "there is no terminal to ask at");
	t->signals = signalfd(-1, &t->blocked, SFD_CLOEXEC);
	if (t->signals < 0) {
		(void)failed("signalfd", f);
		(void)close(t->fd);
		return -1;
	}
	return 0;
}

static struct secret *
ask(const char *prompt, bool silent, struct fault *f)
{
	OWN_STRUCT(secret) answer = secret_new(ANSWER_MAX, f);
	struct terminal t;
	int result;

	if (answer == NULL || open_terminal(&t, silent, f) < 0)
		return NULL;
	result = converse(&t, prompt, answer, f);
	(void)close(t.signals);
	(void)close(t.fd);
	return result < 0 ? NULL : TAKE(answer);
}

struct secret *
ask_secret(const char *prompt, struct fault *f)
{
	return ask(prompt, true, f);
}

struct secret *
ask_secret_fd(int fd, struct fault *f)
{
	OWN_STRUCT(secret) answer = secret_new(ANSWER_MAX, f);

	if (answer == NULL || read_line(fd, answer, f) < 0)
		return NULL;
	return TAKE(answer);
}

struct secret *
ask_new_secret(const char *prompt, size_t least, struct fault *f)
{
	OWN_STRUCT(secret) first = ask_secret(prompt, f);
	OWN_STRUCT(secret) second = NULL;

	if (first == NULL)
		return NULL;
	if (secret_len(first) < least) {
		(void)fault_set(f, FAULT_USAGE,
		    "too short: at least %zu characters are needed", least);
		return NULL;
	}
	if ((second = ask_secret("Once more: ", f)) == NULL)
		return NULL;
	if (!secret_equal(first, second)) {
		(void)fault_set(f, FAULT_USAGE, "the two answers differ");
		return NULL;
	}
	return TAKE(first);
}

int
ask_yes(const char *prompt, bool *yes, struct fault *f)
{
	OWN_STRUCT(secret) answer = ask(prompt, false, f);

	if (answer == NULL)
		return -1;
	*yes = strcasecmp(secret_text(answer), "y") == 0 ||
	    strcasecmp(secret_text(answer), "yes") == 0;
	return 0;
}
