#include "base/clock.h"
#include "signetd/token/holder_part.h"
#include "signetd/token_told.h"
#include "token/token_probe.h"

#include <poll.h>

#define PATIENCE_MS 20000

struct house {
	struct probe *probe;
	struct holder *holder;
	struct holder_news news; /* the last */
};

static int
open_house(void **state)
{
	struct house *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->probe = probe_start();
	*state = h;
	return 0;
}

static int
close_house(void **state)
{
	struct house *h = *state;

	probe_end(h->probe);
	free(h);
	return 0;
}

static void
begin(struct house *h, const char *object)
{
	struct token_uri uri = probe_uri(h->probe, object);
	struct fault f = { 0 };

	probe_put_back(h->probe);
	h->holder = holder_new(&uri, &h->probe->ca, &f);
	probe_must(h->holder == NULL ? -1 : 0, &f);
	memset(&h->news, 0, sizeof(h->news));
	probe_must(holder_start(h->holder, &f), &f);
}

static void
finish(struct house *h)
{
	holder_free(h->holder);
	h->holder = NULL;
}

/* In the insertion that is. */
static void
play_now(const struct house *h, const char *what)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "insertion=%ld\n%s",
	    h->probe->insertion, what);
	probe_play(h->probe, text);
}

/* Wait until there is something. */
static void
wait_ring(struct house *h, int64_t until)
{
	struct pollfd p = { .fd = holder_fd(h->holder), .events = POLLIN };
	int64_t left = until - clock_mono();

	if (left <= 0 || poll(&p, 1, (int)left) != 1)
		fail_msg("nothing came; it is %s: %s",
		    token_state_name(h->news.state), h->news.text);
	holder_heard(h->holder);
}

static void
wait_state(struct house *h, enum token_state state)
{
	int64_t until = clock_mono() + PATIENCE_MS;

	for (;;) {
		if (holder_news(h->holder, &h->news) && h->news.state == state)
			return;
		wait_ring(h, until);
	}
}

static void
give_pin(struct house *h, const char *pin)
{
	holder_pin(h->holder,
	    (struct wire_bytes){ (const uint8_t *)pin, strlen(pin) });
}

static void
make_ready(struct house *h)
{
	if (h->news.state != TOKEN_NEEDS_PIN)
		wait_state(h, TOKEN_NEEDS_PIN);
	give_pin(h, h->probe->pin);
	wait_state(h, TOKEN_READY);
	assert_int_equal(h->news.fault, FAULT_NONE);
	assert_string_equal(h->news.label, PROBE_LABEL);
}

static void
ask(struct house *h, uint32_t id)
{
	uint8_t data[KEY_HASH_MAX];
	struct fault f = { 0 };

	probe_must(holder_sign(h->holder, id,
		       probe_digest("to be signed", KEY_P256, data), &f),
	    &f);
}

static struct holder_signed
answer(struct house *h)
{
	int64_t until = clock_mono() + PATIENCE_MS;
	struct holder_signed done;

	while (!holder_signed(h->holder, &done))
		wait_ring(h, until);
	return done;
}

static void
a_pin_makes_it_sign_and_many_are_signed_at_once(void **state)
{
	enum {
		MANY = 100
	};
	struct house *h = *state;
	bool seen[MANY] = { false };

	begin(h, "ca");
	make_ready(h);
	for (uint32_t i = 0; i < MANY; i++)
		ask(h, i);
	for (int i = 0; i < MANY; i++) {
		struct holder_signed done = answer(h);

		assert_int_equal(done.fault, FAULT_NONE);
		assert_true(done.id < MANY && !seen[done.id]);
		assert_true(probe_verifies(&h->probe->ca, &done.signature));
		seen[done.id] = true;
	}
	finish(h);
}

