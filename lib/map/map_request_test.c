#include "map/map_request.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"
#include "map/map_replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANN "/DC=org/CN=ann"
#define BOB "/DC=org/CN=bob"
#define ID "00112233445566aa"

static struct map_request
req(enum map_request_verb verb, const char *name, const char *account)
{
	return (struct map_request){ .verb = verb,
		.when = 1795000000,
		.id = ID,
		.account = account,
		.name = name,
		.by = "1000 ann",
		.reason = "" };
}

static int
show(void *arg, const char *name, const struct map_replay_held *held,
    size_t count)
{
	struct buf *out = arg;

	buf_fmt(out, "%s", name);
	for (size_t i = 0; i < count; i++)
		buf_fmt(out, "%c%s", i == 0 ? ' ' : ',', held[i].account);
	buf_text(out, ";");
	return 0;
}

static void
expect(const struct map_replay *r, const char *wanted)
{
	OWN_BUF(out, 65536);

	(void)map_replay_each(r, show, &out);
	assert_string_equal(buf_cstr(&out), wanted);
}

static void
let(struct map_replay *r, enum map_request_verb verb, const char *name,
    const char *account)
{
	struct map_request one = req(verb, name, account);
	struct fault f = { 0 };

	assert_int_equal(map_replay_do(r, &one, 1, &f), 0);
}

static void
what_was_added_last_is_the_default(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_replay) r = map_replay_new(&f);

	(void)state;
	let(r, MAP_REQUEST_ADD, ANN, "ann");
	let(r, MAP_REQUEST_ADD, BOB, "bob");
	let(r, MAP_REQUEST_APPROVE, ANN, "bob");
	expect(r, ANN " bob,ann;" BOB " bob;");
	let(r, MAP_REQUEST_ADD, "/dc=org/cn=ANN", "ann");
	expect(r, "/dc=org/cn=ANN ann,bob;" BOB " bob;");
	let(r, MAP_REQUEST_REMOVE, ANN, "bob");
	let(r, MAP_REQUEST_ASK, ANN, "other");
	let(r, MAP_REQUEST_REFUSE, ANN, "other");
	expect(r, "/dc=org/cn=ANN ann;" BOB " bob;");
	assert_true(map_replay_has(r, ANN, "ann"));
	assert_false(map_replay_has(r, ANN, "bob"));
	assert_true(map_replay_has(r, "", "bob"));
	let(r, MAP_REQUEST_REMOVE_ACCOUNT, "", "bob");
	expect(r, "/dc=org/cn=ANN ann;");
	let(r, MAP_REQUEST_ADD, ANN, "bob");
	let(r, MAP_REQUEST_REMOVE_NAME, ANN, "");
	expect(r, "");
	assert_int_equal(map_replay_count(r), 0);
}

static void
many_names_are_each_found(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_replay) r = map_replay_new(&f);
	char name[64], account[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "/O=x/CN=%d", i);
		(void)snprintf(account, sizeof(account), "a%d", i);
		let(r, MAP_REQUEST_ADD, name, account);
	}
	assert_int_equal(map_replay_count(r), 5000);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "/O=X/CN=%d", i);
		(void)snprintf(account, sizeof(account), "a%d", i);
		assert_true(map_replay_has(r, name, account));
	}
}

static void
what_is_no_request_is_refused(void **state)
{
	static const struct map_book_entry bad[] = {
		{ 1, '-', "map", "ann", "add", "x", ID, ANN, "" },
		{ 1, '+', "map", "root", "add", "x", ID, ANN, "" },
		{ 1, '+', "map", "-ann", "add", "x", ID, ANN, "" },
		{ 1, '+', "map", "a,b", "add", "x", ID, ANN, "" },
		{ 1, '+', "map", "", "add", "x", ID, ANN, "" },
		{ 1, '+', "map", "ann", "add", "x", "1", ANN, "" },
		{ 1, '+', "map", "ann", "add", "x", ID, "", "" },
		{ 1, '+', "map", "ann", "add", "x", ID, "/CN=a\"b", "" },
		{ 1, '+', "map", "ann", "add", "x", ID, "CN=a", "" },
		{ 1, '-', "map", "ann", "remove-name", "x", ID, ANN, "" },
		{ 1, '-', "map", "ann", "remove-account", "x", ID, ANN, "" },
		{ 1, '+', "desk", "ann", "add", "x", ID, ANN, "" },
		{ 1, '*', "map", "ann", "ask", "x", ID, ANN, "" },
		{ 1, '+', "gridftp", "ann", "cit", "ligo", "x", ANN, "" },
	};
	struct map_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(map_request_of(&bad[i], &r, &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

static int
count(void *arg, const struct map_request *r, size_t line, struct fault *f)
{
	size_t *seen = arg;

	(void)f;
	assert_string_equal(r->by, "1000 ann");
	assert_int_equal(line, ++*seen);
	return 0;
}

static void
write_log(const char *path, struct fault *f)
{
	OWN_STRUCT(map_book) book = map_book_open(path, f);

	assert_non_null(book);
	for (int i = 0; i < 3; i++) {
		struct map_request one = req(MAP_REQUEST_ADD, ANN, "ann");
		struct map_book_entry e;

		map_request_entry(&one, &e);
		assert_int_equal(map_book_add(book, &e, f), 0);
	}
	assert_int_equal(map_book_sync(book, f), 0);
}

static void
a_log_is_read_and_a_changed_one_is_not(void **state)
{
	char path[] = "/tmp/map_request.XXXXXX";
	struct fault f = { 0 };
	OWN_BUF(text, 65536);
	size_t seen = 0;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	write_log(path, &f);
	assert_int_equal(map_request_each(path, count, &seen, &f), 0);
	assert_int_equal(seen, 3);
	assert_int_equal(file_read(path, &text, &f), 0);
	*strstr(buf_cstr(&text), "\tann\t") = '\t';
	((char *)strstr(buf_cstr(&text), "\tann\t"))[1] = 'A';
	assert_int_equal(file_write(path, 0600, text.data, text.len, &f), 0);
	assert_int_equal(map_request_each(path, count, &seen, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	(void)unlink(path);
	assert_int_equal(map_request_each(path, count, &seen, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_last_is_the_default),
		cmocka_unit_test(many_names_are_each_found),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(a_log_is_read_and_a_changed_one_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
