#include "out_sink.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	char dir[64];
	char path[96];
};

static int
make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "/tmp/out_sink.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/map", p->dir);
	*state = p;
	return 0;
}

static int
clear_place(void **state)
{
	struct place *p = *state;

	(void)unlink(p->path);
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

static void
have(const struct place *p, const char *text)
{
	struct fault f = { 0 };

	assert_int_equal(file_write(p->path, 0644, text, strlen(text), &f), 0);
}

/* Put ${text} by pieces; whether the file was written. */
static bool
put(const struct place *p, const char *text)
{
	struct fault f = { 0 };
	struct out_sink s;
	int differs;

	assert_int_equal(out_sink_open(&s, p->path, 0640, &f), 0);
	for (; *text != '\0'; text++) {
		buf_put_u8(out_sink_text(&s), (uint8_t)*text);
		assert_int_equal(out_sink_flow(&s, &f), 0);
	}
	differs = out_sink_whole(&s, &f);
	assert_true(differs >= 0);
	assert_int_equal(out_sink_end(&s, &f), 0);
	out_sink_drop(&s);
	return differs == 1;
}

static void
holds(const struct place *p, const char *text)
{
	OWN_BUF(b, 1u << 20);
	struct fault f = { 0 };

	assert_int_equal(file_read(p->path, &b, &f), 0);
	assert_string_equal(buf_cstr(&b), text);
}

static void
only_another_text_is_written(void **state)
{
	static const char *const others[] = { "", "one", "one\ntwo\n", "two\n",
		"one\nto\n", "one\ntwo\nthree" };
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct stat before, after;

		have(p, others[i]);
		assert_int_equal(stat(p->path, &before), 0);
		assert_int_equal(put(p, "one\ntwo\n"),
		    strcmp(others[i], "one\ntwo\n") != 0);
		assert_int_equal(stat(p->path, &after), 0);
		assert_int_equal(before.st_ino == after.st_ino,
		    strcmp(others[i], "one\ntwo\n") == 0);
		holds(p, "one\ntwo\n");
	}
}

static void
where_nothing_is_an_empty_text_is_made_too(void **state)
{
	const struct place *p = *state;

	assert_true(put(p, ""));
	holds(p, "");
	assert_false(put(p, ""));
}

static void
a_link_is_replaced_not_followed(void **state)
{
	const struct place *p = *state;
	char other[128];
	struct stat s;

	snprintf(other, sizeof(other), "%s/other", p->dir);
	assert_int_equal(symlink(other, p->path), 0);
	assert_true(put(p, "text\n"));
	assert_int_equal(lstat(p->path, &s), 0);
	assert_true(S_ISREG(s.st_mode));
	assert_int_equal(access(other, F_OK), -1);
}

static void
what_is_given_up_leaves_nothing(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };
	struct out_sink s;

	have(p, "old\n");
	assert_int_equal(out_sink_open(&s, p->path, 0644, &f), 0);
	buf_text(out_sink_text(&s), "new\n");
	assert_int_equal(out_sink_whole(&s, &f), 1);
	out_sink_drop(&s);
	holds(p, "old\n");
	/* clear_place sees that no other file is there. */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_another_text_is_written,
		    make_place, clear_place),
		cmocka_unit_test_setup_teardown(
		    where_nothing_is_an_empty_text_is_made_too, make_place,
		    clear_place),
		cmocka_unit_test_setup_teardown(a_link_is_replaced_not_followed,
		    make_place, clear_place),
		cmocka_unit_test_setup_teardown(what_is_given_up_leaves_nothing,
		    make_place, clear_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
