#include "office/seal.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/unit.h"
#include "office/bundle.h"
#include "office/seal_part.h"

#include <sys/mman.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 32
#define SEALED (CHUNK + SEAL_TAG_SIZE)

static const uint8_t header[SEAL_HEADER_SIZE] = SEAL_MAGIC "a salt";

static struct secret *
key(void)
{
	static const uint8_t octets[SEAL_KEY_SIZE] = "a key of 32 octets";
	struct fault f;
	struct secret *made = secret_copy(octets, sizeof(octets), &f);

	assert_non_null(made);
	return made;
}

static int
memory(const void *data, size_t len)
{
	struct fault f;
	int fd = memfd_create("seal", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, data, len, &f), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Seal ${len} octets in small chunks, and append the file to ${to}. */
static void
seal(const uint8_t *data, size_t len, struct buf *to)
{
	struct fault f;
	int fd = memfd_create("seal", MFD_CLOEXEC);
	struct seal_out *out = seal_out_begin(fd, header, key(), CHUNK, &f);

	assert_non_null(out);
	assert_int_equal(seal_put(out, data, len / 3, &f), 0);
	assert_int_equal(seal_put(out, data + len / 3, len - len / 3, &f), 0);
	assert_int_equal(seal_out_end(out, &f), 0);
	seal_out_free(out);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(file_read_fd(fd, "seal", to, &f), 0);
	(void)close(fd);
}

/* Read all of a file that seal() made and someone had in hands: 0, or -1. */
static int
unseal(const struct buf *file, struct buf *to, struct fault *f)
{
	int fd =
	    memory(file->data + SEAL_HEADER_SIZE, file->len - SEAL_HEADER_SIZE);
	struct seal_in *in = seal_in_begin(fd, file->data, key(), CHUNK, f);
	uint8_t some[7];
	size_t len = 1;
	int result = 0;

	assert_non_null(in);
	while (result == 0 && len > 0)
		if ((result = seal_get(in, some, sizeof(some), &len, f)) == 0)
			buf_put(to, some, len);
	/* Who reads on gets nothing. */
	if (result < 0)
		assert_int_equal(seal_get(in, some, sizeof(some), &len, f), -1);
	seal_in_free(in);
	(void)close(fd);
	return result;
}

static void
what_was_sealed_comes_back_whatever_its_length(void **state)
{
	uint8_t data[4 * CHUNK];

	(void)state;
	rand_bytes(data, sizeof(data));
	for (size_t len = 0; len <= sizeof(data); len++) {
		OWN_BUF(file, 4096);
		OWN_BUF(back, 4096);
		struct fault f = { 0 };
		size_t chunks = len == 0 ? 1 : (len + CHUNK - 1) / CHUNK;

		seal(data, len, &file);
		assert_int_equal(file.len,
		    SEAL_HEADER_SIZE + len + chunks * SEAL_TAG_SIZE);
		assert_int_equal(unseal(&file, &back, &f), 0);
		assert_int_equal(back.len, len);
		assert_true(len == 0 || memcmp(back.data, data, len) == 0);
	}
}

static void
a_file_cut_anywhere_is_found_out(void **state)
{
	uint8_t data[3 * CHUNK] = { 7 };
	OWN_BUF(file, 4096);

	(void)state;
	seal(data, sizeof(data), &file);
	for (size_t len = SEAL_HEADER_SIZE; len < file.len; len++) {
		struct buf cut = file;
		OWN_BUF(back, 4096);
		struct fault f = { 0 };

		cut.len = len;
		assert_int_equal(unseal(&cut, &back, &f), -1);
		assert_true(f.code == FAULT_INPUT || f.code == FAULT_LOGIN);
		/* Only whole chunks before the cut were handed out. */
		assert_int_equal(back.len % CHUNK, 0);
		assert_true(back.len < sizeof(data));
	}
}

static void
each_octet_counts(void **state)
{
	uint8_t data[2 * CHUNK + 5] = { 7 };
	OWN_BUF(file, 4096);

	(void)state;
	seal(data, sizeof(data), &file);
	for (size_t i = 0; i < file.len; i++) {
		OWN_BUF(back, 4096);
		struct fault f = { 0 };

		file.data[i] ^= 1;
		assert_int_equal(unseal(&file, &back, &f), -1);
		file.data[i] ^= 1;
	}
}

static void
chunks_stay_where_they_are(void **state)
{
	uint8_t data[4 * CHUNK], third[SEALED];
	OWN_BUF(file, 4096);
	OWN_BUF(other, 4096);
	OWN_BUF(back, 4096);
	struct fault f = { 0 };
	uint8_t *at;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i / CHUNK);
	seal(data, sizeof(data), &file);
	at = file.data + SEAL_HEADER_SIZE;
	/* Two in each other's place; the first in the second's as well. */
	memcpy(third, at + 2 * SEALED, SEALED);
	memcpy(at + 2 * SEALED, at + SEALED, SEALED);
	assert_int_equal(unseal(&file, &back, &f), -1);
	memcpy(at + SEALED, third, SEALED);
	assert_int_equal(unseal(&file, &back, &f), -1);
	/* One left out; one more after the end. */
	seal(data, sizeof(data), &other);
	memmove(other.data + SEAL_HEADER_SIZE,
	    other.data + SEAL_HEADER_SIZE + SEALED, 3 * SEALED);
	other.len -= SEALED;
	assert_int_equal(unseal(&other, &back, &f), -1);
	buf_clear(&other);
	seal(data, sizeof(data), &other);
	buf_put(&other, third, SEALED);
	assert_int_equal(unseal(&other, &back, &f), -1);
	/* The last in the place of the second. */
	buf_clear(&other);
	seal(data, sizeof(data), &other);
	memmove(other.data + SEAL_HEADER_SIZE + SEALED,
	    other.data + SEAL_HEADER_SIZE + 3 * SEALED, SEALED);
	other.len -= 2 * SEALED;
	assert_int_equal(unseal(&other, &back, &f), -1);
}

