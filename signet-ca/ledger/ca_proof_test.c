#include "ca_proof.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

#define NODE "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\""
#define HEAD "\"head\": \"signet/x\\n1\\n\""

/* From memory of exactly the right size: the code, FAULT_NONE if it is one. */
static enum fault_code
try(const char *text, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	struct fault f = { 0 };
	struct ca_proof p;
	int result;

	assert_non_null(exact);
	memcpy(exact, text, len);
	result = ca_proof_read((struct wire_bytes){ exact, len }, &p, &f);
	free(exact);
	ca_proof_clear(&p);
	assert_int_equal(result, f.code == FAULT_NONE ? 0 : -1);
	return f.code;
}

static void
what_is_written_is_read_and_no_part_of_it(void **state)
{
	struct ca_proof p = ca_proof_none(CA_PROOF_ENTRY), back;
	struct fault f = { 0 };
	OWN_BUF(text, 4096);

	(void)state;
	p.entry = 7;
	p.path.count = 2;
	memset(p.path.node[0], 1, TREE_HASH_SIZE);
	memset(p.path.node[1], 2, TREE_HASH_SIZE);
	buf_text(&p.head, "signet/x\n7\n\n\xe2\x80\x94 x\n");
	buf_put(&p.leaf, "\0\xff\"\\", 4);
	assert_int_equal(ca_proof_write(&p, &text, &f), 0);
	assert_int_equal(ca_proof_read((struct wire_bytes){ text.data,
					   text.len },
			     &back, &f),
	    0);
	assert_int_equal(back.kind, CA_PROOF_ENTRY);
	assert_int_equal(back.entry, 7);
	assert_int_equal(back.path.count, 2);
	assert_memory_equal(back.path.node, p.path.node, 2 * TREE_HASH_SIZE);
	assert_int_equal(back.leaf.len, 4);
	assert_memory_equal(back.leaf.data, p.leaf.data, 4);
	assert_int_equal(back.head.len, p.head.len);
	assert_memory_equal(back.head.data, p.head.data, p.head.len);
	for (size_t i = 0; i < text.len; i++)
		assert_int_equal(try((char *)text.data, i), FAULT_INPUT);
	ca_proof_clear(&back);
	ca_proof_clear(&p);
}

static void
a_growth_has_its_earlier_head_or_none(void **state)
{
	(void)state;
	assert_int_equal(try("{\"proof\": \"consistency\", " HEAD
			     ", \"path\": []}",
			     sizeof("{\"proof\": \"consistency\", " HEAD
				    ", \"path\": []}") -
				 1),
	    FAULT_NONE);
}

static void
what_is_missing_or_of_another_kind_is_refused(void **state)
{
	static const char *const bad[] = { "", "[]", "7", "\"inclusion\"", "{}",
		"{\"proof\": \"inclusion\"}",
		"{\"proof\": \"exclusion\", " HEAD ", \"path\": []}",
		"{\"proof\": 1, " HEAD ", \"path\": []}",
		"{\"proof\": \"consistency\", \"path\": []}",
		"{\"proof\": \"consistency\", \"head\": \"\", \"path\": []}",
		"{\"proof\": \"consistency\", \"head\": 1, \"path\": []}",
		"{\"proof\": \"consistency\", " HEAD "}",
		"{\"proof\": \"consistency\", " HEAD ", \"path\": {}}",
		"{\"proof\": \"consistency\", " HEAD ", \"path\": [1]}",
		"{\"proof\": \"consistency\", " HEAD ", \"path\": [\"AAAA\"]}",
		"{\"proof\": \"consistency\", " HEAD
		", \"path\": [], \"from\": 1}",
		"{\"proof\": \"consistency\", " HEAD
		", \"path\": [], \"from\": \"\"}",
		"{\"proof\": \"consistency\", \"proof\": \"inclusion\", " HEAD
		", \"path\": []}",
		"{\"proof\": \"inclusion\", " HEAD ", \"path\": []}",
		"{\"proof\": \"inclusion\", " HEAD
		", \"path\": [], \"entry\": 0, \"leaf\": \"\"}",
		"{\"proof\": \"inclusion\", " HEAD
		", \"path\": [], \"entry\": -1, \"leaf\": \"\"}",
		"{\"proof\": \"inclusion\", " HEAD
		", \"path\": [], \"entry\": 1.5, \"leaf\": \"\"}",
		"{\"proof\": \"inclusion\", " HEAD
		", \"path\": [], \"entry\": \"1\", \"leaf\": \"\"}",
		"{\"proof\": \"inclusion\", " HEAD
		", \"path\": [], \"entry\": 1, \"leaf\": \"A\"}",
		"{\"proof\": \"inclusion\", " HEAD
		", \"path\": [], \"entry\": 1, \"leaf\": \"AAA=\\n\"}",
		"{\"proof\": \"inclusion\", " HEAD
		", \"path\": [], \"entry\": 1, \"leaf\": \"\"} x" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (try(bad[i], strlen(bad[i])) != FAULT_INPUT)
			fail_msg("%s", bad[i]);
}

/* As long as a tree of 2^64 entries has it, and no longer. */
static void
a_path_has_its_most(void **state)
{
	(void)state;
	for (size_t n = TREE_PROOF_MAX - 1; n < TREE_PROOF_MAX + 2; n++) {
		OWN_BUF(text, 65536);

		buf_text(&text,
		    "{\"proof\": \"consistency\", " HEAD ", \"path\": [");
		for (size_t i = 0; i < n; i++)
			buf_fmt(&text, "%s" NODE, i == 0 ? "" : ",");
		buf_text(&text, "]}");
		assert_int_equal(try((char *)text.data, text.len),
		    n <= TREE_PROOF_MAX ? FAULT_NONE : FAULT_INPUT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_and_no_part_of_it),
		cmocka_unit_test(a_growth_has_its_earlier_head_or_none),
		cmocka_unit_test(what_is_missing_or_of_another_kind_is_refused),
		cmocka_unit_test(a_path_has_its_most),
	};

	return cmocka_run_group_tests_name("signet-ca/proof", tests, NULL,
	    NULL);
}
