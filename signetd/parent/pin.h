#ifndef SIGNETD_PARENT_PIN_H
#define SIGNETD_PARENT_PIN_H

#include "base/checked.h"
#include "base/own.h"
#include "base/secret.h"
#include "ipc/msg.h"
#include "signetd/signetd_conf.h"

#include <stdbool.h>

/*
 * PINs of tokens: for whom one is wanted, asked for as pin-from says, passed on
 * once, wiped.  One is asked for at a time; other CAs wait for their turn, and
 * the daemon for nobody.  Each answer is one try.  The last try of a token is
 * never used: then nothing is asked, until its flags are other ones.
 */
struct console_device;
struct fault;
struct loop;
struct pins;

/* Say ${pin} to the token of CA ${n}; it is wiped when this returns.  Empty: it
 * is entered at the reader. */
typedef int pins_tell_fn(void *arg, size_t n, const struct secret *pin,
    struct fault *f);

struct pins_wish {
	struct loop *loop;
	const struct signetd_conf *conf; /* looked at before each question */
	const struct console_device *device; /* NULL: this machine's */
	pins_tell_fn *tell;
	void *arg;
};

CHECKED struct pins *pins_new(const struct pins_wish *wish, struct fault *f);

/* Wipe, and set every terminal back. */
void pins_free(struct pins *pins);

/* What the token of CA ${n}, which is called ${ca}, says of itself.  It says
 * so at its start, at each change, and after each PIN that it was told. */
void pins_heard(struct pins *pins, size_t n, const char *ca,
    const struct msg_token_news *m);

/* Its process has ended. */
void pins_gone(struct pins *pins, size_t n);

/* Ask for nothing any more: the daemon ends. */
void pins_stop(struct pins *pins);

/* Whether PINs can be asked for as pin-from says: FAULT_CONFIG if not. */
CHECKED int pins_check(const struct signetd_conf *conf,
    const struct console_device *device, struct fault *f);

OWN_FREE_STRUCT(pins, pins_free)

#endif
