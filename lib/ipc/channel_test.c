#include "ipc/channel.h"

#include "ipc/channel_probe.h"

static void
a_message_is_heard_on_the_loop(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	far_says_done(&s, 41);
	run(&s);
	assert_int_equal(s.heard, 1);
	assert_int_equal(s.last, 41);
	assert_int_equal(s.passed, -1);
	assert_int_equal(s.gone, 0);
	clear_scene(&s);
}

static void
the_wrong_mouth_kills_the_channel(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	struct msg ask = a_tbs_ask(1, NULL, 0);

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	/* The signer may answer, not ask. */
	assert_int_equal(channel_tell(s.far, &ask, &f), 0);
	far_says_done(&s, 2);
	run(&s);
	assert_int_equal(s.gone, 1);
	assert_true(s.had_cause);
	assert_int_equal(s.cause.code, FAULT_DENIED);
	/* Nothing is heard from it any more, and nothing told. */
	assert_true(channel_dead(s.ch));
	run_for(&s, 5);
	channel_drain(s.ch);
	assert_int_equal(s.heard, 0);
	assert_int_equal(s.gone, 1);
	assert_int_equal(channel_say(s.ch, &ask, &f), -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
	clear_scene(&s);
}

static void
a_malformed_frame_kills_the_channel(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	s.free_in_gone = true;
	assert_int_equal(send(s.far, "\377garbage", 8, 0), 8);
	run(&s);
	assert_int_equal(s.gone, 1);
	assert_int_equal(s.cause.code, FAULT_INPUT);
	assert_null(s.ch);
	clear_scene(&s);
}

static void
what_was_said_is_heard_before_the_end(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	s.stop_after = 100;
	far_says_done(&s, 1);
	far_says_done(&s, 2);
	assert_int_equal(close(s.far), 0);
	s.far = -1;
	run(&s);
	assert_int_equal(s.heard, 2);
	assert_int_equal(s.last, 2);
	assert_int_equal(s.gone, 1);
	assert_false(s.had_cause);
	clear_scene(&s);
}

static void
a_handler_may_free_its_channel(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	s.free_in_heard = true;
	far_says_done(&s, 1);
	far_says_done(&s, 2);
	run(&s);
	assert_int_equal(s.heard, 1);
	assert_null(s.ch);
	clear_scene(&s);
}

static void
a_drain_hears_all_without_the_loop(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	for (uint32_t i = 1; i <= 50; i++)
		far_says_done(&s, i);
	channel_drain(s.ch);
	assert_int_equal(s.heard, 50);
	assert_int_equal(s.last, 50);
	clear_scene(&s);
}

static void
a_handler_that_drains_its_own_channel_is_not_nested(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	s.drain_in_heard = true;
	for (uint32_t i = 1; i <= 3; i++)
		far_says_done(&s, i);
	channel_drain(s.ch);
	assert_int_equal(s.heard, 3);
	assert_int_equal(s.last, 3);
	clear_scene(&s);
}

static void
a_paused_channel_hears_nothing(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	channel_pause(s.ch, true);
	far_says_done(&s, 1);
	run_for(&s, 5);
	assert_int_equal(s.heard, 0);
	channel_pause(s.ch, false);
	run(&s);
	assert_int_equal(s.heard, 1);
	clear_scene(&s);
}

static void
a_paused_channel_may_be_drained(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	channel_pause(s.ch, true);
	far_says_done(&s, 1);
	far_says_done(&s, 2);
	channel_drain(s.ch);
	assert_int_equal(s.heard, 2);
	far_says_done(&s, 3);
	run_for(&s, 5);
	assert_int_equal(s.heard, 2);
	clear_scene(&s);
}

static void
count_idle(void *arg, struct channel *ch)
{
	int *idle = arg;

	(void)ch;
	++*idle;
}

static void
one_who_gathers_is_told_once_when_all_is_heard(void **state)
{
	struct scene s;
	int idle = 0;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	s.stop_after = 1000;
	channel_when_idle(s.ch, count_idle, &idle);
	for (uint32_t i = 1; i <= 100; i++)
		far_says_done(&s, i);
	run_for(&s, 5);
	assert_int_equal(s.heard, 100);
	assert_int_equal(idle, 1);
	channel_drain(s.ch);
	assert_int_equal(idle, 1);
	far_says_done(&s, 101);
	channel_drain(s.ch);
	assert_int_equal(idle, 2);
	clear_scene(&s);
}

/* Read at the far end until it would wait, checking the order. */
static uint32_t
far_reads(struct scene *s, uint32_t next)
{
	struct fault f = { 0 };
	struct msg in;
	int passed;
	char peek;

	while (recv(s->far, &peek, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
		assert_int_equal(channel_hear(s->far, MSG_ROLE_SIGNER,
				     MSG_ROLE_ISSUER, s->frame, &in, &passed,
				     &f),
		    1);
		assert_int_equal(in.tbs_ask.id, next++);
		assert_int_equal(in.tbs_ask.tbs.len, 50000);
	}
	return next;
}

static void
what_does_not_fit_waits_in_order_up_to_a_bound(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	uint8_t *tbs = calloc(1, 50000);
	uint32_t said = 0, read = 0;

	(void)state;
	assert_non_null(tbs);
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	for (;;) {
		struct msg m = a_tbs_ask(said, tbs, 50000);

		if (channel_say(s.ch, &m, &f) < 0)
			break;
		said++;
	}
	assert_int_equal(f.code, FAULT_BUSY);
	assert_string_equal(f.text, "signer does not listen");
	assert_true(said >= CHANNEL_QUEUE_BYTES / 51000);
	assert_true(said <= CHANNEL_QUEUE_BYTES / 50000 + 20);
	while (read < said) {
		read = far_reads(&s, read);
		run_for(&s, 0);
	}
	assert_int_equal(read, said);
	clear_scene(&s);
	free(tbs);
}

static void
small_frames_are_bounded_by_number(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	struct msg m = a_tbs_ask(0, NULL, 0);
	uint32_t said = 0;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	while (channel_say(s.ch, &m, &f) == 0)
		said++;
	assert_int_equal(f.code, FAULT_BUSY);
	assert_true(said >= CHANNEL_QUEUE_FRAMES);
	assert_true(said < CHANNEL_QUEUE_FRAMES + 4096);
	clear_scene(&s);
}

static void
a_descriptor_waits_with_its_message(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	struct msg text = { .type = MSG_BOOT_TEXT };
	struct msg m = { .type = MSG_BOOT_FD };
	uint8_t *data = calloc(1, 60000);
	int pipes[2], passed = -1;
	struct msg in;
	char byte = 0;

	(void)state;
	assert_non_null(data);
	set_scene(&s, MSG_ROLE_PARENT, MSG_ROLE_FRONT);
	assert_int_equal(pipe(pipes), 0);
	text.boot_text.data = (struct wire_bytes){ data, 60000 };
	for (int i = 0; i < 20; i++)
		assert_int_equal(channel_say(s.ch, &text, &f), 0);
	memcpy(m.boot_fd.name, "listen.0", sizeof("listen.0"));
	assert_int_equal(channel_say_fd(s.ch, &m, pipes[1], &f), 0);
	/* What waits is a copy. */
	assert_int_equal(close(pipes[1]), 0);
	for (int i = 0; i < 21; i++) {
		run_for(&s, 0);
		assert_int_equal(channel_hear(s.far, MSG_ROLE_FRONT,
				     MSG_ROLE_PARENT, s.frame, &in, &passed,
				     &f),
		    1);
	}
	assert_int_equal(in.type, MSG_BOOT_FD);
	assert_string_equal(in.boot_fd.name, "listen.0");
	assert_int_equal(write(passed, "x", 1), 1);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(close(passed), 0);
	assert_int_equal(close(pipes[0]), 0);
	clear_scene(&s);
	free(data);
}

static void
saying_to_one_who_has_gone_is_a_fault_and_no_signal(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	struct msg m = a_tbs_ask(1, NULL, 0);

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	assert_int_equal(close(s.far), 0);
	s.far = -1;
	assert_int_equal(channel_say(s.ch, &m, &f), -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
	assert_int_equal(s.gone, 0);
	run(&s);
	assert_int_equal(s.gone, 1);
	clear_scene(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_heard_on_the_loop),
		cmocka_unit_test(the_wrong_mouth_kills_the_channel),
		cmocka_unit_test(a_malformed_frame_kills_the_channel),
		cmocka_unit_test(what_was_said_is_heard_before_the_end),
		cmocka_unit_test(a_handler_may_free_its_channel),
		cmocka_unit_test(a_drain_hears_all_without_the_loop),
		cmocka_unit_test(
		    a_handler_that_drains_its_own_channel_is_not_nested),
		cmocka_unit_test(a_paused_channel_hears_nothing),
		cmocka_unit_test(a_paused_channel_may_be_drained),
		cmocka_unit_test(
		    one_who_gathers_is_told_once_when_all_is_heard),
		cmocka_unit_test(
		    what_does_not_fit_waits_in_order_up_to_a_bound),
		cmocka_unit_test(small_frames_are_bounded_by_number),
		cmocka_unit_test(a_descriptor_waits_with_its_message),
		cmocka_unit_test(
		    saying_to_one_who_has_gone_is_a_fault_and_no_signal),
	};

	return cmocka_run_group_tests_name("ipc/channel", tests, NULL, NULL);
}
