#include "signetd/signer/tokens.h"

#include "base/fault.h"
#include "base/log.h"

#include <stdlib.h>

struct place {
	bool used;
	uint32_t id; /* as the token is told it: never that of a late answer */
	struct tokens_wait wait;
};

struct tokens {
	tokens_done_fn *done;
	tokens_ready_fn *ready_fn;
	void *arg;
	struct channel *channel[GATE_CAS_MAX]; /* NULL: there is none now */
	bool ready[GATE_CAS_MAX];
	uint32_t turn;
	uint32_t next; /* where a free place is looked for first */
	size_t count;
	struct place place[TOKENS_WAITS_MAX];
};

struct tokens *
tokens_new(tokens_done_fn *done, tokens_ready_fn *ready, void *arg,
    struct fault *f)
{
	struct tokens *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for tokens");
		return NULL;
	}
	t->done = done;
	t->ready_fn = ready;
	t->arg = arg;
	return t;
}

void
tokens_free(struct tokens *t)
{
	free(t);
}

/* Its place is free before anybody hears of it: who does may ask again. */
static void
end(struct tokens *t, struct place *p, enum fault_code fault,
    struct wire_bytes signature)
{
	const struct tokens_wait wait = p->wait;

	p->used = false;
	t->count--;
	t->done(t->arg, &wait, fault, signature);
}

static void
set_ready(struct tokens *t, size_t ca, bool ready)
{
	if (t->ready[ca] == ready)
		return;
	t->ready[ca] = ready;
	t->ready_fn(t->arg, ca, ready);
}

/* That nothing can be asked is said first: nobody asks again in between. */
static void
lose(struct tokens *t, size_t ca)
{
	const struct wire_bytes none = { NULL, 0 };

	t->channel[ca] = NULL;
	set_ready(t, ca, false);
	for (size_t i = 0; i < TOKENS_WAITS_MAX && t->count > 0; i++)
		if (t->place[i].used && t->place[i].wait.ca == ca)
			end(t, &t->place[i], FAULT_SUSPENDED, none);
}

void
tokens_attach(struct tokens *t, size_t ca, struct channel *ch)
{
	lose(t, ca);
	t->channel[ca] = ch;
}

static bool
find_ca(const struct tokens *t, const struct channel *ch, size_t *ca)
{
	for (*ca = 0; *ca < GATE_CAS_MAX; ++*ca)
		if (t->channel[*ca] == ch)
			return true;
	return false;
}

void
tokens_gone(struct tokens *t, const struct channel *ch)
{
	size_t ca;

	if (find_ca(t, ch, &ca))
		lose(t, ca);
}

bool
tokens_ready(const struct tokens *t, size_t ca)
{
	return ca < GATE_CAS_MAX && t->ready[ca];
}

static struct place *
free_place(struct tokens *t)
{
	while (t->place[t->next].used)
		t->next = (t->next + 1) % TOKENS_WAITS_MAX;
	t->turn++;
	t->place[t->next].id = t->turn * TOKENS_WAITS_MAX + t->next;
	return &t->place[t->next];
}

int
tokens_ask(struct tokens *t, const struct tokens_wait *what, struct fault *f)
{
	struct msg m = { .type = MSG_TOKEN_SIGN };
	struct place *p;

	if (!tokens_ready(t, what->ca))
		return fault_set(f, FAULT_SUSPENDED,
		    "signing is suspended: the CA's token is not ready");
	if (t->count == TOKENS_WAITS_MAX)
		return fault_set(f, FAULT_BUSY, "%u signatures are waited for",
		    TOKENS_WAITS_MAX);
	p = free_place(t);
	m.token_sign.id = p->id;
	m.token_sign.digest =
	    (struct wire_bytes){ what->digest.data, what->digest.len };
	if (channel_say(t->channel[what->ca], &m, f) < 0) {
		f->code = f->code == FAULT_BUSY ? FAULT_BUSY : FAULT_SUSPENDED;
		return fault_wrap(f, "the CA's token");
	}
	p->wait = *what;
	p->used = true;
	t->count++;
	return 0;
}

void
tokens_wrong(struct tokens *t, size_t ca)
{
	struct msg m = { .type = MSG_TOKEN_WRONG };
	struct fault f = { 0 };

	if (t->channel[ca] != NULL && channel_say(t->channel[ca], &m, &f) < 0)
		log_fault(&f, NULL);
}

void
tokens_heard(struct tokens *t, const struct channel *ch, const struct msg *m)
{
	struct place *p;
	uint32_t code;
	size_t ca;

	if (!find_ca(t, ch, &ca))
		return;
	if (m->type == MSG_TOKEN_READY)
		set_ready(t, ca, m->token_ready.ready != 0);
	if (m->type != MSG_TOKEN_SIGNED)
		return;
	p = &t->place[m->token_signed.id % TOKENS_WAITS_MAX];
	/* One token does not answer for another. */
	if (!p->used || p->id != m->token_signed.id || p->wait.ca != ca)
		return;
	code = m->token_signed.fault;
	end(t, p, code < FAULT_COUNT ? (enum fault_code)code : FAULT_INTERNAL,
	    m->token_signed.signature);
}
