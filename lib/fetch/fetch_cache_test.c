#include "fetch/fetch_cache.h"

#include "fetch/fetch_probe.h"

#include <fcntl.h>
#include <utime.h>

static void
put(const char *dir, const char *key, const char *body, const char *etag)
{
	struct fetch_meta meta = { .filetime = 7 };
	struct fetch_sink sink;
	struct wire_bytes bytes;
	struct fault f = { 0 };

	assert_int_equal(text_copy(meta.etag, sizeof(meta.etag), etag), 0);
	assert_int_equal(fetch_sink_open(&sink, dir, 1000, &f), 0);
	assert_int_equal(fetch_sink_put(&sink, body, strlen(body), &f), 0);
	assert_int_equal(fetch_sink_end(&sink, &bytes, meta.digest, &f), 0);
	assert_int_equal(fetch_entry_put(&sink, key, &meta, 1234, &f), 0);
	fetch_sink_close(&sink);
}

static void
what_was_put_is_there(void **state)
{
	char *dir = place_make();
	struct fetch_entry e;
	struct fault f;

	(void)state;
	put(dir, "k", "the body", "\"e\"");
	assert_int_equal(fetch_entry_open(&e, dir, "k", &f), 0);
	assert_int_equal(e.body.len, 8);
	assert_memory_equal(e.body.data, "the body", 8);
	assert_string_equal(e.meta.etag, "\"e\"");
	assert_int_equal(e.meta.filetime, 7);
	assert_int_equal(e.when, 1234);
	fetch_entry_close(&e);
	assert_int_equal(fetch_entry_confirm(dir, "k", 2345, &f), 0);
	assert_int_equal(fetch_entry_open(&e, dir, "k", &f), 0);
	assert_int_equal(e.when, 2345);
	fetch_entry_close(&e);
	fetch_entry_close(&e);
	assert_int_equal(fetch_entry_open(&e, dir, "other", &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	place_drop(dir);
}

/* Each cut and each flipped byte. */
static void
what_is_not_whole_is_not_there(void **state)
{
	static const char body[] = "some bytes of a body";
	struct fetch_meta meta = { .etag = "e", .verdict = "v" };
	uint8_t file[sizeof(body) + FETCH_TAIL_MAX];
	struct wire_bytes got;
	struct fault f;
	size_t len = sizeof(body);

	(void)state;
	memcpy(file, body, len);
	assert_int_equal(fetch_digest(body, meta.digest, &f), 0);
	/* fetch_digest takes texts: without the NUL. */
	len--;
	len += fetch_tail_write(&meta, len, file + len);
	assert_int_equal(fetch_tail_read((struct wire_bytes){ file, len },
			     &meta, &got, &f),
	    0);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(fetch_tail_read((struct wire_bytes){ file,
						     cut },
				     &meta, &got, &f),
		    -1);
	for (size_t i = 0; i < sizeof(body) - 1; i++) {
		file[i] ^= 1;
		assert_int_equal(fetch_tail_read((struct wire_bytes){ file,
						     len },
				     &meta, &got, &f),
		    -1);
		file[i] ^= 1;
	}
}

static void
keys_are_names_of_files_there(void **state)
{
	(void)state;
	assert_true(fetch_key_good("1a2b3c4d.r0"));
	assert_false(fetch_key_good(""));
	assert_false(fetch_key_good("../x"));
	assert_false(fetch_key_good(".part.x"));
	assert_false(fetch_key_good("a/b"));
}

static void
old_remains_are_cleared_away(void **state)
{
	char *dir = place_make();
	char part[256];
	struct utimbuf old = { 1000, 1000 };
	struct fault f;
	int fd;

	(void)state;
	(void)snprintf(part, sizeof(part), "%s/" FETCH_PART "abc", dir);
	fd = open(part, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(fetch_cache_open(dir, time(NULL), &f), 0);
	assert_int_equal(access(part, F_OK), 0);
	assert_int_equal(utime(part, &old), 0);
	assert_int_equal(fetch_cache_open(dir, time(NULL), &f), 0);
	assert_int_equal(access(part, F_OK), -1);
	place_drop(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_there),
		cmocka_unit_test(what_is_not_whole_is_not_there),
		cmocka_unit_test(keys_are_names_of_files_there),
		cmocka_unit_test(old_remains_are_cleared_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
