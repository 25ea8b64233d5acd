#ifndef SYS_ASK_H
#define SYS_ASK_H

#include "base/checked.h"
#include "base/secret.h"

#include <stdbool.h>

/* Ask a person at the terminal. */
struct fault;

/**
 * ask_secret(prompt, f):
 * Print ${prompt} on /dev/tty and read a line without echo, at most 1024
 * bytes; the terminal is set back on every path, also after a signal.
 * Without a terminal: FAULT_USAGE.  secret_free() the result.
 */
CHECKED struct secret *ask_secret(const char *prompt, struct fault *f);

/* The first line of descriptor ${fd}, without its newline (-S,
 * --password-stdin). */
CHECKED struct secret *ask_secret_fd(int fd, struct fault *f);

/* ask_secret twice; FAULT_USAGE if they differ or are shorter than ${least}. */
CHECKED struct secret *ask_new_secret(const char *prompt, size_t least,
    struct fault *f);

/* Whether the person answers yes. */
CHECKED int ask_yes(const char *prompt, bool *yes, struct fault *f);

#endif
