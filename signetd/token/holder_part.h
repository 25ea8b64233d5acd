#ifndef SIGNETD_TOKEN_HOLDER_PART_H
#define SIGNETD_TOKEN_HOLDER_PART_H

#include "base/secret.h"
#include "signetd/token/holder.h"
#include "x509/key_hash.h"

#include <pthread.h>

/* For holder.c and holder_thread.c: what is inside. */

struct holder_ask {
	uint32_t id;
	uint8_t digest[KEY_HASH_MAX];
	size_t len;
};

/*
 * Asks that are signed together, so that it is seen once for all of them that
 * the token is the same: no more than are waiting, and, as far as the ones
 * before tell, than are signed in so many milliseconds, since the first waits
 * for the last.
 */
#define HOLDER_TOGETHER_MAX 16
#define HOLDER_TOGETHER_MS 6

struct holder {
	struct token_uri uri;
	uint8_t *ca; /* DER of spki */
	struct spki spki;
	int fd;
	/* The loop's thread alone. */
	struct holder_news told;
	unsigned told_tries;
	bool ever_told;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* for all but signers */
	pthread_cond_t asked;	/* for signers */
	bool ending;
	struct token *token; /* NULL until the module is loaded */
	struct fault unopened;
	int64_t opening;   /* clock_mono of when it began; 0: not now */
	struct fault away; /* why it counts as absent; NONE: it does not */
	bool look;	   /* at once */
	unsigned looks;	   /* how often was looked */
	/* What is to be signed and what was: rings. */
	struct holder_ask ask[HOLDER_ASKS_MAX];
	size_t asks, next_ask;
	struct holder_signed done[HOLDER_ASKS_MAX];
	size_t dones, next_done;
	size_t busy; /* taken from ask, not yet in done */
	/* PINs: one that was given, one that is kept for each signature. */
	struct secret *given;
	bool has_given;
	bool at_reader;
	bool logging_in;
	struct secret *kept;
	bool has_kept;
	unsigned kept_users;
	struct fault login; /* what came of the last one */
	unsigned tries;

	pthread_t control;
	pthread_t events;
	pthread_t signer[TOKEN_SESSIONS_MAX];
	unsigned signers;
	bool controlled;
	bool waits; /* there is a thread for events */
};

/* Tell the loop that there is something to take. */
void holder_ring(struct holder *h);

/* With `lock` held: wipe the kept PIN if it is of no use any more. */
void holder_forget(struct holder *h, bool ready);

/* The thread that makes the others; ${arg} is the holder. */
void *holder_control(void *arg);

#endif
