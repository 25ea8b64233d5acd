/* What the threads do.  The module is called here, and never with the lock. */
#include "base/clock.h"
#include "base/fault.h"
#include "signetd/token/holder_part.h"

#include <string.h>
#include <time.h>

#define SESSIONS_USUAL 4 /* as token_open says */
#define LOOK_MS 1000
#define OPEN_AGAIN_MS 10000

/* With `lock` held: wait up to ${ms}, or until something changes. */
static void
wait_for(struct holder *h, int ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	(void)pthread_cond_timedwait(&h->changed, &h->lock, &until);
}

/* ---- signing */

/* With `lock` held. */
static bool
take_ask(struct holder *h, struct holder_ask *ask)
{
	while (h->asks == 0 && !h->ending)
		(void)pthread_cond_wait(&h->asked, &h->lock);
	if (h->ending)
		return false;
	*ask = h->ask[h->next_ask];
	h->next_ask = (h->next_ask + 1) % HOLDER_ASKS_MAX;
	h->asks--;
	h->busy++;
	return true;
}

/* What is signed while it counts as absent is nobody's. */
static bool
is_away(struct holder *h)
{
	bool away;

	(void)pthread_mutex_lock(&h->lock);
	away = h->away.code != FAULT_NONE;
	(void)pthread_mutex_unlock(&h->lock);
	return away;
}

/* With `lock` held: the PIN that is kept, borrowed, if the key wants it each
 * time; else NULL. */
static struct secret *
borrow_pin(struct holder *h)
{
	struct token_info info;

	token_info(h->token, &info);
	if (!h->has_kept || !info.each_time)
		return NULL;
	h->kept_users++;
	return h->kept;
}

static void
put_done(struct holder *h, const struct holder_signed *done, bool borrowed)
{
	const bool ready = token_state(h->token, NULL) == TOKEN_READY;
	bool ring;

	(void)pthread_mutex_lock(&h->lock);
	/* Whoever takes what is there takes this along; but a loss is news. */
	ring = h->dones == 0 || done->fault != FAULT_NONE;
	h->done[(h->next_done + h->dones++) % HOLDER_ASKS_MAX] = *done;
	h->busy--;
	if (borrowed && --h->kept_users == 0) {
		holder_forget(h, ready);
		(void)pthread_cond_broadcast(&h->changed);
	}
	(void)pthread_mutex_unlock(&h->lock);
	if (ring)
		holder_ring(h);
}

static void *
sign(void *arg)
{
	struct holder *h = arg;
	struct holder_ask ask;

	for (;;) {
		struct holder_signed done = { .fault = FAULT_NONE };
		struct fault f = { 0 };
		struct secret *pin;
		bool more;

		(void)pthread_mutex_lock(&h->lock);
		more = take_ask(h, &ask);
		pin = more ? borrow_pin(h) : NULL;
		(void)pthread_mutex_unlock(&h->lock);
		if (!more)
			return NULL;
		done.id = ask.id;
		if (is_away(h))
			done.fault = FAULT_SUSPENDED;
		else if (token_sign(h->token, pin,
			     (struct wire_bytes){ ask.digest, ask.len },
			     &done.signature, &f) < 0)
			done.fault = f.code;
		else if (is_away(h))
			done.fault = FAULT_SUSPENDED;
		put_done(h, &done, pin != NULL);
	}
}

/* ---- slot events */

/* With `lock` held: wait until the token has been looked at since. */
static bool
wait_for_look(struct holder *h)
{
	unsigned looks = h->looks;

	h->look = true;
	(void)pthread_cond_broadcast(&h->changed);
	while (h->looks == looks && !h->ending)
		(void)pthread_cond_wait(&h->changed, &h->lock);
	return !h->ending;
}

static void *
wait_for_events(void *arg)
{
	struct holder *h = arg;
	struct fault f = { 0 };
	bool more = true;
	int result;

	while (more && (result = token_wait(h->token, true, &f)) >= 0) {
		holder_ring(h);
		(void)pthread_mutex_lock(&h->lock);
		more = wait_for_look(h);
		(void)pthread_mutex_unlock(&h->lock);
	}
	return NULL;
}

/* ---- login, looks, recovery */

