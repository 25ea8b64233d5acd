#include "base/secret.h"

#include "base/fault.h"
#include "base/unit.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct secret *
a_secret(const char *text)
{
	struct fault f = { 0 };
	struct secret *s = secret_copy(text, strlen(text), &f);

	assert_non_null(s);
	return s;
}

static void
a_secret_holds_a_copy_and_a_nul(void **state)
{
	OWN_STRUCT(secret) s = a_secret("pass word");

	(void)state;
	assert_int_equal(secret_len(s), 9);
	assert_int_equal(secret_size(s), 9);
	assert_string_equal(secret_text(s), "pass word");
}

static void
a_new_secret_is_empty_and_fills_to_its_size(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(secret) s = secret_new(4096, &f);

	(void)state;
	assert_non_null(s);
	assert_int_equal(secret_len(s), 0);
	assert_string_equal(secret_text(s), "");
	memset(secret_data(s), 'x', 4096);
	secret_set_len(s, 4096);
	assert_int_equal(strlen(secret_text(s)), 4096);
	secret_set_len(s, 2);
	assert_string_equal(secret_text(s), "xx");
	secret_set_len(s, 4097);
	assert_int_equal(secret_len(s), 4096);
}

static void
an_empty_secret_and_an_impossible_one(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(secret) s = secret_copy(NULL, 0, &f);

	(void)state;
	assert_non_null(s);
	assert_int_equal(secret_len(s), 0);
	assert_null(secret_new(SIZE_MAX, &f));
	assert_int_equal(f.code, FAULT_MEMORY);
	secret_free(NULL);
}

static void
only_the_same_bytes_are_equal(void **state)
{
	OWN_STRUCT(secret) a = a_secret("abc");
	OWN_STRUCT(secret) b = a_secret("abc");
	OWN_STRUCT(secret) c = a_secret("abd");
	OWN_STRUCT(secret) d = a_secret("abcd");
	OWN_STRUCT(secret) e = a_secret("");

	(void)state;
	assert_true(secret_equal(a, b));
	assert_false(secret_equal(a, c));
	assert_false(secret_equal(a, d));
	assert_false(secret_equal(a, e));
}

/* The line of /proc/self/smaps with the flags of the mapping at ${at}. */
static void
flags_of(const void *at, char *flags, size_t size)
{
	FILE *in = fopen("/proc/self/smaps", "re");
	unsigned long start, end;
	bool ours = false;
	char line[512];

	assert_non_null(in);
	*flags = '\0';
	while (fgets(line, sizeof(line), in) != NULL) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			ours = start <= (unsigned long)at &&
			    (unsigned long)at < end;
		if (ours && strncmp(line, "VmFlags:", 8) == 0)
			(void)snprintf(flags, size, "%s", line);
	}
	(void)fclose(in);
}

static bool
can_lock(void)
{
	char flags[512];
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int result;

	assert_true(page != MAP_FAILED);
	result = mlock(page, 4096);
	flags_of(page, flags, sizeof(flags));
	assert_int_equal(munmap(page, 4096), 0);
	return result == 0 && strstr(flags, " lo") != NULL;
}

static void
a_secret_is_left_out_of_core_dumps_and_children(void **state)
{
	OWN_STRUCT(secret) s = a_secret("abc");
	char flags[512];

	(void)state;
	flags_of(secret_data(s), flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd")); /* do not dump */
	assert_non_null(strstr(flags, " wf")); /* wipe on fork */
	/* Locked, where the limit and the sanitizer allow it to anyone. */
	assert_int_equal(strstr(flags, " lo") != NULL, can_lock());
}

static void
a_child_sees_zeroes(void **state)
{
	OWN_STRUCT(secret) s = a_secret("abc");
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(secret_text(s)[0] == '\0' ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(secret_text(s), "abc");
}

static void
wiped_is_wiped(void **state)
{
	char text[] = "secret";

	(void)state;
	secret_wipe(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal(text[i], 0);
}

/* A debugger's way in; on a kernel without memfd_secret it is open. */
static void
what_is_hidden_is_not_read_from_outside(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(secret) s = secret_new_hidden(100, &f);
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	int has = (int)syscall(SYS_memfd_secret, 0u);
	char seen[8];
	ssize_t got;

	(void)state;
	assert_non_null(s);
	assert_true(fd >= 0);
	memcpy(secret_data(s), "123456", 6);
	secret_set_len(s, 6);
	assert_string_equal(secret_text(s), "123456");
	got = pread(fd, seen, 6, (off_t)(uintptr_t)secret_data(s));
	assert_int_equal(got, has >= 0 ? -1 : 6);
	if (has >= 0)
		(void)close(has);
	(void)close(fd);
	assert_null(secret_new_hidden(SIZE_MAX, &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_holds_a_copy_and_a_nul),
		cmocka_unit_test(a_new_secret_is_empty_and_fills_to_its_size),
		cmocka_unit_test(an_empty_secret_and_an_impossible_one),
		cmocka_unit_test(only_the_same_bytes_are_equal),
		cmocka_unit_test(
		    a_secret_is_left_out_of_core_dumps_and_children),
		cmocka_unit_test(a_child_sees_zeroes),
		cmocka_unit_test(wiped_is_wiped),
		cmocka_unit_test(what_is_hidden_is_not_read_from_outside),
	};

	return cmocka_run_group_tests_name("base/secret", tests, NULL, NULL);
}
