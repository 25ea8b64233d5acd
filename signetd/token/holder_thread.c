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

/* What one thread signs together. */
struct batch {
	uint32_t id[HOLDER_TOGETHER_MAX];
	struct token_job job[HOLDER_TOGETHER_MAX];
	uint8_t digest[HOLDER_TOGETHER_MAX][KEY_HASH_MAX];
	size_t count;
	size_t most; /* to be taken next time */
};

/* With `lock` held.  What waits is shared with the other threads. */
static bool
take_asks(struct holder *h, struct batch *b)
{
	size_t share;

	while (h->asks == 0 && !h->ending)
		(void)pthread_cond_wait(&h->asked, &h->lock);
	if (h->ending)
		return false;
	share = (h->asks + h->signers - 1) / h->signers;
	for (b->count = 0; b->count < b->most && b->count < share; b->count++) {
		const struct holder_ask *ask = &h->ask[h->next_ask];

		b->id[b->count] = ask->id;
		memcpy(b->digest[b->count], ask->digest, ask->len);
		b->job[b->count].digest =
		    (struct wire_bytes){ b->digest[b->count], ask->len };
		h->next_ask = (h->next_ask + 1) % HOLDER_ASKS_MAX;
		h->asks--;
		h->busy++;
	}
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

/* With `lock` held. */
static void
put_done(struct holder *h, uint32_t id, enum fault_code fault,
    const struct token_signature *signature)
{
	struct holder_signed *done =
	    &h->done[(h->next_done + h->dones++) % HOLDER_ASKS_MAX];

	done->id = id;
	done->fault = fault;
	done->signature = *signature;
	h->busy--;
}

static void
put_batch(struct holder *h, const struct batch *b, enum fault_code fault,
    bool borrowed)
{
	const bool ready = token_state(h->token, NULL) == TOKEN_READY;
	bool ring;

	(void)pthread_mutex_lock(&h->lock);
	/* Whoever takes what is there takes this along; but a loss is news. */
	ring = h->dones == 0 || fault != FAULT_NONE;
	for (size_t i = 0; i < b->count; i++)
		put_done(h, b->id[i], fault, &b->job[i].signature);
	if (borrowed && --h->kept_users == 0) {
		holder_forget(h, ready);
		(void)pthread_cond_broadcast(&h->changed);
	}
	(void)pthread_mutex_unlock(&h->lock);
	if (ring)
		holder_ring(h);
}

/* As many more or fewer as the time says that the last took. */
static void
adapt(struct batch *b, int64_t ms)
{
	if (ms < HOLDER_TOGETHER_MS / 2 && b->count == b->most)
		b->most *= 2;
	if (ms > HOLDER_TOGETHER_MS)
		b->most = b->count * HOLDER_TOGETHER_MS / (size_t)ms;
	if (b->most < 1)
		b->most = 1;
	if (b->most > HOLDER_TOGETHER_MAX)
		b->most = HOLDER_TOGETHER_MAX;
}

static enum fault_code
sign_batch(struct holder *h, struct secret *pin, struct batch *b)
{
	const int64_t began = clock_mono();
	struct fault f = { 0 };

	for (size_t i = 0; i < b->count; i++)
		b->job[i].signature.len = 0;
	if (is_away(h))
		return FAULT_SUSPENDED;
	if (token_sign_all(h->token, pin, b->job, b->count, &f) < 0)
		return f.code;
	if (is_away(h))
		return FAULT_SUSPENDED;
	adapt(b, clock_mono() - began);
	return FAULT_NONE;
}

static void *
sign(void *arg)
{
	struct holder *h = arg;
	struct batch b = { .most = 1 };

	for (;;) {
		struct secret *pin;
		bool more;

		(void)pthread_mutex_lock(&h->lock);
		more = take_asks(h, &b);
		pin = more ? borrow_pin(h) : NULL;
		(void)pthread_mutex_unlock(&h->lock);
		if (!more)
			return NULL;
		put_batch(h, &b, sign_batch(h, pin, &b), pin != NULL);
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

	while (more && token_wait(h->token, true, &f) >= 0) {
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
	/* Who signs asks how many there are. */
	(void)pthread_mutex_lock(&h->lock);
	while (h->signers < wanted && h->signers < TOKEN_SESSIONS_MAX &&
	    pthread_create(&h->signer[h->signers], NULL, sign, h) == 0)
		h->signers++;
	(void)pthread_mutex_unlock(&h->lock);
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
