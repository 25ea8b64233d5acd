/* Several messages in a frame: said at the end of a turn, and heard. */
#include "ipc/channel.h"
#include "ipc/channel_probe.h"
#include "ipc/frame.h"

static void
next_of_frame(struct scene *s, struct wire_in *in)
{
	struct fault f = { 0 };
	struct msg m;

	assert_int_equal(frame_decode(&m, in, -1, MSG_ROLE_ISSUER,
			     MSG_ROLE_SIGNER, &f),
	    0);
	assert_int_equal(m.type, MSG_TBS_ASK);
	assert_int_equal(m.tbs_ask.id, ++s->last);
}

/* How many messages are in the next frame at the far end, which must go on
 * where the last ended; 0 if there is none. */
static int
far_frame(struct scene *s)
{
	struct wire_in in = { .at = s->frame };
	struct fault f = { 0 };
	int passed, count = 0;

	if (frame_receive(s->far, s->frame, &in.left, &passed, false, &f) ==
	    FRAME_LATER)
		return 0;
	for (; in.left > 0; count++)
		next_of_frame(s, &in);
	return count;
}

static void
say_many(struct scene *s, uint32_t first, uint32_t last)
{
	struct fault f = { 0 };

	for (uint32_t i = first; i <= last; i++) {
		struct msg m = a_tbs_ask(i, NULL, 0);

		assert_int_equal(channel_say(s->ch, &m, &f), 0);
	}
}

static void
one_who_gathers_says_it_at_the_end_of_the_turn(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	channel_gather(s.ch, true);
	say_many(&s, 1, 3);
	assert_int_equal(far_frame(&s), 0);
	run_for(&s, 1);
	assert_int_equal(far_frame(&s), 3);
	say_many(&s, 4, 4);
	run_for(&s, 1);
	assert_int_equal(far_frame(&s), 1);
	assert_int_equal(far_frame(&s), 0);
	/* As before, once it gathers no more. */
	channel_gather(s.ch, false);
	say_many(&s, 5, 6);
	assert_int_equal(far_frame(&s), 1);
	assert_int_equal(far_frame(&s), 1);
	clear_scene(&s);
}

static void
a_full_frame_does_not_wait_for_the_end_of_the_turn(void **state)
{
	struct scene s;
	int most;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	channel_gather(s.ch, true);
	say_many(&s, 1, 20);
	most = far_frame(&s);
	assert_in_range(most, 2, 19);
	while (far_frame(&s) > 0)
		continue;
	run_for(&s, 1);
	assert_true(far_frame(&s) > 0);
	assert_int_equal(s.last, 20);
	clear_scene(&s);
}

static void
what_was_gathered_is_sent_before_the_channel_is_freed(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	channel_gather(s.ch, true);
	say_many(&s, 1, 2);
	channel_free(s.ch);
	s.ch = NULL;
	assert_int_equal(far_frame(&s), 2);
	clear_scene(&s);
}

static void
long_messages_are_gathered_as_far_as_a_frame_holds_them(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	uint8_t *tbs = calloc(1, 50000);

	(void)state;
	assert_non_null(tbs);
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	channel_gather(s.ch, true);
	for (uint32_t i = 1; i <= 4; i++) {
		struct msg m = a_tbs_ask(i, tbs, i % 2 == 0 ? 50000 : 100);

		assert_int_equal(channel_say(s.ch, &m, &f), 0);
	}
	run_for(&s, 1);
	assert_int_equal(far_frame(&s), 3);
	assert_int_equal(far_frame(&s), 1);
	clear_scene(&s);
	free(tbs);
}

static void
gathered_up_to_the_same_bound_and_in_order(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	uint32_t said = 0;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	channel_gather(s.ch, true);
	for (;;) {
		struct msg m = a_tbs_ask(said + 1, NULL, 0);

		if (channel_say(s.ch, &m, &f) < 0)
			break;
		said++;
	}
	assert_int_equal(f.code, FAULT_BUSY);
	while (s.last < said) {
		while (far_frame(&s) > 0)
			continue;
		run_for(&s, 0);
	}
	assert_int_equal(far_frame(&s), 0);
	clear_scene(&s);
}