static void
what_waits_together_is_confirmed_together(void **state)
{
	enum {
		MANY = 200
	};
	struct house *h = *state;

	begin(h, "ca");
	make_ready(h);
	probe_forget_calls(h->probe);
	for (uint32_t i = 0; i < MANY; i++)
		ask(h, i);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(answer(h).fault, FAULT_NONE);
	assert_int_equal(probe_calls(h->probe, "Sign"), MANY);
	assert_in_range(probe_calls(h->probe, "GetSessionInfo"), 1, MANY - 1);
	finish(h);
}

/* However many were waiting: each is answered, and none as good that was made
 * when nobody had confirmed it before the loss. */
static void
a_loss_while_many_wait_ends_them_all(void **state)
{
	enum {
		MANY = 200,
		NTH = 50
	};
	struct house *h = *state;
	unsigned good = 0, withheld = 0;

	begin(h, "ca");
	make_ready(h);
	play_now(h, "play=replug-after\nnth=50\n");
	for (uint32_t i = 0; i < MANY; i++)
		ask(h, i);
	for (int i = 0; i < MANY; i++) {
		struct holder_signed done = answer(h);

		good += done.fault == FAULT_NONE;
		withheld +=
		    done.fault == FAULT_SUSPENDED && done.signature.len > 0;
		assert_true(done.fault == FAULT_NONE ||
		    done.fault == FAULT_SUSPENDED);
	}
	/* Each of the other threads may have been a signature ahead. */
	assert_in_range(good, 1, NTH - 1 + TOKEN_SESSIONS_MAX);
	assert_true(withheld > 0);
	finish(h);
}

static void
a_digest_that_the_key_cannot_sign_fails_alone(void **state)
{
	struct house *h = *state;
	uint8_t data[48] = { 0 };
	struct fault f = { 0 };

	begin(h, "ca");
	make_ready(h);
	assert_int_equal(holder_sign(h->holder, 1,
			     (struct wire_bytes){ data, sizeof(data) }, &f),
	    -1);
	assert_int_equal(f.code, FAULT_USAGE);
	finish(h);
}

static void
a_pull_is_news_and_a_new_pin_ends_it(void **state)
{
	struct house *h = *state;
	struct holder_signed done;

	begin(h, "ca");
	make_ready(h);
	probe_play(h->probe, "present=0\n");
	ask(h, 1);
	done = answer(h);
	assert_int_equal(done.fault, FAULT_SUSPENDED);
	assert_int_equal(done.signature.len, 0);
	wait_state(h, TOKEN_ABSENT);
	probe_put_back(h->probe);
	make_ready(h);
	ask(h, 2);
	done = answer(h);
	assert_int_equal(done.fault, FAULT_NONE);
	finish(h);
}

static void
a_pull_is_noticed_though_nobody_signs(void **state)
{
	struct house *h = *state;

	begin(h, "ca");
	make_ready(h);
	probe_play(h->probe, "present=0\n");
	wait_state(h, TOKEN_ABSENT);
	probe_put_back(h->probe);
	wait_state(h, TOKEN_NEEDS_PIN);
	finish(h);
}

static void
what_was_signed_in_the_shadow_comes_with_its_signature(void **state)
{
	struct house *h = *state;
	struct holder_signed done;

	begin(h, "ca");
	make_ready(h);
	play_now(h, "play=pull-after\n");
	ask(h, 7);
	done = answer(h);
	assert_int_equal(done.id, 7);
	assert_int_equal(done.fault, FAULT_SUSPENDED);
	assert_true(probe_verifies(&h->probe->ca, &done.signature));
	finish(h);
}

static void
a_wrong_pin_is_tried_once_and_asked_for_again(void **state)
{
	struct house *h = *state;
	unsigned tries;

	begin(h, "ca");
	wait_state(h, TOKEN_NEEDS_PIN);
	probe_forget_calls(h->probe);
	give_pin(h, "wrong pin");
	wait_state(h, TOKEN_NEEDS_PIN);
	assert_int_equal(h->news.fault, FAULT_LOGIN);
	tries = probe_calls(h->probe, "Login");
	assert_int_equal(tries, 1);
	give_pin(h, "wrong again");
	wait_state(h, TOKEN_NEEDS_PIN);
	assert_int_equal(probe_calls(h->probe, "Login"), 2);
	give_pin(h, h->probe->pin);
	wait_state(h, TOKEN_READY);
	finish(h);
}

