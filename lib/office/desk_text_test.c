#include "office/desk_text.h"

#include "base/unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* From memory that ends where the line does, so that ASan sees a slip. */
static int
take(const char *text, struct desk_ask *ask, struct fault *f)
{
	size_t len = strlen(text);
	char *copy = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, text, len);
	result =
	    desk_ask_read((struct wire_bytes){ (const uint8_t *)copy, len },
		ask, f);
	free(copy);
	return result;
}

static void
what_is_asked_is_read(void **state)
{
	struct desk_ask ask;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(take("{\"do\":\"list\",\"open\":true,\"after\":7}",
			     &ask, &f),
	    0);
	assert_int_equal(ask.verb, DESK_LIST);
	assert_true(ask.open);
	assert_int_equal(ask.after, 7);
	assert_string_equal(ask.ca, "");
	desk_ask_clear(&ask);
	assert_int_equal(take("{\"do\":\"submit\",\"file\":\"a\\nb\"}", &ask,
			     &f),
	    0);
	assert_int_equal(ask.file.len, 3);
	desk_ask_clear(&ask);
	assert_null(ask.file.data);
}

static void
what_is_not_meant_is_refused(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "7", "null",
		"{\"do\":7}", "{\"do\":\"\"}", "{\"do\":\"show\"}",
		"{\"do\":\"whoami\"} x", "{\"do\":\"whoami\",\"ca\":\"x\"}",
		"{\"do\":\"show\",\"request\":\"a\",\"request\":\"a\"}",
		"{\"do\":\"show\",\"request\":\"a\\u0000b\"}",
		"{\"do\":\"show\",\"request\":\"a\\nb\"}",
		"{\"do\":\"show\",\"request\":[\"a\"]}",
		"{\"do\":\"list\",\"after\":-1}",
		"{\"do\":\"list\",\"limit\":1001}",
		"{\"do\":\"list\",\"open\":1}",
		"{\"do\":\"submit\",\"file\":\"a\\u0007\"}",
		"{\"do\":\"show\",\"request\":\"\\u202ea\"}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}" };
	struct desk_ask ask;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(take(bad[i], &ask, &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

static void
a_cut_line_is_none(void **state)
{
	const char whole[] = "{\"do\":\"approve\",\"request\":\"a\"}";
	struct desk_ask ask;
	struct fault f = { 0 };
	char cut[sizeof(whole)];

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		memcpy(cut, whole, len);
		cut[len] = '\0';
		assert_int_equal(take(cut, &ask, &f), -1);
	}
}

static void
what_is_said_is_heard(void **state)
{
	struct desk_ask ask = { .verb = DESK_REVOKE, .cause = 1 }, back;
	struct fault f = { 0 };
	OWN_BUF(line, DESK_LINE_MAX);

	(void)state;
	memcpy(ask.serial, "0a", 3);
	assert_int_equal(desk_ask_write(&ask, &line, &f), 0);
	assert_non_null(buf_cstr(&line));
	assert_int_equal(take(buf_cstr(&line), &back, &f), 0);
	assert_int_equal(back.cause, 1);
	assert_string_equal(back.serial, "0a");
	desk_ask_clear(&back);
}

static void
answers_come_back(void **state)
{
	struct fault f = { 0 }, why = { 0 };
	struct desk_answer a;
	OWN_BUF(line, DESK_LINE_MAX);
	json_t *body = json_object();

	(void)state;
	desk_put(body, "bad", "a\x01\xff");
	desk_put(body, "none", "");
	assert_int_equal(desk_answer_write(DESK_END, body, &line, &f), 0);
	assert_int_equal(desk_answer_read((struct wire_bytes){ line.data,
					      line.len },
			     &a, &f),
	    0);
	assert_int_equal(a.kind, DESK_END);
	assert_string_equal(json_string_value(json_object_get(a.body, "bad")),
	    "a\\x01\\xff");
	assert_null(json_object_get(a.body, "none"));
	desk_answer_clear(&a);
	buf_clear(&line);
	(void)fault_set(&why, FAULT_DENIED, "no \"x\"");
	assert_int_equal(desk_fault_write(&why, &line, &f), 0);
	assert_int_equal(desk_answer_read((struct wire_bytes){ line.data,
					      line.len },
			     &a, &f),
	    0);
	assert_int_equal(a.kind, DESK_FAULT);
	assert_int_equal(a.fault, FAULT_DENIED);
	assert_string_equal(a.text, "no \"x\"");
	desk_answer_clear(&a);
}

/* A daemon that has fallen does not write on the terminal of who asks it. */
static void
answers_with_control_characters_are_refused(void **state)
{
	static const struct {
		const char *line;
		bool good;
	} table[] = {
		{ "{\"item\":{\"who\":\"ann\",\"file\":\"a\\nb\\n\"}}", true },
		{ "{\"item\":{\"who\":\"\u00e4nn\"}}", true },
		{ "{\"item\":{\"who\":\"a\\u001b[2Jb\"}}", false },
		{ "{\"item\":{\"who\":\"a\\u009b2J\"}}", false },
		{ "{\"item\":{\"w\\u001b\":\"a\"}}", false },
		{ "{\"end\":{\"list\":[{\"text\":\"a\\rb\"}]}}", false },
		{ "{\"fault\":\"DENIED\",\"text\":\"a\\u001b[2J\"}", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *line = table[i].line;
		struct desk_answer a;
		struct fault f = { 0 };

		assert_int_equal(
		    desk_answer_read((struct wire_bytes){ (const uint8_t *)line,
					 strlen(line) },
			&a, &f),
		    table[i].good ? 0 : -1);
		desk_answer_clear(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_is_read),
		cmocka_unit_test(what_is_not_meant_is_refused),
		cmocka_unit_test(a_cut_line_is_none),
		cmocka_unit_test(what_is_said_is_heard),
		cmocka_unit_test(answers_come_back),
		cmocka_unit_test(answers_with_control_characters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
