#include "sys/sealed.h"

#include "base/fault.h"
#include "base/unit.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct wire_bytes text = { (const uint8_t *)"so it is", 8 };

static int
written(void)
{
	struct fault f = { 0 };
	int fd = sealed_new(&f);

	assert_true(fd >= 0);
	assert_int_equal(sealed_put(fd, text, &f), 0);
	assert_int_equal(sealed_put(fd, text, &f), 0);
	return fd;
}

static void
what_was_written_is_read(void **state)
{
	struct fault f = { 0 };
	struct sealed s = { { NULL, 0 } };
	int fd = written();

	(void)state;
	assert_int_equal(sealed_close(fd, &f), 0);
	assert_int_equal(sealed_map(&s, fd, 16, &f), 0);
	(void)close(fd);
	assert_int_equal(s.bytes.len, 16);
	assert_memory_equal(s.bytes.data, "so it isso it is", 16);
	sealed_unmap(&s);
	assert_null(s.bytes.data);
	sealed_unmap(&s);
}

static void
after_the_seals_nothing_changes(void **state)
{
	struct fault f = { 0 };
	int fd = written();

	(void)state;
	assert_int_equal(sealed_close(fd, &f), 0);
	assert_int_equal(sealed_put(fd, text, &f), -1);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 3), -1);
	assert_int_equal(ftruncate(fd, 300), -1);
	assert_true(mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	    MAP_FAILED);
	(void)close(fd);
}

/* Each seal is asked for: any of them left out, and it is refused. */
static void
what_could_still_change_is_not_read(void **state)
{
	static const int seals[] = { F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW,
		F_SEAL_WRITE };
	struct fault f = { 0 };
	struct sealed s = { { NULL, 0 } };

	(void)state;
	for (unsigned set = 0; set < 15; set++) {
		int fd = written(), add = 0;

		for (unsigned i = 0; i < 4; i++)
			add |= (set >> i & 1) != 0 ? seals[i] : 0;
		assert_int_equal(fcntl(fd, F_ADD_SEALS, add), 0);
		assert_int_equal(sealed_map(&s, fd, 16, &f), -1);
		assert_int_equal(f.code, FAULT_DENIED);
		(void)close(fd);
	}
}

static void
files_and_pipes_are_not_read(void **state)
{
	struct fault f = { 0 };
	struct sealed s = { { NULL, 0 } };
	int ends[2], fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(sealed_map(&s, fd, 1u << 30, &f), -1);
	assert_int_equal(sealed_map(&s, ends[0], 1u << 30, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(sealed_map(&s, -1, 1u << 30, &f), -1);
	(void)close(fd);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
too_much_is_refused_and_nothing_is_nothing(void **state)
{
	struct fault f = { 0 };
	struct sealed s = { { NULL, 0 } };
	int fd = written(), empty = sealed_new(&f);

	(void)state;
	assert_true(empty >= 0);
	assert_int_equal(sealed_close(fd, &f), 0);
	assert_int_equal(sealed_close(empty, &f), 0);
	assert_int_equal(sealed_map(&s, fd, 15, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(sealed_map(&s, empty, 15, &f), 0);
	assert_int_equal(s.bytes.len, 0);
	sealed_unmap(&s);
	(void)close(fd);
	(void)close(empty);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(after_the_seals_nothing_changes),
		cmocka_unit_test(what_could_still_change_is_not_read),
		cmocka_unit_test(files_and_pipes_are_not_read),
		cmocka_unit_test(too_much_is_refused_and_nothing_is_nothing),
	};

	return cmocka_run_group_tests_name("sys/sealed", tests, NULL, NULL);
}