static void
a_descriptor_goes_alone_among_what_is_gathered(void **state)
{
	struct scene s;
	struct fault f = { 0 };
	struct msg ask = { .type = MSG_CRL_SIGN };
	uint8_t frame[512];
	size_t len;
	int passed = -1;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	channel_gather(s.ch, true);
	say_many(&s, 1, 2);
	assert_int_equal(channel_say_fd(s.ch, &ask, STDERR_FILENO, &f), 0);
	say_many(&s, 3, 4);
	run_for(&s, 1);
	assert_int_equal(far_frame(&s), 2);
	assert_int_equal(frame_receive(s.far, s.frame, &len, &passed, false,
			     &f),
	    FRAME_DONE);
	assert_true(passed >= 0);
	assert_int_equal((int)len,
	    frame_encode(&ask, frame, sizeof(frame), &f));
	assert_int_equal(close(passed), 0);
	assert_int_equal(far_frame(&s), 2);
	clear_scene(&s);
}

static void
one_who_has_gone_is_told_to_him_who_gathers_on_the_loop(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	channel_gather(s.ch, true);
	assert_int_equal(close(s.far), 0);
	s.far = -1;
	say_many(&s, 1, 40);
	assert_int_equal(s.gone, 0);
	run(&s);
	assert_int_equal(s.gone, 1);
	assert_false(s.had_cause);
	clear_scene(&s);
}

/* ${count} answers of the signer in one frame. */
static void
far_says_together(struct scene *s, uint32_t count, size_t cut)
{
	uint8_t frame[2048];
	struct fault f = { 0 };
	size_t len = 0;

	for (uint32_t i = 1; i <= count; i++) {
		struct msg m = { .type = MSG_TBS_DONE, .tbs_done.id = i };
		int more =
		    frame_encode(&m, frame + len, sizeof(frame) - len, &f);

		assert_true(more > 0);
		len += (size_t)more;
	}
	assert_int_equal(send(s->far, frame, len - cut, 0), len - cut);
}

static void
all_messages_of_a_frame_are_heard(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	far_says_together(&s, 20, 0);
	channel_drain(s.ch);
	assert_int_equal(s.heard, 20);
	assert_int_equal(s.last, 20);
	clear_scene(&s);
}

static void
a_handler_may_free_its_channel_in_the_middle_of_a_frame(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	s.free_in_heard = true;
	far_says_together(&s, 3, 0);
	run(&s);
	assert_int_equal(s.heard, 1);
	assert_null(s.ch);
	clear_scene(&s);
}

static void
a_frame_cut_short_kills_the_channel_after_what_is_whole(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, MSG_ROLE_ISSUER, MSG_ROLE_SIGNER);
	s.stop_after = 100;
	s.free_in_gone = true;
	far_says_together(&s, 3, 1);
	run(&s);
	assert_int_equal(s.heard, 2);
	assert_int_equal(s.gone, 1);
	assert_int_equal(s.cause.code, FAULT_INPUT);
	clear_scene(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    one_who_gathers_says_it_at_the_end_of_the_turn),
		cmocka_unit_test(
		    a_full_frame_does_not_wait_for_the_end_of_the_turn),
		cmocka_unit_test(
		    what_was_gathered_is_sent_before_the_channel_is_freed),
		cmocka_unit_test(
		    long_messages_are_gathered_as_far_as_a_frame_holds_them),
		cmocka_unit_test(gathered_up_to_the_same_bound_and_in_order),
		cmocka_unit_test(
		    a_descriptor_goes_alone_among_what_is_gathered),
		cmocka_unit_test(
		    one_who_has_gone_is_told_to_him_who_gathers_on_the_loop),
		cmocka_unit_test(all_messages_of_a_frame_are_heard),
		cmocka_unit_test(
		    a_handler_may_free_its_channel_in_the_middle_of_a_frame),
		cmocka_unit_test(
		    a_frame_cut_short_kills_the_channel_after_what_is_whole),
	};

	return cmocka_run_group_tests_name("ipc/channel_gather", tests, NULL,
	    NULL);
}