static bool
open_token(struct holder *h)
{
	struct fault f = { 0 };
	struct token *token;

	(void)pthread_mutex_lock(&h->lock);
	h->opening = clock_mono();
	(void)pthread_mutex_unlock(&h->lock);
	token = token_open(&h->uri, &h->spki, &f);
	if (token != NULL)
		token_verified_elsewhere(token);
	(void)pthread_mutex_lock(&h->lock);
	h->opening = 0;
	h->token = token;
	if (token == NULL) {
		/* Not what waits for a moment, but what an operator mends. */
		if (f.code == FAULT_SUSPENDED)
			f.code = FAULT_FAILED;
		h->unopened = f;
	}
	(void)pthread_mutex_unlock(&h->lock);
	holder_ring(h);
	return token != NULL;
}

/* One thread a session; a module that may not be called by several has one. */
static void
make_threads(struct holder *h)
{
	unsigned wanted =
	    h->uri.max_sessions > 0 ? h->uri.max_sessions : SESSIONS_USUAL;
	struct token_info info;

	token_info(h->token, &info);
	if (!info.threads)
		wanted = 1;
	while (h->signers < wanted && h->signers < TOKEN_SESSIONS_MAX &&
	    pthread_create(&h->signer[h->signers], NULL, sign, h) == 0)
		h->signers++;
	h->waits = info.events &&
	    pthread_create(&h->events, NULL, wait_for_events, h) == 0;
}

/* With `lock` held. */
static void
move_pin(struct secret *to, struct secret *from)
{
	memcpy(secret_data(to), secret_data(from), secret_len(from));
	secret_set_len(to, secret_len(from));
	secret_wipe(secret_data(from), secret_len(from));
	secret_set_len(from, 0);
}

/*
 * With `lock` held.  Whether the key wants its PIN at each signature is known
 * after the login only, when others may sign at once: it is where they look for
 * it already, and goes if they do not.
 */
static void
begin_login(struct holder *h)
{
	while (h->kept_users > 0)
		(void)pthread_cond_wait(&h->changed, &h->lock);
	move_pin(h->kept, h->given);
	h->has_kept = !h->at_reader;
}

static void
log_in(struct holder *h)
{
	struct token_info info;
	struct fault f = { 0 };
	bool ready;

	(void)pthread_mutex_lock(&h->lock);
	begin_login(h);
	(void)pthread_mutex_unlock(&h->lock);
	ready = token_login(h->token, h->at_reader ? NULL : h->kept, &f) == 0;
	token_info(h->token, &info);
	(void)pthread_mutex_lock(&h->lock);
	h->logging_in = false;
	holder_forget(h, ready && info.each_time);
	if (ready)
		h->login = (struct fault){ 0 };
	else
		h->login = f;
	h->tries++;
	(void)pthread_mutex_unlock(&h->lock);
}

/* With `lock` held: until there is something to do; whether it is a login. */
static bool
wait_for_work(struct holder *h)
{
	int64_t now, until = clock_mono() + LOOK_MS;

	while (!h->has_given && !h->look && !h->ending &&
	    (now = clock_mono()) < until)
		wait_for(h, (int)(until - now));
	h->look = false;
	h->logging_in = h->has_given;
	h->has_given = false;
	return h->logging_in;
}

static void
work(struct holder *h)
{
	bool login, gone;

	(void)pthread_mutex_lock(&h->lock);
	login = wait_for_work(h);
	(void)pthread_mutex_unlock(&h->lock);
	if (login)
		log_in(h);
	else
		(void)token_poll(h->token);
	gone = token_state(h->token, NULL) == TOKEN_ABSENT;
	(void)pthread_mutex_lock(&h->lock);
	/* What was wrong with the PIN of another insertion is old. */
	if (gone && !login)
		h->login = (struct fault){ 0 };
	h->looks++;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
	holder_ring(h);
}

static bool
is_ending(struct holder *h)
{
	bool ending;

	(void)pthread_mutex_lock(&h->lock);
	ending = h->ending;
	(void)pthread_mutex_unlock(&h->lock);
	return ending;
}

void *
holder_control(void *arg)
{
	struct holder *h = arg;

	while (!open_token(h)) {
		int64_t until = clock_mono() + OPEN_AGAIN_MS;

		(void)pthread_mutex_lock(&h->lock);
		while (clock_mono() < until && !h->ending)
			wait_for(h, LOOK_MS);
		(void)pthread_mutex_unlock(&h->lock);
		if (is_ending(h))
			return NULL;
	}
	make_threads(h);
	while (!is_ending(h))
		work(h);
	return NULL;
}