static void
only_the_pass_phrase_opens_it(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(secret) right = secret_copy("right", 5, &f);
	OWN_STRUCT(secret) wrong = secret_copy("wrong", 5, &f);
	int fd = memfd_create("seal", MFD_CLOEXEC);
	struct seal_out *out = seal_out_new(fd, right, &f);
	struct seal_in *in;
	char text[64] = "";
	size_t len = 0;

	(void)state;
	assert_non_null(out);
	assert_int_equal(seal_put(out, "the contents", 12, &f), 0);
	assert_int_equal(seal_out_end(out, &f), 0);
	seal_out_free(out);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		in = seal_in_new(fd, i == 0 ? wrong : right, &f);
		assert_non_null(in);
		assert_int_equal(seal_get(in, text, sizeof(text), &len, &f),
		    i - 1);
		seal_in_free(in);
	}
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(len, 12);
	assert_memory_equal(text, "the contents", 12);
	/* What is no such file is not taken for one. */
	assert_int_equal(lseek(fd, 1, SEEK_SET), 1);
	assert_null(seal_in_new(fd, right, &f));
	assert_int_equal(f.code, FAULT_INPUT);
	(void)close(fd);
}

/* A bundle whose octets are ${len} at ${data}, read to its end: how many
 * parts it had, or -1. */
static int
count_parts(const void *data, size_t len, struct fault *f)
{
	OWN_BUF(file, 65536);
	struct bundle_in b = { 0 };
	enum bundle_part part;
	uint64_t size;
	int fd, found, count = 0;

	seal(data, len, &file);
	fd = memory(file.data + SEAL_HEADER_SIZE, file.len - SEAL_HEADER_SIZE);
	b.seal = seal_in_begin(fd, file.data, key(), CHUNK, f);
	while ((found = bundle_next(&b, &part, &size, f)) == 1)
		count++;
	seal_in_free(b.seal);
	(void)close(fd);
	return found < 0 ? -1 : count;
}

#define HEAD(name, len) name "\0\0\0\0\0\0\0" len
#define ABOUT HEAD("\5about", "\1") "a"
#define CONF HEAD("\7ca.conf", "\2") "cc"
#define CERT HEAD("\6ca.pem", "\0")
#define KEY HEAD("\6ca.key", "\1") "k"
#define LEDGER HEAD("\11ledger.db", "\3") "lll"
#define COUNT(text) count_parts(text, sizeof(text) - 1, &f)

static void
a_bundle_has_its_parts_in_order_and_an_end(void **state)
{
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(COUNT(ABOUT CONF CERT KEY "\0"), 4);
	assert_int_equal(COUNT(ABOUT CONF CERT KEY LEDGER "\0"), 5);
	assert_int_equal(COUNT(ABOUT CONF CERT KEY LEDGER), -1);
	assert_int_equal(COUNT(ABOUT CONF CERT KEY LEDGER "\0\0"), -1);
	assert_int_equal(COUNT(ABOUT CONF KEY "\0"), -1);
	/* Its key is in a token. */
	assert_int_equal(COUNT(ABOUT CONF CERT LEDGER "\0"), 4);
	assert_int_equal(COUNT(ABOUT CERT CONF KEY "\0"), -1);
	assert_int_equal(COUNT(ABOUT CONF CERT KEY KEY "\0"), -1);
	assert_int_equal(COUNT(ABOUT CONF CERT KEY "\3etc\0\0\0\0\0\0\0\0"),
	    -1);
	assert_int_equal(COUNT("\5ab\0ut\0\0\0\0\0\0\0\0"), -1);
	assert_int_equal(COUNT("\377"), -1);
	assert_int_equal(COUNT("\5about\0\0\0\0\0\2\0\0x"), -1);
	assert_int_equal(COUNT(""), -1);
	for (size_t len = 0; len < sizeof(ABOUT CONF CERT KEY) - 1; len++)
		assert_int_equal(count_parts(ABOUT CONF CERT KEY "\0", len, &f),
		    -1);
}

static void
a_part_is_as_long_as_was_said(void **state)
{
	struct fault f = { 0 };
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	struct seal_out *seal = seal_out_begin(fd, header, key(), CHUNK, &f);
	struct bundle_out b = { .seal = seal };

	(void)state;
	assert_int_equal(bundle_begin(&b, BUNDLE_ABOUT, 3, &f), 0);
	assert_int_equal(bundle_put(&b, "abcd", 4, &f), -1);
	assert_int_equal(bundle_put(&b, "ab", 2, &f), 0);
	assert_int_equal(bundle_begin(&b, BUNDLE_CONF, 3, &f), -1);
	assert_int_equal(bundle_end(&b, &f), -1);
	assert_int_equal(bundle_put(&b, "c", 1, &f), 0);
	assert_int_equal(bundle_begin(&b, BUNDLE_CONF, 1u << 30, &f), -1);
	assert_int_equal(bundle_end(&b, &f), 0);
	seal_out_free(seal);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_was_sealed_comes_back_whatever_its_length),
		cmocka_unit_test(a_file_cut_anywhere_is_found_out),
		cmocka_unit_test(each_octet_counts),
		cmocka_unit_test(chunks_stay_where_they_are),
		cmocka_unit_test(only_the_pass_phrase_opens_it),
		cmocka_unit_test(a_bundle_has_its_parts_in_order_and_an_end),
		cmocka_unit_test(a_part_is_as_long_as_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
