#include "signetd/signer/tokens.h"

#include "base/fault.h"
#include "base/unit.h"
#include "sys/loop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CA 2
#define OTHER 5

/* The signer's end, and the far ends of two tokens. */
struct house {
	struct loop *loop;
	struct tokens *tokens;
	struct channel *channel[2];
	int far[2];
	/* What was said last, and how often. */
	struct tokens_wait wait;
	enum fault_code fault;
	size_t signature;
	unsigned dones;
	unsigned readies;
	bool ready;
	size_t ready_ca;
};

static void
done(void *arg, const struct tokens_wait *wait, enum fault_code fault,
    struct wire_bytes signature)
{
	struct house *h = arg;

	h->wait = *wait;
	h->fault = fault;
	h->signature = signature.len;
	h->dones++;
}

static void
ready(void *arg, size_t ca, bool is)
{
	struct house *h = arg;

	h->ready_ca = ca;
	h->ready = is;
	h->readies++;
}

static void
never_heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	(void)arg;
	(void)ch;
	(void)m;
	(void)fd;
	fail();
}

static void
never_gone(void *arg, struct channel *ch, const struct fault *f)
{
	(void)arg;
	(void)ch;
	(void)f;
	fail();
}

static int
open_house(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct fault f = { 0 };

	assert_non_null(h);
	*state = h;
	assert_non_null(h->loop = loop_new(&f));
	assert_non_null(h->tokens = tokens_new(done, ready, h, &f));
	for (size_t i = 0; i < 2; i++) {
		int fds[2];

		assert_int_equal(channel_pair(fds, &f), 0);
		h->far[i] = fds[1];
		h->channel[i] = channel_new(h->loop, fds[0], MSG_ROLE_SIGNER,
		    MSG_ROLE_TOKEN, never_heard, never_gone, h, &f);
		assert_non_null(h->channel[i]);
		tokens_attach(h->tokens, i == 0 ? CA : OTHER, h->channel[i]);
	}
	return 0;
}

static int
close_house(void **state)
{
	struct house *h = *state;

	for (size_t i = 0; i < 2; i++) {
		channel_free(h->channel[i]);
		(void)close(h->far[i]);
	}
	tokens_free(h->tokens);
	loop_free(h->loop);
	free(h);
	return 0;
}

static void
say_ready(struct house *h, size_t which, bool is)
{
	struct msg m = { .type = MSG_TOKEN_READY };

	m.token_ready.ready = is;
	tokens_heard(h->tokens, h->channel[which], &m);
}

static int
ask(struct house *h, uint32_t id, struct fault *f)
{
	struct tokens_wait wait = { .ca = CA, .id = id };

	memset(wait.digest.data, (int)id, 32);
	wait.digest.len = 32;
	return tokens_ask(h->tokens, &wait, f);
}

/* What the token was asked: its number for it. */
static uint32_t
asked(const struct house *h, uint32_t id)
{
	uint8_t *frame = malloc(MSG_MAX_FRAME);
	struct fault f = { 0 };
	uint32_t number;
	struct msg m;
	int fd;

	assert_non_null(frame);
	assert_int_equal(channel_hear(h->far[0], MSG_ROLE_TOKEN,
			     MSG_ROLE_SIGNER, frame, &m, &fd, &f),
	    1);
	assert_int_equal(m.type, MSG_TOKEN_SIGN);
	assert_int_equal(m.token_sign.digest.len, 32);
	assert_int_equal(m.token_sign.digest.data[0], id);
	number = m.token_sign.id;
	free(frame);
	return number;
}

static void
answer(struct house *h, size_t which, uint32_t number, enum fault_code fault)
{
	static const uint8_t signature[] = { 1, 2, 3 };
	struct msg m = { .type = MSG_TOKEN_SIGNED };

	m.token_signed.id = number;
	m.token_signed.fault = fault;
	m.token_signed.signature = (struct wire_bytes){ signature, 3 };
	tokens_heard(h->tokens, h->channel[which], &m);
}

