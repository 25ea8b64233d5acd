#include "ca_token_talk.h"

#include "base/unit.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
an_answer_is_read_as_it_was_written(void **state)
{
	struct talk_answer a = { .code = FAULT_SUSPENDED,
		.text = "the token was pulled",
		.info = { .label = "grid ca",
		    .serial = "0123",
		    .pin_low = true,
		    .pin_pad = true },
		.data = { (const uint8_t *)"abc", 3 } };
	struct talk_answer again;
	uint8_t room[TALK_MAX];
	struct fault f = { 0 };
	size_t len = talk_write(&a, room, sizeof(room));

	(void)state;
	assert_true(len > 0);
	assert_int_equal(talk_read(&again, (struct wire_bytes){ room, len },
			     &f),
	    0);
	assert_int_equal(again.code, FAULT_SUSPENDED);
	assert_string_equal(again.text, a.text);
	assert_string_equal(again.info.label, "grid ca");
	assert_string_equal(again.info.serial, "0123");
	assert_true(again.info.pin_low && again.info.pin_pad);
	assert_false(again.info.pin_final || again.info.pin_locked);
	assert_int_equal(again.data.len, 3);
}

static void
each_cut_and_each_excess_is_nonsense(void **state)
{
	struct talk_answer a = { .code = FAULT_NONE,
		.data = { (const uint8_t *)"abc", 3 } };
	struct talk_answer again;
	uint8_t room[TALK_MAX];
	size_t len = talk_write(&a, room, sizeof(room) - 1);

	(void)state;
	for (size_t cut = 0; cut <= len + 1; cut++) {
		struct fault f = { 0 };
		uint8_t *copy;

		if (cut == len)
			continue;
		copy = malloc(cut == 0 ? 1 : cut);
		assert_non_null(copy);
		memcpy(copy, room, cut);
		assert_int_equal(talk_read(&again,
				     (struct wire_bytes){ copy, cut }, &f),
		    -1);
		assert_int_equal(f.code, FAULT_INTERNAL);
		free(copy);
	}
}

static void
a_code_that_is_none_is_nonsense(void **state)
{
	struct talk_answer a = { .code = FAULT_NONE };
	struct talk_answer again;
	uint8_t room[TALK_MAX];
	struct fault f = { 0 };
	size_t len = talk_write(&a, room, sizeof(room));

	(void)state;
	room[3] = FAULT_COUNT;
	assert_int_equal(talk_read(&again, (struct wire_bytes){ room, len },
			     &f),
	    -1);
}

static void
what_controls_a_terminal_is_taken_out(void **state)
{
	struct talk_answer a = { .code = FAULT_NONE,
		.info = { .label = "\033[2Jroot" } };
	struct talk_answer again;
	uint8_t room[TALK_MAX];
	struct fault f = { 0 };
	size_t len = talk_write(&a, room, sizeof(room));

	(void)state;
	assert_int_equal(talk_read(&again, (struct wire_bytes){ room, len },
			     &f),
	    0);
	assert_string_equal(again.info.label, "?[2Jroot");
}

static void
a_question_goes_through_whole_or_not_at_all(void **state)
{
	const struct wire_bytes digest = { (const uint8_t *)"digest", 6 };
	uint8_t room[64], verb = 0;
	struct fault f = { 0 };
	size_t len = 0;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(talk_ask(pair[0], TALK_SIGN, digest, &f), 0);
	assert_int_equal(talk_hear(pair[1], &verb, room, sizeof(room), &len,
			     &f),
	    1);
	assert_int_equal(verb, TALK_SIGN);
	assert_int_equal(len, 6);
	assert_memory_equal(room, "digest", 6);
	assert_int_equal(talk_ask(pair[0], TALK_SIGN, digest, &f), 0);
	assert_int_equal(talk_hear(pair[1], &verb, room, 5, &len, &f), -1);
	assert_int_equal(f.code, FAULT_INTERNAL);
	(void)close(pair[0]);
	assert_int_equal(talk_hear(pair[1], &verb, room, sizeof(room), &len,
			     &f),
	    0);
	(void)close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_read_as_it_was_written),
		cmocka_unit_test(each_cut_and_each_excess_is_nonsense),
		cmocka_unit_test(a_code_that_is_none_is_nonsense),
		cmocka_unit_test(what_controls_a_terminal_is_taken_out),
		cmocka_unit_test(a_question_goes_through_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
