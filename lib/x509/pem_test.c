#include "x509/pem.h"

#include "base/fault.h"
#include "base/unit.h"
#include "x509/own_ssl.h"

#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>

/* pem_next once, from memory of exactly the right size. */
static int
next_of(const char *text, const char *label, struct buf *der)
{
	struct fault f = { 0 };
	size_t len = strlen(text), at = 0;
	char *copy = malloc(len > 0 ? len : 1);
	int found;

	assert_non_null(copy);
	memcpy(copy, text, len);
	found = pem_next(copy, len, &at, label, der, &f);
	assert_true(at <= len);
	assert_int_equal(found < 0, f.code == FAULT_INPUT);
	free(copy);
	return found;
}

static void
blocks_are_written_as_openssl_writes_them(void **state)
{
	static const uint8_t data[200] = { 1, 2, 3 };

	(void)state;
	for (size_t len = 0; len <= sizeof(data); len++) {
		OWN_BUF(out, 1024);
		OWN(BIO) bio = BIO_new(BIO_s_mem());
		char *text = NULL;
		long size;

		pem_put(&out, "X", (struct wire_bytes){ data, len });
		assert_true(PEM_write_bio(bio, "X", "", data, (long)len) >= 0);
		size = BIO_get_mem_data(bio, &text);
		assert_int_equal(out.len, size);
		assert_memory_equal(out.data, text, out.len);
	}
}

static void
blocks_are_found_among_other_text_and_labels(void **state)
{
	static const char text[] = "Subject: /CN=a\n"
				   "-----BEGIN A-----\nYWJj\n-----END A-----\n"
				   "between\r\n"
				   "-----BEGIN B-----\r\nZ\r\nGV\tm\r\n"
				   "-----END B-----\r\n"
				   "-----BEGIN A-----  \nZ2hp\n-----END A-----";
	struct fault f = { 0 };
	OWN_BUF(der, 16);
	size_t at = 0;

	(void)state;
	assert_int_equal(pem_next(text, strlen(text), &at, "A", &der, &f), 1);
	assert_int_equal(pem_next(text, strlen(text), &at, "A", &der, &f), 1);
	assert_int_equal(pem_next(text, strlen(text), &at, "A", &der, &f), 0);
	assert_int_equal(der.len, 6);
	assert_memory_equal(der.data, "abcghi", 6);
	at = 0;
	buf_clear(&der);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pem_next(text, strlen(text), &at, NULL, &der,
				     &f),
		    1);
	assert_memory_equal(der.data, "abcdefghi", 9);
}

static void
a_block_can_be_had_as_it_stands(void **state)
{
	static const char text[] = "x\n-----BEGIN RSA PRIVATE KEY-----\n"
				   "Proc-Type: 4,ENCRYPTED\n\nYWJj\n"
				   "-----END RSA PRIVATE KEY-----\ny";
	struct pem_block block;
	struct fault f = { 0 };
	size_t at = 0;

	(void)state;
	assert_int_equal(pem_find(text, strlen(text), &at, &block, &f), 1);
	assert_string_equal(block.label, "RSA PRIVATE KEY");
	assert_ptr_equal(block.whole.data, text + 2);
	assert_int_equal(block.whole.len, strlen(text) - 3);
	assert_memory_equal(block.body.data, "Proc-Type", 9);
	assert_int_equal(block.body.len, 29);
	assert_int_equal(pem_find(text, strlen(text), &at, &block, &f), 0);
}

static void
malformed_blocks_are_refused(void **state)
{
	static const char *const bad[] = { "-----BEGIN A-----\n",
		"-----BEGIN A-----\nYWJj\n",
		"-----BEGIN A-----\nYWJj\n-----END B-----\n",
		"-----BEGIN A-----\n-----BEGIN A-----\nYWJj\n-----END A-----\n",
		"-----BEGIN A-----\n-----END A-----\n",
		"-----BEGIN A-----\nYWJ\n-----END A-----\n",
		"-----BEGIN A-----\nYW==YWJj\n-----END A-----\n",
		"-----BEGIN A-----\nYW.j\n-----END A-----\n",
		"-----BEGIN A-----\nYWJj\n -----END A-----\n",
		"-----BEGIN A-----\nProc-Type: 4\n\nYWJj\n-----END A-----\n",
		"-----BEGIN A-----\nYWJjZGVmZ2hpamts\n-----END A-----\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWN_BUF(der, 10);

		if (next_of(bad[i], "A", &der) != -1)
			fail_msg("read: %s", bad[i]);
		assert_int_equal(der.len, 0);
	}
}

static void
text_that_only_looks_like_a_block_is_passed_over(void **state)
{
	static const char *const none[] = { "", "\n\n", "-----BEGIN -----\n",
		"-----BEGIN A----\n", " -----BEGIN A-----\n",
		"x-----BEGIN A-----\n", "-----END A-----\n", "-----BEGIN A",
		"-----BEGIN "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aa"
		"-----\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		OWN_BUF(der, 16);

		assert_int_equal(next_of(none[i], "A", &der), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_written_as_openssl_writes_them),
		cmocka_unit_test(blocks_are_found_among_other_text_and_labels),
		cmocka_unit_test(a_block_can_be_had_as_it_stands),
		cmocka_unit_test(malformed_blocks_are_refused),
		cmocka_unit_test(
		    text_that_only_looks_like_a_block_is_passed_over),
	};

	return cmocka_run_group_tests_name("x509/pem", tests, NULL, NULL);
}