static void
nothing_is_asked_before_the_token_is_ready(void **state)
{
	struct house *h = *state;
	struct fault f = { 0 };

	assert_int_equal(ask(h, 1, &f), -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	say_ready(h, 1, true);
	assert_int_equal(ask(h, 1, &f), -1);
	say_ready(h, 0, true);
	say_ready(h, 0, true);
	assert_int_equal(h->readies, 2);
	assert_int_equal(h->ready_ca, CA);
	assert_true(tokens_ready(h->tokens, CA));
	assert_int_equal(ask(h, 1, &f), 0);
	say_ready(h, 0, false);
	assert_int_equal(ask(h, 2, &f), -1);
	assert_false(h->ready);
	assert_int_equal(h->dones, 0);
}

static void
an_answer_finds_what_was_asked_once(void **state)
{
	struct house *h = *state;
	struct fault f = { 0 };
	uint32_t first, second;

	say_ready(h, 0, true);
	assert_int_equal(ask(h, 1, &f), 0);
	assert_int_equal(ask(h, 2, &f), 0);
	first = asked(h, 1);
	second = asked(h, 2);
	answer(h, 0, second, FAULT_NONE);
	assert_int_equal(h->wait.id, 2);
	assert_int_equal(h->fault, FAULT_NONE);
	assert_int_equal(h->signature, 3);
	answer(h, 0, second, FAULT_NONE);
	assert_int_equal(h->dones, 1);
	answer(h, 0, first, FAULT_SUSPENDED);
	assert_int_equal(h->wait.id, 1);
	assert_int_equal(h->fault, FAULT_SUSPENDED);
	assert_int_equal(h->dones, 2);
}

static void
one_token_does_not_answer_for_another(void **state)
{
	struct house *h = *state;
	struct fault f = { 0 };
	uint32_t number;

	say_ready(h, 0, true);
	assert_int_equal(ask(h, 1, &f), 0);
	number = asked(h, 1);
	answer(h, 1, number, FAULT_NONE);
	answer(h, 0, number + 1, FAULT_NONE);
	answer(h, 0, number + TOKENS_WAITS_MAX, FAULT_NONE);
	assert_int_equal(h->dones, 0);
	answer(h, 0, number, FAULT_COUNT);
	assert_int_equal(h->fault, FAULT_INTERNAL);
}

static void
who_dies_has_signed_nothing(void **state)
{
	struct house *h = *state;
	struct fault f = { 0 };
	uint32_t number;

	say_ready(h, 0, true);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(ask(h, i, &f), 0);
	number = asked(h, 1);
	tokens_gone(h->tokens, h->channel[0]);
	assert_int_equal(h->dones, 3);
	assert_int_equal(h->fault, FAULT_SUSPENDED);
	assert_int_equal(h->signature, 0);
	assert_false(h->ready);
	answer(h, 0, number, FAULT_NONE);
	assert_int_equal(h->dones, 3);
	/* It is started anew. */
	tokens_attach(h->tokens, CA, h->channel[0]);
	assert_int_equal(ask(h, 4, &f), -1);
	say_ready(h, 0, true);
	assert_int_equal(ask(h, 4, &f), 0);
}

static void
a_token_is_told_that_it_signs_wrongly(void **state)
{
	struct house *h = *state;
	uint8_t *frame = malloc(MSG_MAX_FRAME);
	struct fault f = { 0 };
	struct msg m;
	int fd;

	assert_non_null(frame);
	tokens_wrong(h->tokens, CA);
	assert_int_equal(channel_hear(h->far[0], MSG_ROLE_TOKEN,
			     MSG_ROLE_SIGNER, frame, &m, &fd, &f),
	    1);
	assert_int_equal(m.type, MSG_TOKEN_WRONG);
	free(frame);
	/* Nobody is told if nobody is there. */
	tokens_gone(h->tokens, h->channel[0]);
	tokens_wrong(h->tokens, CA);
}

static void
no_more_wait_than_there_is_room_for(void **state)
{
	struct house *h = *state;
	struct fault f = { 0 };
	uint32_t i = 0;

	say_ready(h, 0, true);
	while (ask(h, i, &f) == 0) {
		(void)asked(h, i & 0xff);
		i++;
	}
	assert_int_equal(i, TOKENS_WAITS_MAX);
	assert_int_equal(f.code, FAULT_BUSY);
	tokens_gone(h->tokens, h->channel[0]);
	assert_int_equal(h->dones, TOKENS_WAITS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_house, close_house)
		TEST(nothing_is_asked_before_the_token_is_ready),
		TEST(an_answer_finds_what_was_asked_once),
		TEST(one_token_does_not_answer_for_another),
		TEST(who_dies_has_signed_nothing),
		TEST(a_token_is_told_that_it_signs_wrongly),
		TEST(no_more_wait_than_there_is_room_for),
#undef TEST
	};

	return cmocka_run_group_tests_name("signer/tokens", tests, NULL, NULL);
}