static void
the_last_try_is_not_asked_for(void **state)
{
	struct house *h = *state;

	begin(h, "ca");
	wait_state(h, TOKEN_NEEDS_PIN);
	probe_play(h->probe, "insertion=200\nflags=final\n");
	h->probe->insertion = 200;
	wait_state(h, TOKEN_BROKEN);
	assert_int_equal(h->news.fault, FAULT_DENIED);
	assert_true((h->news.flags & TOKEN_TOLD_PIN_FINAL) != 0);
	probe_forget_calls(h->probe);
	give_pin(h, h->probe->pin);
	wait_state(h, TOKEN_BROKEN);
	assert_int_equal(probe_calls(h->probe, "Login"), 0);
	/* The operator has used the vendor's tool. */
	probe_put_back(h->probe);
	make_ready(h);
	finish(h);
}

static void
who_sees_it_go_elsewhere_ends_it(void **state)
{
	struct house *h = *state;

	begin(h, "ca");
	make_ready(h);
	holder_lost(h->holder, "its USB device was pulled");
	assert_true(holder_news(h->holder, &h->news));
	assert_int_equal(h->news.state, TOKEN_ABSENT);
	assert_non_null(strstr(h->news.text, "USB"));
	holder_look(h->holder);
	wait_state(h, TOKEN_NEEDS_PIN);
	make_ready(h);
	finish(h);
}

/* Nothing of a PIN is left where it was. */
static bool
is_wiped(const struct secret *pin)
{
	for (size_t i = 0; i < secret_size(pin); i++)
		if (secret_text(pin)[i] != '\0')
			return false;
	return secret_len(pin) == 0;
}

