#include "signetd/parent/log_file.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "base/unit.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	char dir[64];
	char file[96];
	int before; /* what standard error was */
};

static int
open_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	*state = p;
	assert_int_equal(text_copy(p->dir, sizeof(p->dir),
			     "/tmp/signet-log.XXXXXX"),
	    0);
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(text_fmt(p->file, sizeof(p->file), "%s/log", p->dir),
	    0);
	assert_true((p->before = dup(STDERR_FILENO)) >= 0);
	return 0;
}

static int
close_place(void **state)
{
	struct place *p = *state;

	(void)dup2(p->before, STDERR_FILENO);
	(void)close(p->before);
	(void)unlink(p->file);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

/* How often ${what} is in the file ${path}. */
static int
lines_with(const char *path, const char *what)
{
	char line[4096];
	int count = 0;
	FILE *in = fopen(path, "re");

	assert_non_null(in);
	while (fgets(line, sizeof(line), in) != NULL)
		count += strstr(line, what) != NULL;
	(void)fclose(in);
	return count;
}

static void
lines_are_appended_and_a_rotated_file_is_left(void **state)
{
	struct place *p = *state;
	struct fault f = { 0 };
	char old[128];
	struct stat st;

	assert_int_equal(text_fmt(old, sizeof(old), "%s.1", p->file), 0);
	assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	assert_int_equal(log_file_open(p->file, &f), 0);
	log_open("signetd", 6);
	LOG(STARTED, LOG_TEXT("version", "first"));
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
	assert_int_equal(rename(p->file, old), 0);
	LOG(STARTED, LOG_TEXT("version", "second"));
	assert_int_equal(log_file_open(p->file, &f), 0);
	LOG(STARTED, LOG_TEXT("version", "third"));
	assert_int_equal(log_file_open(p->file, &f), 0);
	LOG(STARTED, LOG_TEXT("version", "fourth"));
	assert_int_equal(lines_with(old, "version="), 2);
	assert_int_equal(lines_with(p->file, "version=third"), 1);
	assert_int_equal(lines_with(p->file, "version=fourth"), 1);
	/* No priority of a journal's before them. */
	assert_int_equal(lines_with(p->file, "<"), 0);
	(void)unlink(old);
}

static void
what_is_no_file_is_refused(void **state)
{
	struct place *p = *state;
	struct fault f = { 0 };
	struct stat before, after;

	assert_int_equal(fstat(STDERR_FILENO, &before), 0);
	assert_int_equal(symlink("/dev/null", p->file), 0);
	assert_int_equal(log_file_open(p->file, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(unlink(p->file), 0);
	assert_int_equal(mkfifo(p->file, 0600), 0);
	assert_int_equal(log_file_open(p->file, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(log_file_open("/nonexistent/log", &f), -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
	assert_int_equal(log_file_open("", &f), 0);
	assert_int_equal(fstat(STDERR_FILENO, &after), 0);
	assert_true(before.st_ino == after.st_ino &&
	    before.st_dev == after.st_dev);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    lines_are_appended_and_a_rotated_file_is_left, open_place,
		    close_place),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_refused,
		    open_place, close_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
