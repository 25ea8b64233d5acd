#include "base/file_part.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"

#include <sys/stat.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	char dir[32];
	char path[64];
	char old[64];
};

static void
enter(struct place *p)
{
	memcpy(p->dir, "/tmp/file_part.XXXXXX", 22);
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(text_fmt(p->path, sizeof(p->path), "%s/a", p->dir), 0);
	assert_int_equal(text_fmt(p->old, sizeof(p->old), "%s/a.old", p->dir),
	    0);
}

/* How many files are there; all go. */
static unsigned
leave(const struct place *p)
{
	DIR *dir = opendir(p->dir);
	struct dirent *file;
	unsigned count = 0;

	assert_non_null(dir);
	while ((file = readdir(dir)) != NULL)
		if (unlinkat(dirfd(dir), file->d_name, 0) == 0)
			count++;
	(void)closedir(dir);
	(void)rmdir(p->dir);
	return count;
}

static void
check_says(const char *path, const char *says)
{
	struct fault f = { 0 };
	OWN_BUF(b, 256);

	assert_int_equal(file_read(path, &b, &f), 0);
	assert_string_equal(buf_cstr(&b), says);
}

static struct wire_bytes
piece(const char *text)
{
	return (struct wire_bytes){ (const uint8_t *)text, strlen(text) };
}

static int
write_two(const struct place *p, const char *text, bool replace,
    const char *keep, struct fault *f)
{
	struct file_part part;

	assert_int_equal(file_part_open(&part, p->path, 0644, f), 0);
	assert_int_equal(file_part_put(&part, piece(text), f), 0);
	assert_int_equal(file_part_put(&part, piece("!"), f), 0);
	return file_part_end(&part, replace, keep, f);
}

static void
pieces_become_a_file_and_the_old_one_is_kept(void **state)
{
	struct fault f = { 0 };
	struct place p;
	struct stat st;

	(void)state;
	enter(&p);
	assert_int_equal(write_two(&p, "one", true, p.old, &f), 0);
	check_says(p.path, "one!");
	assert_int_equal(access(p.old, F_OK), -1);
	assert_int_equal(write_two(&p, "two", true, p.old, &f), 0);
	assert_int_equal(write_two(&p, "three", true, p.old, &f), 0);
	check_says(p.path, "three!");
	check_says(p.old, "two!");
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(leave(&p), 2);
}

static void
what_is_there_stays_unless_it_is_to_be_replaced(void **state)
{
	struct fault f = { 0 };
	struct place p;

	(void)state;
	enter(&p);
	assert_int_equal(write_two(&p, "one", false, NULL, &f), 0);
	assert_int_equal(write_two(&p, "two", false, NULL, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	check_says(p.path, "one!");
	assert_int_equal(leave(&p), 1);
}

static void
what_is_given_up_leaves_nothing(void **state)
{
	struct fault f = { 0 };
	struct file_part part;
	struct place p;

	(void)state;
	enter(&p);
	assert_int_equal(file_part_open(&part, p.path, 0600, &f), 0);
	assert_int_equal(file_part_put(&part, piece("x"), &f), 0);
	file_part_drop(&part);
	file_part_drop(&part);
	assert_int_equal(leave(&p), 0);
	assert_int_equal(file_part_open(&part, "/nowhere/at/all", 0600, &f),
	    -1);
	file_part_drop(&part);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_become_a_file_and_the_old_one_is_kept),
		cmocka_unit_test(
		    what_is_there_stays_unless_it_is_to_be_replaced),
		cmocka_unit_test(what_is_given_up_leaves_nothing),
	};

	return cmocka_run_group_tests_name("base/file_part", tests, NULL, NULL);
}