static void
what_counts_as_away_takes_no_pin_and_signs_nothing(void **state)
{
	struct house *h = *state;
	struct fault f = { 0 };
	uint8_t data[KEY_HASH_MAX];

	begin(h, "ca");
	holder_away(h->holder, "the USB device is not there");
	wait_state(h, TOKEN_ABSENT);
	probe_forget_calls(h->probe);
	for (unsigned looks = h->holder->looks; h->holder->looks < looks + 2;) {
		give_pin(h, h->probe->pin);
		holder_look(h->holder);
		wait_ring(h, clock_mono() + PATIENCE_MS);
		(void)holder_news(h->holder, &h->news);
		assert_int_equal(h->news.state, TOKEN_ABSENT);
		assert_string_equal(h->news.text,
		    "the USB device is not there");
	}
	assert_int_equal(probe_calls(h->probe, "Login"), 0);
	assert_true(is_wiped(h->holder->given));
	assert_int_equal(holder_sign(h->holder, 1,
			     probe_digest("x", KEY_P256, data), &f),
	    -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	assert_non_null(strstr(f.text, "USB"));
	holder_away(h->holder, NULL);
	make_ready(h);
	/* And again, of one that signs. */
	holder_away(h->holder, "the USB device is not there");
	wait_state(h, TOKEN_ABSENT);
	holder_away(h->holder, NULL);
	make_ready(h);
	finish(h);
}

static void
a_call_that_hangs_is_seen(void **state)
{
	struct house *h = *state;
	int64_t until = clock_mono() + PATIENCE_MS;

	begin(h, "ca");
	make_ready(h);
	play_now(h, "delay=700000\n");
	ask(h, 1);
	while (holder_longest(h->holder) < 300)
		assert_true(clock_mono() < until);
	(void)answer(h);
	finish(h);
}

static void
a_module_that_is_not_there_is_said_and_looked_for_again(void **state)
{
	struct house *h = *state;
	struct token_uri uri = { .token = PROBE_LABEL,
		.module_path = "/nowhere/module.so" };
	struct fault f = { 0 };
	uint8_t data[KEY_HASH_MAX];

	h->holder = holder_new(&uri, &h->probe->ca, &f);
	assert_non_null(h->holder);
	probe_must(holder_start(h->holder, &f), &f);
	wait_state(h, TOKEN_BROKEN);
	assert_non_null(strstr(h->news.text, "/nowhere/module.so"));
	assert_int_equal(holder_sign(h->holder, 1,
			     probe_digest("x", KEY_P256, data), &f),
	    -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	finish(h);
}

static void
a_pin_is_wiped_as_soon_as_it_was_used(void **state)
{
	struct house *h = *state;

	begin(h, "ca");
	make_ready(h);
	assert_false(h->holder->has_kept);
	assert_true(is_wiped(h->holder->given));
	assert_true(is_wiped(h->holder->kept));
	finish(h);
}

static void
a_key_that_wants_its_pin_each_time_has_it_until_it_is_lost(void **state)
{
	struct house *h = *state;
	const struct spki ca = h->probe->ca;
	uint8_t der[512];
	struct spki spki;

	probe_add_careful_key(h->probe, der, &spki);
	h->probe->ca = spki;
	begin(h, "careful");
	make_ready(h);
	assert_true(h->holder->has_kept);
	assert_true(is_wiped(h->holder->given));
	for (uint32_t i = 0; i < 5; i++)
		ask(h, i);
	for (int i = 0; i < 5; i++) {
		struct holder_signed done = answer(h);

		assert_int_equal(done.fault, FAULT_NONE);
		assert_true(probe_verifies(&spki, &done.signature));
	}
	probe_play(h->probe, "present=0\n");
	wait_state(h, TOKEN_ABSENT);
	assert_false(h->holder->has_kept);
	assert_true(is_wiped(h->holder->kept));
	finish(h);
	h->probe->ca = ca;
}

static void
a_wrong_signature_is_handed_on_and_ends_it_when_it_is_found(void **state)
{
	struct house *h = *state;
	struct holder_signed done;

	begin(h, "ca");
	make_ready(h);
	play_now(h, "play=corrupt\n");
	ask(h, 9);
	done = answer(h);
	assert_int_equal(done.fault, FAULT_NONE);
	assert_true(done.signature.len > 0);
	/* The signer has verified it. */
	holder_wrong(h->holder);
	assert_true(holder_news(h->holder, &h->news));
	assert_int_equal(h->news.state, TOKEN_BROKEN);
	assert_non_null(strstr(h->news.text, "signature that is wrong"));
	play_now(h, "");
	wait_state(h, TOKEN_NEEDS_PIN);
	make_ready(h);
	finish(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_pin_makes_it_sign_and_many_are_signed_at_once),
		cmocka_unit_test(what_waits_together_is_confirmed_together),
		cmocka_unit_test(a_loss_while_many_wait_ends_them_all),
		cmocka_unit_test(a_digest_that_the_key_cannot_sign_fails_alone),
		cmocka_unit_test(a_pull_is_news_and_a_new_pin_ends_it),
		cmocka_unit_test(a_pull_is_noticed_though_nobody_signs),
		cmocka_unit_test(
		    what_was_signed_in_the_shadow_comes_with_its_signature),
		cmocka_unit_test(a_wrong_pin_is_tried_once_and_asked_for_again),
		cmocka_unit_test(the_last_try_is_not_asked_for),
		cmocka_unit_test(who_sees_it_go_elsewhere_ends_it),
		cmocka_unit_test(
		    a_wrong_signature_is_handed_on_and_ends_it_when_it_is_found),
		cmocka_unit_test(
		    what_counts_as_away_takes_no_pin_and_signs_nothing),
		cmocka_unit_test(a_call_that_hangs_is_seen),
		cmocka_unit_test(a_pin_is_wiped_as_soon_as_it_was_used),
		cmocka_unit_test(
		    a_key_that_wants_its_pin_each_time_has_it_until_it_is_lost),
		cmocka_unit_test(
		    a_module_that_is_not_there_is_said_and_looked_for_again),
	};

	return cmocka_run_group_tests_name("token/holder", tests, open_house,
	    close_house);
}
