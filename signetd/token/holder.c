#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "signetd/token/holder_part.h"
#include "signetd/token_told.h"

#include <sys/eventfd.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
copy_key(struct holder *h, const struct spki *ca, struct fault *f)
{
	struct wire_bytes der = { NULL, ca->der.len };

	if ((h->ca = malloc(ca->der.len)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a public key");
	memcpy(h->ca, ca->der.data, ca->der.len);
	der.data = h->ca;
	return spki_read(&h->spki, der, f);
}

/* Waits are for the clock that nobody sets. */
static int
make_locks(struct holder *h, struct fault *f)
{
	pthread_condattr_t attr;

	if (pthread_mutex_init(&h->lock, NULL) != 0 ||
	    pthread_condattr_init(&attr) != 0 ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&h->changed, &attr) != 0 ||
	    pthread_cond_init(&h->asked, &attr) != 0)
		return fault_set(f, FAULT_SYSTEM, "locks");
	(void)pthread_condattr_destroy(&attr);
	return 0;
}

struct holder *
holder_new(const struct token_uri *uri, const struct spki *ca, struct fault *f)
{
	OWN_STRUCT(holder) h = calloc(1, sizeof(*h));

	if (h == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a token");
		return NULL;
	}
	h->uri = *uri;
	h->fd = -1;
	if (make_locks(h, f) < 0 || copy_key(h, ca, f) < 0 ||
	    (h->given = secret_new_hidden(HOLDER_PIN_MAX, f)) == NULL ||
	    (h->kept = secret_new_hidden(HOLDER_PIN_MAX, f)) == NULL)
		return NULL;
	if ((h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
		(void)fault_set(f, FAULT_SYSTEM, "eventfd: %s",
		    strerror(errno));
		return NULL;
	}
	return TAKE(h);
}

int
holder_start(struct holder *h, struct fault *f)
{
	(void)fault_set(&h->unopened, FAULT_SUSPENDED,
	    "the module is being loaded");
	if (pthread_create(&h->control, NULL, holder_control, h) != 0)
		return fault_set(f, FAULT_SYSTEM, "a thread");
	h->controlled = true;
	return 0;
}

/* Those who wait for slot events wake when the module is started anew. */
static void
end_threads(struct holder *h)
{
	struct fault f = { 0 };

	(void)pthread_mutex_lock(&h->lock);
	h->ending = true;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_cond_broadcast(&h->asked);
	(void)pthread_mutex_unlock(&h->lock);
	if (h->controlled)
		(void)pthread_join(h->control, NULL);
	for (unsigned i = 0; i < h->signers; i++)
		(void)pthread_join(h->signer[i], NULL);
	while (h->waits && pthread_tryjoin_np(h->events, NULL) != 0)
		if (token_recover(h->token, 0, &f) < 0)
			(void)usleep(1000);
}

void
holder_free(struct holder *h)
{
	if (h == NULL)
		return;
	end_threads(h);
	token_close(h->token);
	secret_free(h->given);
	secret_free(h->kept);
	if (h->fd >= 0)
		(void)close(h->fd);
	(void)pthread_cond_destroy(&h->changed);
	(void)pthread_cond_destroy(&h->asked);
	(void)pthread_mutex_destroy(&h->lock);
	free(h->ca);
	free(h);
}

int
holder_fd(const struct holder *h)
{
	return h->fd;
}

void
holder_ring(struct holder *h)
{
	const uint64_t one = 1;

	/* A counter that is full rings already. */
	if (write(h->fd, &one, sizeof(one)) < 0)
		return;
}

void
holder_heard(struct holder *h)
{
	uint64_t count;

	if (read(h->fd, &count, sizeof(count)) < 0)
		return;
}

static struct token *
token_of(struct holder *h)
{
	struct token *token;

	(void)pthread_mutex_lock(&h->lock);
	token = h->token;
	(void)pthread_mutex_unlock(&h->lock);
	return token;
}

void
holder_pin(struct holder *h, struct wire_bytes pin)
{
	struct token *token = token_of(h);

	if (token == NULL || token_state(token, NULL) == TOKEN_READY ||
	    pin.len > HOLDER_PIN_MAX)
		return;
	(void)pthread_mutex_lock(&h->lock);
	if (!h->has_given && !h->logging_in && h->away.code == FAULT_NONE) {
		h->at_reader = pin.len == 0;
		if (pin.len > 0)
			memcpy(secret_data(h->given), pin.data, pin.len);
		secret_set_len(h->given, pin.len);
		h->has_given = true;
		(void)pthread_cond_broadcast(&h->changed);
	}
	(void)pthread_mutex_unlock(&h->lock);
}

int
holder_sign(struct holder *h, uint32_t id, struct wire_bytes digest,
    struct fault *f)
{
	int result = 0;

	/* Those that are signed together do not fail for one. */
	if (digest.len != (h->spki.kind == KEY_P384 ? 48 : 32))
		return fault_set(f, FAULT_USAGE, "a digest of %zu octets",
		    digest.len);
	(void)pthread_mutex_lock(&h->lock);
	if (h->token == NULL || h->away.code != FAULT_NONE) {
		result = fault_set(f, FAULT_SUSPENDED,
		    "signing is suspended: %.180s",
		    h->away.code != FAULT_NONE ? h->away.text
					       : h->unopened.text);
	} else if (h->asks + h->busy + h->dones >= HOLDER_ASKS_MAX) {
		result = fault_set(f, FAULT_BUSY,
		    "%d signatures are waited for", HOLDER_ASKS_MAX);
	} else {
		struct holder_ask *ask =
		    &h->ask[(h->next_ask + h->asks++) % HOLDER_ASKS_MAX];

		ask->id = id;
		ask->len = digest.len;
		memcpy(ask->digest, digest.data, digest.len);
		(void)pthread_cond_signal(&h->asked);
	}
	(void)pthread_mutex_unlock(&h->lock);
	return result;
}

bool
holder_signed(struct holder *h, struct holder_signed *done)
{
	bool found;

	(void)pthread_mutex_lock(&h->lock);
	found = h->dones > 0;
	if (found) {
		*done = h->done[h->next_done];
		h->next_done = (h->next_done + 1) % HOLDER_ASKS_MAX;
		h->dones--;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return found;
}

void
holder_forget(struct holder *h, bool ready)
{
	if (!h->has_kept || ready || h->logging_in || h->kept_users > 0)
		return;
	secret_wipe(secret_data(h->kept), secret_len(h->kept));
	secret_set_len(h->kept, 0);
	h->has_kept = false;
}

static uint32_t
flags_of(const struct token_info *info)
{
	return (info->pin_low ? TOKEN_TOLD_PIN_LOW : 0) |
	    (info->pin_final ? TOKEN_TOLD_PIN_FINAL : 0) |
	    (info->pin_locked ? TOKEN_TOLD_PIN_LOCKED : 0) |
	    (info->pin_pad ? TOKEN_TOLD_PIN_PAD : 0);
}

/* A PIN that may not be tried is not asked for. */
static void
judge(struct holder_news *news, struct fault *why)
{
	const bool locked = (news->flags & TOKEN_TOLD_PIN_LOCKED) != 0;

	if (news->state != TOKEN_NEEDS_PIN ||
	    (news->flags & (TOKEN_TOLD_PIN_FINAL | TOKEN_TOLD_PIN_LOCKED)) == 0)
		return;
	news->state = TOKEN_BROKEN;
	(void)fault_set(why, FAULT_DENIED, "%s",
	    locked
		? "the token is locked: its security officer must unlock it"
		: "the token has one try left, which is not used here: log in "
		  "with its own tools first");
}

static void
look_at(struct holder *h, struct holder_news *news, struct fault *why)
{
	struct token_info info = { .label = "" };

	news->state = token_state(h->token, why);
	token_info(h->token, &info);
	news->flags = flags_of(&info);
	memcpy(news->label, info.label, sizeof(info.label));
	memcpy(news->serial, info.serial, sizeof(info.serial));
	if (h->away.code != FAULT_NONE)
		news->state = TOKEN_ABSENT;
	/* Why it still needs one: the last was wrong, or of no use. */
	if (news->state == TOKEN_NEEDS_PIN && h->login.code != FAULT_NONE)
		*why = h->login;
	judge(news, why);
	holder_forget(h, news->state == TOKEN_READY);
}

/* Texts alone are no news: a module that says something new each second would
 * fill the log. */
static bool
is_news(const struct holder *h, const struct holder_news *news, unsigned tries)
{
	const struct holder_news *told = &h->told;

	return !h->ever_told || told->state != news->state ||
	    told->fault != news->fault || told->flags != news->flags ||
	    strcmp(told->serial, news->serial) != 0 || h->told_tries != tries;
}

bool
holder_news(struct holder *h, struct holder_news *news)
{
	struct fault why = { 0 };
	unsigned tries;

	memset(news, 0, sizeof(*news));
	(void)pthread_mutex_lock(&h->lock);
	if (h->token != NULL) {
		look_at(h, news, &why);
	} else {
		why = h->unopened;
		news->state =
		    h->opening != 0 || h->unopened.code == FAULT_SUSPENDED
		    ? TOKEN_ABSENT
		    : TOKEN_BROKEN;
	}
	if (h->away.code != FAULT_NONE) {
		news->state = TOKEN_ABSENT;
		why = h->away;
	}
	tries = h->tries;
	(void)pthread_mutex_unlock(&h->lock);
	news->fault = why.code;
	if (text_copy(news->text, sizeof(news->text), why.text) < 0)
		memcpy(news->text, why.text, sizeof(news->text) - 1);
	if (!is_news(h, news, tries))
		return false;
	h->told = *news;
	h->told_tries = tries;
	h->ever_told = true;
	return true;
}

void
holder_lost(struct holder *h, const char *why)
{
	struct token *token = token_of(h);

	if (token != NULL)
		token_lost(token, why);
	holder_ring(h);
}

/* With `lock` held: a PIN that came before goes unused. */
static void
drop_pin(struct holder *h)
{
	if (!h->has_given)
		return;
	secret_wipe(secret_data(h->given), secret_len(h->given));
	secret_set_len(h->given, 0);
	h->has_given = false;
}

void
holder_away(struct holder *h, const char *why)
{
	struct token *token;

	(void)pthread_mutex_lock(&h->lock);
	token = h->token;
	h->away = (struct fault){ 0 };
	/* What was wrong with a PIN then is old. */
	h->login = (struct fault){ 0 };
	if (why != NULL) {
		(void)fault_set(&h->away, FAULT_ABSENT, "%s", why);
		drop_pin(h);
	}
	(void)pthread_mutex_unlock(&h->lock);
	/* Also when it is back: of a login that was under way. */
	if (token != NULL)
		token_lost(token, why != NULL ? why : "it was not there");
	holder_ring(h);
}

void
holder_wrong(struct holder *h)
{
	struct token *token = token_of(h);

	if (token != NULL)
		token_wrong(token);
	holder_ring(h);
}

void
holder_look(struct holder *h)
{
	(void)pthread_mutex_lock(&h->lock);
	h->look = true;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
}

int64_t
holder_longest(struct holder *h)
{
	struct token *token;
	int64_t opening;
	bool at_reader;

	(void)pthread_mutex_lock(&h->lock);
	token = h->token;
	opening = h->opening;
	at_reader = h->logging_in && h->at_reader;
	(void)pthread_mutex_unlock(&h->lock);
	if (token != NULL)
		return at_reader ? 0 : token_longest(token);
	return opening != 0 ? clock_mono() - opening : 0;
}
