#ifndef SIGNETD_TOKEN_HOLDER_H
#define SIGNETD_TOKEN_HOLDER_H

#include "base/checked.h"
#include "base/fault.h"
#include "base/own.h"
#include "base/wire.h"
#include "token/token.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A token in the hands of threads, so that a loop never waits for its module:
 * one signs per session, one logs in, looks each second and recovers, one waits
 * for slot events.  What is new is taken by the loop's own thread, which calls
 * everything in this file; no lock is held while the module is called.
 */
struct holder;

/* What may wait for a signature; more are FAULT_BUSY. */
#define HOLDER_ASKS_MAX 2048
#define HOLDER_PIN_MAX 1024

struct holder_signed {
	uint32_t id;
	enum fault_code fault; /* as token_sign says */
	struct token_signature signature;
};

/* How the token is.  ${state} is TOKEN_BROKEN too if no PIN may be tried. */
struct holder_news {
	enum token_state state;
	enum fault_code fault; /* why; NONE if it is ready */
	uint32_t flags;	       /* of token_told.h */
	char label[40];
	char serial[20];
	char text[240];
};

/* Room for the PIN is made here, before the walls, and nothing is loaded. */
CHECKED struct holder *holder_new(const struct token_uri *uri,
    const struct spki *ca, struct fault *f);

/* Begin: load the module, and try again every ten seconds if it cannot be. */
CHECKED int holder_start(struct holder *h, struct fault *f);

/* Waits for all threads: for tests.  A role just ends. */
void holder_free(struct holder *h);

/* A descriptor that is readable when there is something to take. */
int holder_fd(const struct holder *h);

/* Whether something has happened since holder_fd() was last readable; clears
 * it.  To be called before what follows is taken. */
void holder_heard(struct holder *h);

/* Log in once with ${pin}, which is copied; empty: it is entered at the reader.
 * Nothing happens if there is a login under way, or it is ready. */
void holder_pin(struct holder *h, struct wire_bytes pin);

/* Ask for a signature of ${digest}, which is copied. */
CHECKED int holder_sign(struct holder *h, uint32_t id, struct wire_bytes digest,
    struct fault *f);

/* The next that is done, one way or the other; false if there is none.  Take
 * all: of those that come beside others the descriptor says nothing. */
bool holder_signed(struct holder *h, struct holder_signed *done);

/* Whether the token is otherwise than at the last call; how it is now. */
bool holder_news(struct holder *h, struct holder_news *news);

/* A signature that it gave was not the key's, as the signer has found: nothing
 * is verified here. */
void holder_wrong(struct holder *h);
/* Something else saw it go.  Take the news before holder_look(), which begins
 * to recover, and then the reason is another. */
void holder_lost(struct holder *h, const char *why);
/* It is absent because of ${why}, whatever the module says, until this is
 * called with NULL: no PIN is taken and nothing signed, and who was logged in
 * is so no more. */
void holder_away(struct holder *h, const char *why);
/* Look at once. */
void holder_look(struct holder *h);

/* Milliseconds that the longest call into the module has lasted; while
 * somebody may be entering a PIN at the reader, 0. */
int64_t holder_longest(struct holder *h);

OWN_FREE_STRUCT(holder, holder_free)

#endif
