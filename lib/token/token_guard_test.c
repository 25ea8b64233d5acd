/* What happens to tokens, played, and how each play ends. */
#include "base/clock.h"
#include "token/token.h"
#include "token/token_probe.h"

#include <sys/wait.h>

#include <pthread.h>
#include <signal.h>

#define THREADS 4

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

/* Signing is suspended, at once, and after the token is back and the PIN is
 * given it goes on: with the same struct. */
static void
resumes(struct probe *p, struct token *token)
{
	struct token_signature signature;
	struct fault f = { 0 };

	assert_int_equal(probe_sign(token, &signature, &f), -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	assert_int_equal(signature.len, 0);
	probe_put_back(p);
	assert_int_equal(probe_sign(token, &signature, &f), -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	probe_must(probe_login(token, p->pin, &f), &f);
	probe_must(probe_sign(token, &signature, &f), &f);
	assert_true(probe_verifies(&p->ca, &signature));
}

static void
nothing_signed_in_the_shadow_of_a_loss_is_handed_on(void **state)
{
	static const struct {
		const char *play;
		bool signature;
		enum token_state ends;
	} plays[] = {
		{ "play=pull-before\n", false, TOKEN_ABSENT },
		{ "play=pull-during\n", false, TOKEN_ABSENT },
		{ "play=pull-after\n", true, TOKEN_ABSENT },
		{ "play=replug-after\n", true, TOKEN_NEEDS_PIN },
		{ "play=corrupt\n", false, TOKEN_BROKEN },
		{ "play=fail\ncode=0x30\n", false, TOKEN_BROKEN },
		{ "play=fail\ncode=0x32\n", false, TOKEN_ABSENT },
		{ "play=fail\ncode=0xb3\n", false, TOKEN_NEEDS_PIN },
		{ "play=fail\ncode=0x101\n", false, TOKEN_NEEDS_PIN },
		{ "play=fail\ncode=0x80001234\n", false, TOKEN_BROKEN },
		{ "break=SignInit\ncode=0x82\n", false, TOKEN_BROKEN },
		{ "break=GetSessionInfo\ncode=0xb3\n", true, TOKEN_NEEDS_PIN },
		{ "break=GetTokenInfo\ncode=0x5\n", true, TOKEN_BROKEN },
		{ "break=GetTokenInfo\ncode=0xe0\n", true, TOKEN_ABSENT },
		{ "serial=another\n", true, TOKEN_ABSENT },
	};
	struct probe *p = *state;

	for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
		OWN_STRUCT(token) token = probe_ready(p);
		struct token_signature signature;
		uint64_t epoch = token_epoch(token);
		char text[96];
		struct fault f = { 0 };

		probe_must(probe_sign(token, &signature, &f), &f);
		assert_int_equal(signature.epoch, epoch);
		(void)snprintf(text, sizeof(text), "%sinsertion=%ld\n",
		    plays[i].play, p->insertion);
		probe_play(p, text);
		if (probe_sign(token, &signature, &f) == 0)
			fail_msg("%s: handed on", plays[i].play);
		assert_int_equal(f.code, FAULT_SUSPENDED);
		if ((signature.len > 0) != plays[i].signature ||
		    token_state(token, NULL) != plays[i].ends)
			fail_msg("%s: %s, %s", plays[i].play, f.text,
			    token_state_name(token_state(token, NULL)));
		if (signature.len > 0)
			assert_true(probe_verifies(&p->ca, &signature));
		assert_true(token_epoch(token) > epoch);
		resumes(p, token);
	}
}

static void
who_verifies_elsewhere_says_what_was_wrong(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct token_signature signature;
	uint64_t epoch = token_epoch(token);
	struct fault f = { 0 };
	char text[64];

	token_verified_elsewhere(token);
	(void)snprintf(text, sizeof(text), "play=corrupt\ninsertion=%ld\n",
	    p->insertion);
	probe_play(p, text);
	probe_must(probe_sign(token, &signature, &f), &f);
	assert_false(probe_verifies(&p->ca, &signature));
	token_wrong(token);
	assert_int_equal(token_state(token, &f), TOKEN_BROKEN);
	assert_non_null(strstr(f.text, "signature that is wrong"));
	assert_true(token_epoch(token) > epoch);
	assert_int_equal(probe_sign(token, &signature, &f), -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	resumes(p, token);
}

static void
another_token_with_the_same_label_is_not_the_one(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct fault f = { 0 };
	char text[64];

	(void)snprintf(text, sizeof(text), "insertion=%ld\nserial=0042\n",
	    ++p->insertion);
	probe_play(p, text);
	assert_int_equal(token_poll(token), TOKEN_ABSENT);
	probe_forget_calls(p);
	assert_int_equal(probe_login(token, p->pin, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, "serial number 0042, not"));
	/* It is not shown the PIN either. */
	assert_int_equal(probe_calls(p, "Login"), 0);
	resumes(p, token);
}

static void
a_pin_that_was_changed_is_asked_for_again(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct token_signature signature;
	struct fault f = { 0 };
	char text[64];

	(void)snprintf(text, sizeof(text), "insertion=%ld\npin=87654321\n",
	    p->insertion);
	probe_play(p, text);
	assert_int_equal(probe_sign(token, &signature, &f), -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	assert_int_equal(token_state(token, NULL), TOKEN_NEEDS_PIN);
	probe_forget_calls(p);
	assert_int_equal(probe_login(token, p->pin, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(probe_calls(p, "Login"), 1);
	probe_must(probe_login(token, "87654321", &f), &f);
	probe_must(probe_sign(token, &signature, &f), &f);
}

static void
a_look_sees_a_token_go_and_come(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct fault f = { 0 };
	uint64_t epoch = token_epoch(token);

	assert_int_equal(token_poll(token), TOKEN_READY);
	assert_int_equal(token_epoch(token), epoch);
	probe_play(p, "present=0\n");
	assert_int_equal(token_poll(token), TOKEN_ABSENT);
	assert_true(token_epoch(token) > epoch);
	assert_int_equal(token_poll(token), TOKEN_ABSENT);
	assert_int_equal(probe_login(token, p->pin, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	probe_put_back(p);
	assert_int_equal(token_poll(token), TOKEN_NEEDS_PIN);
	probe_must(probe_login(token, p->pin, &f), &f);
	assert_int_equal(token_poll(token), TOKEN_READY);
}

static void
a_quick_replug_between_two_looks_is_seen(void **state)
{
	static const char *const plays[] = { "", "events=0\n" };
	struct probe *p = *state;

	for (size_t i = 0; i < 2; i++) {
		OWN_STRUCT(token) token = probe_ready(p);
		char text[64];

		assert_int_equal(token_poll(token), TOKEN_READY);
		(void)snprintf(text, sizeof(text), "insertion=%ld\n%s",
		    ++p->insertion, plays[i]);
		probe_play(p, text);
		assert_int_equal(token_poll(token), TOKEN_NEEDS_PIN);
		resumes(p, token);
	}
}

static void *
wait_in_thread(void *arg)
{
	struct fault f = { 0 };

	return token_wait(arg, true, &f) == 1 ? arg : NULL;
}

static void
a_slot_event_suspends_without_a_look(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct fault f = { 0 };
	pthread_t thread;
	void *answer = NULL;

	assert_int_equal(token_wait(token, false, &f), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_in_thread, token),
	    0);
	probe_play(p, "present=0\n");
	assert_int_equal(pthread_join(thread, &answer), 0);
	assert_ptr_equal(answer, token);
	assert_int_equal(token_state(token, NULL), TOKEN_ABSENT);
	resumes(p, token);
}

static void
who_waits_is_woken_when_the_module_is_started_anew(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct fault f = { 0 };
	pthread_t thread;
	void *answer = NULL;

	probe_forget_calls(p);
	assert_int_equal(pthread_create(&thread, NULL, wait_in_thread, token),
	    0);
	while (probe_calls(p, "WaitForSlotEvent") == 0)
		(void)sched_yield();
	probe_must(token_recover(token, 0, &f), &f);
	assert_int_equal(pthread_join(thread, &answer), 0);
	assert_ptr_equal(answer, token);
	assert_int_equal(token_state(token, NULL), TOKEN_NEEDS_PIN);
}

static void
a_module_without_events_says_so(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct token_info info;
	struct fault f = { 0 };

	probe_play(p, "events=0\n");
	assert_int_equal(token_wait(token, true, &f), -1);
	assert_int_equal(f.code, FAULT_UNSUPPORTED);
	token_info(token, &info);
	assert_false(info.events);
	assert_int_equal(token_wait(token, false, &f), -1);
	assert_int_equal(f.code, FAULT_UNSUPPORTED);
}

static void
what_others_see_suspends_too(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct fault why;

	token_lost(token, "USB device 0529:0620 is gone");
	assert_int_equal(token_state(token, &why), TOKEN_ABSENT);
	assert_non_null(strstr(why.text, "0529:0620"));
	assert_int_equal(token_poll(token), TOKEN_NEEDS_PIN);
	resumes(p, token);
}

struct signer {
	struct token *token;
	const struct spki *ca;
	unsigned good;
	unsigned shadowed;
	bool wrong;
	pthread_t thread;
};

/* Sign until that is suspended. */
static void *
sign_in_thread(void *arg)
{
	struct signer *s = arg;
	struct token_signature signature;
	struct fault f = { 0 };

	while (probe_sign(s->token, &signature, &f) == 0) {
		s->good++;
		s->wrong |= !probe_verifies(s->ca, &signature);
	}
	s->shadowed += signature.len > 0;
	s->wrong |= f.code != FAULT_SUSPENDED;
	return NULL;
}

static void
a_loss_in_the_middle_of_a_signature_casts_its_shadow(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct signer s = { .token = token, .ca = &p->ca };
	char text[64];

	(void)snprintf(text, sizeof(text), "insertion=%ld\ndelay=300000\n",
	    p->insertion);
	probe_play(p, text);
	probe_forget_calls(p);
	assert_int_equal(pthread_create(&s.thread, NULL, sign_in_thread, &s),
	    0);
	while (probe_calls(p, "Sign") == 0)
		(void)sched_yield();
	token_lost(token, "USB device 0529:0620 is gone");
	assert_int_equal(pthread_join(s.thread, NULL), 0);
	/* The module saw nothing, and gave a good signature. */
	assert_int_equal(s.good, 0);
	assert_int_equal(s.shadowed, 1);
	assert_false(s.wrong);
	resumes(p, token);
}

static void
a_token_may_break_at_any_call(void **state)
{
	static const char *const calls[] = { "GetSlotList", "GetTokenInfo",
		"OpenSession", "Login", "FindObjectsInit", "SignInit", "Sign" };
	static const unsigned codes[] = { 0x5, 0x30, 0x32, 0xb3, 0xe1, 0x190,
		0x80000001 };
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		for (size_t n = 0; n < sizeof(codes) / sizeof(codes[0]); n++) {
			struct token_signature signature;
			struct fault f = { 0 };
			char text[64];

			(void)snprintf(text, sizeof(text),
			    "insertion=%ld\nbreak=%s\ncode=%u\n",
			    ++p->insertion, calls[i], codes[n]);
			probe_play(p, text);
			assert_int_not_equal(token_poll(token), TOKEN_READY);
			assert_int_equal(probe_login(token, p->pin, &f), -1);
			assert_int_not_equal(token_state(token, NULL),
			    TOKEN_READY);
			assert_int_equal(probe_sign(token, &signature, &f), -1);
			assert_int_equal(f.code, FAULT_SUSPENDED);
			resumes(p, token);
		}
}

static void
recovery_has_its_order(void **state)
{
	static const char *const order[] = { "CloseAllSessions", "Finalize",
		"Initialize", "GetSlotList", "GetTokenInfo", "OpenSession",
		"Login", "FindObjectsInit", "GetAttributeValue", "Sign" };
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct token_signature signature;
	struct fault f = { 0 };
	size_t seen = 0;
	char line[64];
	FILE *in;

	probe_play(p, "play=fail\ncode=0x30\n");
	assert_int_equal(probe_sign(token, &signature, &f), -1);
	probe_put_back(p);
	probe_forget_calls(p);
	probe_must(probe_login(token, p->pin, &f), &f);
	in = fopen(p->log, "re");
	while (fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (seen < 10 && strcmp(line, order[seen]) == 0)
			seen++;
	}
	(void)fclose(in);
	assert_int_equal(seen, 10);
}

static void
a_module_that_lost_its_files_comes_back(void **state)
{
	struct probe *p = *state;
	OWN_STRUCT(token) token = probe_ready(p);
	struct token_signature signature;
	struct fault f = { 0 };
	char from[96], to[96];

	(void)snprintf(from, sizeof(from), "%s/tokens", p->dir);
	(void)snprintf(to, sizeof(to), "%s/away", p->dir);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(mkdir(from, 0700), 0);
	assert_int_equal(probe_sign(token, &signature, &f), -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	assert_int_equal(token_poll(token), TOKEN_ABSENT);
	assert_int_equal(rmdir(from), 0);
	assert_int_equal(rename(to, from), 0);
	/* SoftHSM sees it again only when it is started anew. */
	for (int i = 0; i < 6; i++)
		(void)token_poll(token);
	assert_int_equal(token_state(token, NULL), TOKEN_NEEDS_PIN);
	probe_must(probe_login(token, p->pin, &f), &f);
	probe_must(probe_sign(token, &signature, &f), &f);
}

static void
threads_sign_together_and_stop_together(void **state)
{
	static const char *const plays[] = { "pull-before", "pull-during",
		"pull-after", "replug-after", "corrupt" };
	struct probe *p = *state;

	for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
		OWN_STRUCT(token) token = probe_ready(p);
		struct signer signers[THREADS] = { 0 };
		char text[96];
		unsigned good = 0;

		(void)snprintf(text, sizeof(text),
		    "insertion=%ld\nplay=%s\nnth=40\n", p->insertion, plays[i]);
		probe_play(p, text);
		for (int n = 0; n < THREADS; n++) {
			signers[n].token = token;
			signers[n].ca = &p->ca;
			assert_int_equal(pthread_create(&signers[n].thread,
					     NULL, sign_in_thread, &signers[n]),
			    0);
		}
		for (int n = 0; n < THREADS; n++) {
			assert_int_equal(pthread_join(signers[n].thread, NULL),
			    0);
			assert_false(signers[n].wrong);
			good += signers[n].good;
		}
		/* That all have ended is that all were stopped.  How many
		 * came before the one that is played has a least only: while
		 * its thread waits for a processor, others sign on, rightly. */
		assert_true(good > 39 - THREADS);
		resumes(p, token);
	}
}

static void
sleep_ms(long ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* In a process of its own: 0 if all went as it should. */
static int
be_hung(struct probe *p)
{
	struct token *token = probe_ready(p);
	struct token_signature signature;
	struct signer s = { .token = token, .ca = &p->ca };
	struct fault f = { 0 };
	char text[64];

	(void)snprintf(text, sizeof(text), "insertion=%ld\nplay=hang\n",
	    p->insertion);
	probe_play(p, text);
	if (pthread_create(&s.thread, NULL, sign_in_thread, &s) != 0)
		return 1;
	while (token_longest(token) < 300)
		sleep_ms(10);
	/* Others go on beside it, until somebody wants to recover. */
	if (probe_sign(token, &signature, &f) < 0)
		return 2;
	if (token_recover(token, 50, &f) == 0 || f.code != FAULT_TIMEOUT)
		return 3;
	if (probe_sign(token, &signature, &f) == 0 || f.code != FAULT_SUSPENDED)
		return 4;
	/* A look does not wait for it. */
	if (token_poll(token) != TOKEN_ABSENT)
		return 5;
	return token_longest(token) >= 300 ? 0 : 6;
}

static int
be_crashed(struct probe *p)
{
	struct token *token = probe_ready(p);
	struct token_signature signature;
	struct fault f = { 0 };
	char text[64];

	(void)snprintf(text, sizeof(text), "insertion=%ld\nplay=crash\n",
	    p->insertion);
	probe_play(p, text);
	(void)probe_sign(token, &signature, &f);
	return 1;
}

static int
status_of(int (*be)(struct probe *), struct probe *p)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(be(p));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
a_call_that_never_returns_is_noticed(void **state)
{
	int status = status_of(be_hung, *state);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_module_that_crashes_takes_its_process_alone(void **state)
{
	int status = status_of(be_crashed, *state);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_never_returns_is_noticed),
		cmocka_unit_test(a_module_that_crashes_takes_its_process_alone),
		cmocka_unit_test(
		    nothing_signed_in_the_shadow_of_a_loss_is_handed_on),
		cmocka_unit_test(who_verifies_elsewhere_says_what_was_wrong),
		cmocka_unit_test(
		    another_token_with_the_same_label_is_not_the_one),
		cmocka_unit_test(a_pin_that_was_changed_is_asked_for_again),
		cmocka_unit_test(a_look_sees_a_token_go_and_come),
		cmocka_unit_test(a_quick_replug_between_two_looks_is_seen),
		cmocka_unit_test(a_slot_event_suspends_without_a_look),
		cmocka_unit_test(
		    who_waits_is_woken_when_the_module_is_started_anew),
		cmocka_unit_test(a_module_without_events_says_so),
		cmocka_unit_test(what_others_see_suspends_too),
		cmocka_unit_test(
		    a_loss_in_the_middle_of_a_signature_casts_its_shadow),
		cmocka_unit_test(a_token_may_break_at_any_call),
		cmocka_unit_test(recovery_has_its_order),
		cmocka_unit_test(a_module_that_lost_its_files_comes_back),
		cmocka_unit_test(threads_sign_together_and_stop_together),
	};

	return cmocka_run_group_tests(tests, start, end);
}
