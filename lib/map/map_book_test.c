#include "map/map_book.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"
#include "map/map_book_line.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define T0 1795000000

struct place {
	char dir[64];
	char path[96];
};

static int
setup(void **state)
{
	static struct place p;

	if (text_copy(p.dir, sizeof(p.dir), "/tmp/map_book.XXXXXX") < 0 ||
	    mkdtemp(p.dir) == NULL ||
	    text_fmt(p.path, sizeof(p.path), "%s/history", p.dir) < 0)
		return -1;
	*state = &p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	(void)unlink(p->path);
	return rmdir(p->dir);
}

static struct map_book_entry
entry(int at, char sign, const char *name, const char *account)
{
	return (struct map_book_entry){ .when = T0 + at,
		.sign = sign,
		.service = "gridftp",
		.account = account,
		.rule = "cit",
		.source = "ligo",
		.entry = "employeeNumber=1",
		.name = name };
}

static void
add(struct map_book *b, struct map_book_entry e)
{
	struct fault f = { 0 };

	if (map_book_add(b, &e, &f) < 0)
		fail_msg("%s", f.text);
}

static void
write_three(const char *path)
{
	struct fault f = { 0 };
	struct map_book *b = map_book_open(path, &f);

	assert_non_null(b);
	add(b, entry(0, '+', "/O=G/CN=A", "a"));
	add(b, entry(10, '+', "/O=G/CN=B", "b"));
	add(b, entry(20, '-', "/O=G/CN=A", "a"));
	assert_int_equal(map_book_sync(b, &f), 0);
	map_book_close(b);
}

static int
collect(void *arg, const struct map_book_entry *e)
{
	struct buf *out = arg;

	buf_fmt(out, "%c%s=%s ", e->sign, e->name, e->account);
	return 0;
}

static const char *
listed(const char *path, const struct map_book_filter *filter, time_t at,
    struct buf *out)
{
	struct fault f = { 0 };
	int result;

	buf_clear(out);
	result = at == 0 ? map_book_each(path, filter, collect, out, &f)
			 : map_book_at(path, filter, at, collect, out, &f);
	if (result < 0)
		fail_msg("%s", f.text);
	return buf_cstr(out);
}

