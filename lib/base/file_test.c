#include "base/file.h"

#include "base/fault.h"
#include "base/unit.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scene {
	char dir[64];
	char path[96];
	char other[96];
};

static int
set_scene(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -1;
	memcpy(s->dir, "/tmp/file_test.XXXXXX", 22);
	if (mkdtemp(s->dir) == NULL)
		return -1;
	(void)snprintf(s->path, sizeof(s->path), "%s/file", s->dir);
	(void)snprintf(s->other, sizeof(s->other), "%s/other", s->dir);
	*state = s;
	return 0;
}

static int
clear_scene(void **state)
{
	struct scene *s = *state;

	(void)unlink(s->path);
	(void)unlink(s->other);
	if (rmdir(s->dir) < 0)
		return -1;
	free(s);
	return 0;
}

/* How many files there are: no temporary one is left behind. */
static int
count_files(const struct scene *s)
{
	DIR *dir = opendir(s->dir);
	const struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			count++;
	assert_int_equal(closedir(dir), 0);
	return count;
}

static void
holds(const char *path, const char *text)
{
	struct fault f = { 0 };
	OWN_BUF(b, 100);

	assert_int_equal(file_read(path, &b, &f), 0);
	assert_string_equal(buf_cstr(&b), text);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}

static void
what_is_written_is_read(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };

	assert_int_equal(file_write(s->path, 0640, "hello", 5, &f), 0);
	holds(s->path, "hello");
	assert_int_equal(mode_of(s->path), S_IFREG | 0640);
	assert_int_equal(file_write(s->path, 0600, "", 0, &f), 0);
	holds(s->path, "");
	assert_int_equal(mode_of(s->path), S_IFREG | 0600);
	assert_int_equal(count_files(s), 1);
}

static void
the_mode_does_not_hang_on_the_umask(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };
	mode_t before = umask(0777);

	assert_int_equal(file_write(s->path, 0644, "x", 1, &f), 0);
	(void)umask(before);
	assert_int_equal(mode_of(s->path), S_IFREG | 0644);
}

/* A reader who has the old file open goes on reading the old contents. */
static void
a_reader_sees_the_old_or_the_new(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };
	char text[8] = "";
	int fd;

	assert_int_equal(file_write(s->path, 0600, "old", 3, &f), 0);
	fd = open(s->path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(file_write(s->path, 0600, "newer", 5, &f), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_string_equal(text, "old");
	assert_int_equal(close(fd), 0);
	holds(s->path, "newer");
}

static void
a_link_is_replaced_and_not_followed(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };

	assert_int_equal(file_write(s->other, 0600, "precious", 8, &f), 0);
	assert_int_equal(symlink(s->other, s->path), 0);
	assert_int_equal(file_write(s->path, 0600, "new", 3, &f), 0);
	assert_true(S_ISREG(mode_of(s->path)));
	holds(s->path, "new");
	holds(s->other, "precious");
}

