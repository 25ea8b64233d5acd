#include "ipc/channel.h"

#include "base/fault.h"
#include "base/unit.h"
#include "ipc/frame.h"
#include "sys/loop.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The issuer at one end, on a loop; the signer's socket at the other. */
struct scene {
	struct loop *loop;
	struct channel *ch;
	int far;
	uint8_t *frame;
	int heard;
	int gone;
	uint32_t last;
	int passed;
	struct fault cause;
	bool had_cause;
	bool free_in_heard;
	bool drain_in_heard;
	bool free_in_gone;
	int stop_after;
};

static void
on_heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct scene *s = arg;

	s->heard++;
	s->passed = fd;
	if (m->type == MSG_TBS_DONE)
		s->last = m->tbs_done.id;
	if (s->drain_in_heard)
		channel_drain(ch);
	if (s->free_in_heard) {
		channel_free(ch);
		s->ch = NULL;
	}
	if (s->heard >= s->stop_after)
		loop_stop(s->loop);
}

static void
on_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct scene *s = arg;

	s->gone++;
	if (f != NULL) {
		s->cause = *f;
		s->had_cause = true;
	}
	if (s->free_in_gone) {
		channel_free(ch);
		s->ch = NULL;
	}
	loop_stop(s->loop);
}

static void
set_scene(struct scene *s, enum msg_role self, enum msg_role peer)
{
	struct fault f = { 0 };
	int fds[2];

	*s = (struct scene){ .loop = loop_new(&f),
		.frame = malloc(MSG_MAX_FRAME),
		.stop_after = 1 };
	assert_non_null(s->loop);
	assert_non_null(s->frame);
	assert_int_equal(channel_pair(fds, &f), 0);
	s->far = fds[1];
	s->ch =
	    channel_new(s->loop, fds[0], self, peer, on_heard, on_gone, s, &f);
	assert_non_null(s->ch);
}

static void
clear_scene(struct scene *s)
{
	channel_free(s->ch);
	loop_free(s->loop);
	if (s->far >= 0)
		(void)close(s->far);
	free(s->frame);
}

static void
run(struct scene *s)
{
	struct fault f = { 0 };

	assert_int_equal(loop_run(s->loop, &f), 0);
}

static void
stop_now(void *arg)
{
	loop_stop(arg);
}

static void
run_for(struct scene *s, int64_t ms)
{
	struct fault f = { 0 };
	struct loop_timer *end = loop_timer_new(s->loop, stop_now, s->loop, &f);

	assert_non_null(end);
	loop_timer_set(end, ms);
	run(s);
	loop_timer_free(end);
}

static void
far_says_done(struct scene *s, uint32_t id)
{
	struct fault f = { 0 };
	struct msg m = { .type = MSG_TBS_DONE };

	m.tbs_done.id = id;
	assert_int_equal(channel_tell(s->far, &m, &f), 0);
}

static struct msg
a_tbs_ask(uint32_t id, const uint8_t *tbs, size_t len)
{
	struct msg m = { .type = MSG_TBS_ASK };

	m.tbs_ask.id = id;
	m.tbs_ask.tbs = (struct wire_bytes){ tbs, len };
	return m;
}

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

	return cmocka_run_group_tests_name("ipc/channel", tests, NULL, NULL);
}
