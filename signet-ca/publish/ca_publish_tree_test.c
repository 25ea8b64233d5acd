/* The directory in memory, and its archive. */
#include "ca_publish_tree.h"

#include "base/fault.h"
#include "base/unit.h"
#include "ca_publish_tar.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct publish_file *
add(struct publish_tree *t, const char *name, const char *text)
{
	struct buf data = BUF(1000);
	struct fault f = { 0 };

	buf_text(&data, text);
	return publish_tree_add(t, name, &data, &f);
}

static int
set_up(void **state)
{
	struct publish_tree *t = calloc(1, sizeof(*t));
	struct fault f = { 0 };

	if (t == NULL || publish_tree_new(t, &f) < 0)
		return -1;
	add(t, "b.pem", "B")->anchor = true;
	assert_non_null(add(t, "a", "A"));
	publish_tree_link(t, "c.0", "b.pem", &f)->anchor = true;
	*state = t;
	return 0;
}

static int
tear_down(void **state)
{
	struct publish_tree *t = *state;

	publish_tree_clear(t);
	free(t);
	return 0;
}

static void
names_are_sorted_and_unique(void **state)
{
	struct publish_tree *t = *state;
	struct buf none = BUF(10);
	struct fault f = { 0 };

	assert_int_equal(t->count, 3);
	assert_string_equal(t->file[0].name, "a");
	assert_string_equal(t->file[2].name, "c.0");
	assert_null(publish_tree_find(t, "d"));
	assert_null(publish_tree_add(t, "a", &none, &f));
	assert_null(publish_tree_add(t, "../x", &none, &f));
	assert_null(publish_tree_add(t, ".x", &none, &f));
	assert_null(publish_tree_add(t, "-x", &none, &f));
	assert_null(publish_tree_add(t, "", &none, &f));
	assert_int_equal(t->count, 3);
}

static void
sums_are_those_of_sha256sum(void **state)
{
	static const char wanted[] =
	    "559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd"
	    "  a\n"
	    "df7e70e5021544f4834bbee64a9e3789febc4be81470df629cad6ddb03320a5c"
	    "  b.pem\n";
	OWN_BUF(all, 1000);
	OWN_BUF(anchors, 1000);

	publish_tree_sums(*state, false, &all);
	assert_string_equal(buf_cstr(&all), wanted);
	publish_tree_sums(*state, true, &anchors);
	assert_non_null(strstr(buf_cstr(&anchors), "  b.pem\nc.0 -> b.pem\n"));
	assert_null(strstr(buf_cstr(&anchors), "  a\n"));
}

static void
the_archive_has_anchors_only_and_fits_blocks(void **state)
{
	OWN_BUF(tar, 65536);
	OWN_BUF(packed, 65536);
	struct fault f = { 0 };

	assert_int_equal(publish_tar(*state, "top-1", 1000, &tar, &f), 0);
	/* Directory, file with a block, link, two blocks of zeroes. */
	assert_int_equal(tar.len, 6 * 512);
	assert_string_equal((char *)tar.data, "top-1/");
	assert_string_equal((char *)tar.data + 512, "top-1/b.pem");
	assert_string_equal((char *)tar.data + 512 + 136, "00000001750");
	assert_memory_equal(tar.data + 512 + 257,
	    "ustar\0"
	    "00",
	    8);
	assert_int_equal(tar.data[1024], 'B');
	assert_string_equal((char *)tar.data + 1536 + 157, "b.pem");
	assert_int_equal(publish_gzip(&tar, &packed, &f), 0);
	/* No flags, no time, no name: RFC 1952 2.3. */
	assert_memory_equal(packed.data, "\x1f\x8b\x08\0\0\0\0\0", 8);
}

/* A directory of ours is read as it was written; a stranger's file is not. */
static void
what_is_written_is_read_and_the_rest_refused(void **state)
{
	struct publish_tree *t = *state, old = { 0 }, none = { 0 };
	char dir[] = "/tmp/publish_tree_test.XXXXXX", path[64];
	struct fault f = { 0 };
	OWN_BUF(sums, 1000);
	struct stat st;

	assert_non_null(mkdtemp(dir));
	publish_tree_sums(t, false, &sums);
	assert_non_null(publish_tree_add(t, "SHA256SUMS", &sums, &f));
	assert_int_equal(publish_tree_write(t, dir, &none, "", &f), 0);
	assert_int_equal(publish_tree_new(&old, &f), 0);
	assert_int_equal(publish_tree_read(&old, dir, &f), 0);
	assert_int_equal(old.count, t->count);
	for (size_t i = 0; i < t->count; i++)
		assert_true(publish_file_same(&old.file[i], &t->file[i]));
	publish_tree_clear(&old);
	assert_true(snprintf(path, sizeof(path), "%s/mine", dir) > 0);
	assert_int_equal(publish_put(path, 0600, "x", 1, 1000, &f), 0);
	assert_true(stat(path, &st) == 0 && st.st_mtime == 1000);
	assert_int_equal(publish_tree_new(&old, &f), 0);
	assert_int_equal(publish_tree_read(&old, dir, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	publish_tree_clear(&old);
	assert_int_equal(publish_remove(dir, &f), 0);
	assert_int_equal(access(dir, F_OK), -1);
	assert_int_equal(publish_remove(dir, &f), 0);
}

static void
removing_follows_no_link(void **state)
{
	char dir[] = "/tmp/publish_tree_test.XXXXXX";
	char other[] = "/tmp/publish_tree_test.XXXXXX", path[64];
	struct fault f = { 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_non_null(mkdtemp(other));
	assert_true(snprintf(path, sizeof(path), "%s/link", dir) > 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(publish_remove(dir, &f), 0);
	assert_int_equal(access(other, F_OK), 0);
	assert_int_equal(rmdir(other), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_are_sorted_and_unique,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(sums_are_those_of_sha256sum,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_archive_has_anchors_only_and_fits_blocks, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    what_is_written_is_read_and_the_rest_refused, set_up,
		    tear_down),
		cmocka_unit_test(removing_follows_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