static void
nothing_is_overwritten_by_a_new_file(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };

	assert_int_equal(file_write_new(s->path, 0600, "one", 3, &f), 0);
	assert_int_equal(file_write_new(s->path, 0600, "two", 3, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	holds(s->path, "one");
	assert_int_equal(count_files(s), 1);
	/* Not even a link to nowhere. */
	assert_int_equal(unlink(s->path), 0);
	assert_int_equal(symlink("/nowhere/at/all", s->path), 0);
	assert_int_equal(file_write_new(s->path, 0600, "two", 3, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(count_files(s), 1);
}

static void
where_nothing_can_be_written_is_a_fault(void **state)
{
	struct fault f = { 0 };
	char longest[5000];

	(void)state;
	assert_int_equal(file_write("/no/such/dir/file", 0600, "x", 1, &f), -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(file_write(longest, 0600, "x", 1, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
}

static void
a_missing_file_is_told_from_a_bad_one(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };
	OWN_BUF(b, 100);

	assert_int_equal(file_read(s->path, &b, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_non_null(strstr(f.text, s->path));
	assert_int_equal(file_read(s->dir, &b, &f), -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
}

static void
a_file_larger_than_the_bound_is_refused(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };
	OWN_BUF(enough, 5);
	OWN_BUF(small, 4);

	assert_int_equal(file_write(s->path, 0600, "12345", 5, &f), 0);
	assert_int_equal(file_read(s->path, &enough, &f), 0);
	assert_int_equal(enough.len, 5);
	assert_int_equal(file_read(s->path, &small, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
}

static void
a_big_file_is_read_whole(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };
	size_t size = 100000;
	uint8_t *data = malloc(size);
	OWN_BUF(b, 200000);

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 13 + i / 256);
	assert_int_equal(file_write(s->path, 0600, data, size, &f), 0);
	assert_int_equal(file_read(s->path, &b, &f), 0);
	assert_int_equal(b.len, size);
	assert_memory_equal(b.data, data, size);
	free(data);
}

static void
a_private_file_that_others_can_read_is_refused(void **state)
{
	static const mode_t bad[] = { 0640, 0604, 0620, 0602, 0610, 0601,
		0644 };
	const struct scene *s = *state;
	struct fault f = { 0 };
	OWN_BUF(b, 100);

	assert_int_equal(file_write(s->path, 0600, "key", 3, &f), 0);
	assert_int_equal(file_read_private(s->path, &b, &f), 0);
	assert_int_equal(b.len, 3);
	assert_int_equal(chmod(s->path, 0400), 0);
	assert_int_equal(file_read_private(s->path, &b, &f), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&b);
		assert_int_equal(chmod(s->path, bad[i]), 0);
		assert_int_equal(file_read_private(s->path, &b, &f), -1);
		assert_int_equal(f.code, FAULT_DENIED);
		assert_non_null(strstr(f.text, "chmod 600"));
		assert_int_equal(b.len, 0);
	}
}

static void
what_is_no_file_of_ours_is_not_private(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };
	OWN_BUF(b, 100);

	assert_int_equal(mkfifo(s->path, 0600), 0);
	assert_int_equal(file_read_private(s->path, &b, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_non_null(strstr(f.text, "not a regular file"));
	/* Only root can give a file away, so only root can try that. */
	assert_int_equal(file_write(s->other, 0600, "x", 1, &f), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(s->other, 65534, 65534), 0);
		assert_int_equal(file_read_private(s->other, &b, &f), -1);
		assert_non_null(strstr(f.text, "belongs to another user"));
	}
}

static void
directories_are_made_with_their_parents(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/other/b//c/", s->dir);
	assert_int_equal(file_mkdir(path, 0700, &f), 0);
	assert_int_equal(mode_of(s->other), S_IFDIR | 0700);
	assert_true(S_ISDIR(mode_of(path)));
	assert_int_equal(file_mkdir(path, 0755, &f), 0);
	assert_int_equal(file_mkdir("/", 0755, &f), 0);
	assert_int_equal(file_mkdir("", 0755, &f), -1);
	assert_int_equal(rmdir(path), 0);
	(void)snprintf(path, sizeof(path), "%s/other/b", s->dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(s->other), 0);
}

static void
a_file_is_no_directory(void **state)
{
	const struct scene *s = *state;
	struct fault f = { 0 };
	char path[128];

	assert_int_equal(file_write(s->path, 0600, "x", 1, &f), 0);
	assert_int_equal(file_mkdir(s->path, 0700, &f), -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
	(void)snprintf(path, sizeof(path), "%s/sub", s->path);
	assert_int_equal(file_mkdir(path, 0700, &f), -1);
}

static void
a_full_device_is_a_fault(void **state)
{
	struct fault f = { 0 };
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, "x", 1, &f), -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
	assert_int_equal(close(fd), 0);
}

static void
a_pipe_whose_reader_has_gone_is_unread(void **state)
{
	int pair[2];
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(pipe(pair), 0);
	assert_false(file_is_unread(pair[1]));
	assert_int_equal(close(pair[0]), 0);
	assert_true(file_is_unread(pair[1]));
	assert_int_equal(close(pair[1]), 0);
	assert_false(file_is_unread(pair[1]));
	assert_true(full >= 0);
	assert_false(file_is_unread(full));
	assert_int_equal(close(full), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_scene, clear_scene)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read),
		TEST(the_mode_does_not_hang_on_the_umask),
		TEST(a_reader_sees_the_old_or_the_new),
		TEST(a_link_is_replaced_and_not_followed),
		TEST(nothing_is_overwritten_by_a_new_file),
		TEST(where_nothing_can_be_written_is_a_fault),
		TEST(a_missing_file_is_told_from_a_bad_one),
		TEST(a_file_larger_than_the_bound_is_refused),
		TEST(a_big_file_is_read_whole),
		TEST(a_private_file_that_others_can_read_is_refused),
		TEST(what_is_no_file_of_ours_is_not_private),
		TEST(directories_are_made_with_their_parents),
		TEST(a_file_is_no_directory),
		TEST(a_full_device_is_a_fault),
		TEST(a_pipe_whose_reader_has_gone_is_unread),
	};

	return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