static void
what_was_added_is_listed_and_checked(void **state)
{
	const struct place *p = *state;
	struct map_book_filter all = { 0 }, b = { .name = "/o=g/cn=b" };
	struct map_book_sum sum;
	struct fault f = { 0 };
	struct stat st;
	OWN_BUF(out, 4096);

	write_three(p->path);
	assert_string_equal(listed(p->path, &all, 0, &out),
	    "+/O=G/CN=A=a +/O=G/CN=B=b -/O=G/CN=A=a ");
	assert_string_equal(listed(p->path, &b, 0, &out), "+/O=G/CN=B=b ");
	assert_int_equal(map_book_check(p->path, &sum, &f), 0);
	assert_int_equal(sum.entries, 3);
	assert_int_equal(sum.first, T0);
	assert_int_equal(sum.last, T0 + 20);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
it_is_known_who_could_when(void **state)
{
	const struct place *p = *state;
	struct map_book_filter all = { 0 };
	OWN_BUF(out, 4096);

	write_three(p->path);
	assert_string_equal(listed(p->path, &all, T0 + 5, &out),
	    "+/O=G/CN=A=a ");
	assert_string_equal(listed(p->path, &all, T0 + 15, &out),
	    "+/O=G/CN=A=a +/O=G/CN=B=b ");
	assert_string_equal(listed(p->path, &all, T0 + 25, &out),
	    "+/O=G/CN=B=b ");
	assert_null(listed(p->path, &all, T0 - 1, &out)[0] ? "x" : NULL);
}

static void
who_comes_back_is_there_again(void **state)
{
	const struct place *p = *state;
	struct map_book_filter a = { .account = "a" };
	struct fault f = { 0 };
	struct map_book *b;
	OWN_BUF(out, 4096);

	write_three(p->path);
	b = map_book_open(p->path, &f);
	assert_non_null(b);
	add(b, entry(30, '+', "/O=G/CN=a", "a"));
	assert_int_equal(map_book_sync(b, &f), 0);
	map_book_close(b);
	assert_string_equal(listed(p->path, &a, T0 + 40, &out),
	    "+/O=G/CN=a=a ");
}

/* Cut at every byte of the last line: the two before it stay, and more can be
 * added. */
static void
a_torn_line_is_cut_and_the_chain_goes_on(void **state)
{
	const struct place *p = *state;
	OWN_BUF(whole, 65536);
	struct fault f = { 0 };
	struct map_book_sum sum;
	const char *text;
	size_t two;

	write_three(p->path);
	assert_int_equal(file_read(p->path, &whole, &f), 0);
	text = buf_cstr(&whole);
	two = (size_t)(strchr(strchr(text, '\n') + 1, '\n') - text) + 1;
	for (size_t len = two + 1; len < whole.len; len++) {
		struct map_book *b;

		assert_int_equal(file_write(p->path, 0600, whole.data, len, &f),
		    0);
		assert_int_equal(map_book_check(p->path, &sum, &f), 0);
		assert_int_equal(sum.entries, 2);
		assert_int_equal(sum.torn, len - two);
		b = map_book_open(p->path, &f);
		assert_non_null(b);
		assert_int_equal(map_book_torn(b), len - two);
		add(b, entry(30, '+', "/O=G/CN=C", "c"));
		assert_int_equal(map_book_sync(b, &f), 0);
		map_book_close(b);
		assert_int_equal(map_book_check(p->path, &sum, &f), 0);
		assert_int_equal(sum.entries, 3);
		assert_int_equal(sum.torn, 0);
	}
}

/* Every byte of a history that is changed is noticed by the check. */
static void
no_byte_can_be_changed_unnoticed(void **state)
{
	const struct place *p = *state;
	OWN_BUF(whole, 65536);
	struct fault f = { 0 };
	struct map_book_sum sum;

	write_three(p->path);
	assert_int_equal(file_read(p->path, &whole, &f), 0);
	for (size_t i = 0; i + 1 < whole.len; i++) {
		whole.data[i] ^= 1;
		assert_int_equal(file_write(p->path, 0600, whole.data,
				     whole.len, &f),
		    0);
		assert_int_equal(map_book_check(p->path, &sum, &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
		whole.data[i] ^= 1;
	}
}

static void
a_line_that_is_gone_is_noticed(void **state)
{
	const struct place *p = *state;
	OWN_BUF(whole, 65536);
	struct fault f = { 0 };
	struct map_book_sum sum;
	const char *second;

	write_three(p->path);
	assert_int_equal(file_read(p->path, &whole, &f), 0);
	second = strchr(buf_cstr(&whole), '\n') + 1;
	assert_int_equal(file_write(p->path, 0600, second, strlen(second), &f),
	    0);
	assert_int_equal(map_book_check(p->path, &sum, &f), -1);
	assert_non_null(strstr(f.text, "line 1"));
}

static void
a_second_writer_is_refused(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };
	struct map_book *b = map_book_open(p->path, &f);

	assert_non_null(b);
	assert_null(map_book_open(p->path, &f));
	assert_int_equal(f.code, FAULT_BUSY);
	map_book_close(b);
}

static void
what_was_not_synced_is_not_there(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };
	struct map_book *b;
	struct map_book_sum sum;

	write_three(p->path);
	b = map_book_open(p->path, &f);
	assert_non_null(b);
	/* More than is kept in memory, so that some of it is written. */
	for (int i = 0; i < 8000; i++)
		add(b, entry(30 + i, '+', "/O=G/CN=D", "d"));
	map_book_close(b);
	assert_int_equal(map_book_check(p->path, &sum, &f), 0);
	assert_int_equal(sum.entries, 3);
}

static void
a_file_that_is_no_history_is_not_touched(void **state)
{
	const struct place *p = *state;
	static const char text[] = "something\nelse\n";
	struct fault f = { 0 };
	OWN_BUF(after, 256);

	assert_int_equal(file_write(p->path, 0600, text, strlen(text), &f), 0);
	assert_null(map_book_open(p->path, &f));
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(file_read(p->path, &after, &f), 0);
	assert_string_equal(buf_cstr(&after), text);
}

static void
odd_texts_come_back_as_they_were(void **state)
{
	struct map_book_entry e = entry(0, '-', "/CN=\\xC3 tab\there", "-");
	struct map_book_line line;
	struct fault f = { 0 };
	OWN_BUF(text, 4096);

	(void)state;
	e.reason = "a\nb\\c";
	e.rule = "";
	buf_text(&text, MAP_BOOK_NOTHING);
	map_book_line_write(&e, &text);
	assert_int_equal(map_book_line_read(&line, buf_cstr(&text), text.len,
			     &f),
	    0);
	assert_string_equal(line.entry.name, e.name);
	assert_string_equal(line.entry.account, "-");
	assert_string_equal(line.entry.rule, "");
	assert_string_equal(line.entry.reason, e.reason);
	map_book_line_free(&line);
}

static void
there_is_no_history(void **state)
{
	struct map_book_sum sum;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(map_book_check("/nowhere/history", &sum, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(what_was_added_is_listed_and_checked),
		IN_PLACE(it_is_known_who_could_when),
		IN_PLACE(who_comes_back_is_there_again),
		IN_PLACE(a_torn_line_is_cut_and_the_chain_goes_on),
		IN_PLACE(no_byte_can_be_changed_unnoticed),
		IN_PLACE(a_line_that_is_gone_is_noticed),
		IN_PLACE(a_second_writer_is_refused),
		IN_PLACE(what_was_not_synced_is_not_there),
		IN_PLACE(a_file_that_is_no_history_is_not_touched),
		cmocka_unit_test(odd_texts_come_back_as_they_were),
		cmocka_unit_test(there_is_no_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
