/* Several signatures, and one look at the token behind them all. */
#include "base/clock.h"
#include "token/token.h"
#include "token/token_probe.h"

#include <pthread.h>
#include <sched.h>

#define JOBS 5

struct together {
	struct token *token;
	struct token_job job[JOBS];
	uint8_t digest[KEY_HASH_MAX];
	struct fault f;
	int result;
	pthread_t thread;
};

static int
start(void **state)
{
	*state = probe_start();
	return 0;
}

static int
end(void **state)
{
	probe_end(*state);
	return 0;
}

static void
begin(struct together *all, struct token *token)
{
	memset(all, 0, sizeof(*all));
	all->token = token;
	for (int i = 0; i < JOBS; i++)
		all->job[i].digest =
		    probe_digest("to be signed", KEY_P256, all->digest);
}

static void *
sign(void *arg)
{
	struct together *all = arg;

	all->result = token_sign_all(all->token, NULL, all->job, JOBS, &all->f);
	return NULL;
}

/* In the insertion that is. */
static void
play(const struct probe *p, const char *what)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "%sinsertion=%ld\n", what,
	    p->insertion);
	probe_play(p, text);
}

static void
the_look_comes_after_the_last_of_them(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct together all;
	char line[64];
	unsigned signs = 0, looks = 0;
	FILE *in;

	begin(&all, token);
	probe_forget_calls(p);
	(void)sign(&all);
	probe_must(all.result, &all.f);
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(all.job[i].signature.epoch,
		    token_epoch(token));
		assert_true(probe_verifies(&p->ca, &all.job[i].signature));
	}
	in = fopen(p->log, "re");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		signs += strcmp(line, "Sign") == 0;
		if (strcmp(line, "GetSessionInfo") != 0 &&
		    strcmp(line, "GetTokenInfo") != 0)
			continue;
		assert_int_equal(signs, JOBS);
		looks++;
	}
	(void)fclose(in);
	assert_int_equal(looks, 2);
}

/* Nobody gets any, also not those that were made long before; and no more are
 * made. */
static void
a_loss_at_any_of_them_withholds_all(void **state)
{
	static const struct {
		const char *play;
		int made;
		enum token_state ends;
	} plays[] = {
		{ "play=pull-before\n", 0, TOKEN_ABSENT },
		{ "play=pull-before\nnth=3\n", 2, TOKEN_ABSENT },
		{ "play=pull-during\nnth=3\n", 2, TOKEN_ABSENT },
		{ "play=pull-after\nnth=3\n", 3, TOKEN_ABSENT },
		{ "play=pull-after\nnth=5\n", 5, TOKEN_ABSENT },
		{ "play=replug-after\n", 1, TOKEN_NEEDS_PIN },
		{ "play=replug-after\nnth=4\n", 4, TOKEN_NEEDS_PIN },
		{ "play=replug-after\nnth=5\n", 5, TOKEN_NEEDS_PIN },
		{ "play=corrupt\nnth=3\n", 2, TOKEN_BROKEN },
		{ "play=fail\ncode=0x30\nnth=5\n", 4, TOKEN_BROKEN },
		{ "break=GetSessionInfo\ncode=0xb3\n", 5, TOKEN_NEEDS_PIN },
		{ "break=GetTokenInfo\ncode=0xe0\n", 5, TOKEN_ABSENT },
		{ "serial=another\n", 5, TOKEN_ABSENT },
	};
	struct probe *p = *state;

	for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
		OWN_STRUCT(token) token = probe_ready(p);
		struct together all;

		begin(&all, token);
		play(p, plays[i].play);
		(void)sign(&all);
		if (all.result == 0 ||
		    token_state(token, NULL) != plays[i].ends)
			fail_msg("%s: %d, %s", plays[i].play, all.result,
			    token_state_name(token_state(token, NULL)));
		assert_int_equal(all.f.code, FAULT_SUSPENDED);
		for (int n = 0; n < JOBS; n++)
			if ((n < plays[i].made) !=
			    (all.job[n].signature.len > 0 &&
				probe_verifies(&p->ca, &all.job[n].signature)))
				fail_msg("%s: %d", plays[i].play, n);
			else if (n >= plays[i].made)
				assert_int_equal(all.job[n].signature.len, 0);
	}
}

static void
wait_for_signs(const struct probe *p, unsigned count)
{
	while (probe_calls(p, "Sign") < count)
		(void)sched_yield();
}

static void
a_loss_that_others_see_ends_it(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct together all;

	begin(&all, token);
	play(p, "delay=300000\n");
	probe_forget_calls(p);
	assert_int_equal(pthread_create(&all.thread, NULL, sign, &all), 0);
	wait_for_signs(p, 2);
	token_lost(token, "USB device 0529:0620 is gone");
	assert_int_equal(pthread_join(all.thread, NULL), 0);
	assert_int_equal(all.result, -1);
	assert_int_equal(all.f.code, FAULT_SUSPENDED);
	assert_non_null(strstr(all.f.text, "0529:0620"));
	/* The module saw nothing; the second came, and no third was asked. */
	assert_int_equal(probe_calls(p, "Sign"), 2);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(all.job[i].signature.len > 0, i < 2);
}

/* What is waited for is one call, not all of them. */
static void
each_is_a_call_of_its_own_to_who_watches(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct together all;
	int64_t began = clock_mono(), longest;

	begin(&all, token);
	play(p, "delay=300000\n");
	probe_forget_calls(p);
	assert_int_equal(pthread_create(&all.thread, NULL, sign, &all), 0);
	wait_for_signs(p, 4);
	longest = token_longest(token);
	began = clock_mono() - began;
	assert_int_equal(pthread_join(all.thread, NULL), 0);
	probe_must(all.result, &all.f);
	assert_true(began >= 900);
	assert_true(longest < began - 600);
}

static void
a_digest_of_another_length_is_none(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct together all;

	begin(&all, token);
	all.job[3].digest.len--;
	probe_forget_calls(p);
	(void)sign(&all);
	assert_int_equal(all.result, -1);
	assert_int_equal(all.f.code, FAULT_USAGE);
	assert_int_equal(probe_calls(p, "Sign"), 0);
	assert_int_equal(token_state(token, NULL), TOKEN_READY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_look_comes_after_the_last_of_them),
		cmocka_unit_test(a_loss_at_any_of_them_withholds_all),
		cmocka_unit_test(a_loss_that_others_see_ends_it),
		cmocka_unit_test(each_is_a_call_of_its_own_to_who_watches),
		cmocka_unit_test(a_digest_of_another_length_is_none),
	};

	return cmocka_run_group_tests(tests, start, end);
}
