#include "ledger/ledger_entry.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

struct hash {
	uint8_t data[LEDGER_HASH_SIZE];
};

static const uint8_t start[LEDGER_HASH_SIZE] = { 1 };

static struct hash
hash_of(const struct ledger_entry *e, const uint8_t previous[LEDGER_HASH_SIZE])
{
	struct ledger_hasher h = { 0 };
	struct fault f = { 0 };
	struct hash hash;

	assert_int_equal(ledger_hasher_open(&h, &f), 0);
	assert_int_equal(ledger_entry_hash(&h, e, previous, hash.data, &f), 0);
	ledger_hasher_close(&h);
	return hash;
}

static void
assert_differ(const struct ledger_entry *a, const struct ledger_entry *b)
{
	assert_memory_not_equal(hash_of(a, start).data, hash_of(b, start).data,
	    LEDGER_HASH_SIZE);
}

static void
an_entry_has_one_hash(void **state)
{
	struct ledger_entry a = { 0 }, b = { 0 };

	(void)state;
	ledger_entry_text(&a, LEDGER_COLUMN_CA, "slcs");
	ledger_entry_text(&b, LEDGER_COLUMN_CA, "slcs");
	assert_memory_equal(hash_of(&a, start).data, hash_of(&b, start).data,
	    LEDGER_HASH_SIZE);
}

static void
nothing_empty_text_empty_bytes_and_zero_differ(void **state)
{
	struct ledger_entry e[4] = { 0 };

	(void)state;
	ledger_entry_text(&e[1], LEDGER_COLUMN_REF, "");
	ledger_entry_bytes(&e[2], LEDGER_COLUMN_REF,
	    (struct wire_bytes){ NULL, 0 });
	ledger_entry_number(&e[3], LEDGER_COLUMN_REF, 0);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++)
			assert_differ(&e[i], &e[j]);
}

static void
letters_that_move_to_the_next_column_are_seen(void **state)
{
	struct ledger_entry a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	ledger_entry_text(&a, LEDGER_COLUMN_USERNAME, "ab");
	ledger_entry_text(&a, LEDGER_COLUMN_PRINCIPAL, "c");
	ledger_entry_text(&b, LEDGER_COLUMN_USERNAME, "a");
	ledger_entry_text(&b, LEDGER_COLUMN_PRINCIPAL, "bc");
	ledger_entry_text(&c, LEDGER_COLUMN_PRINCIPAL, "ab");
	ledger_entry_text(&c, LEDGER_COLUMN_METHOD, "c");
	assert_differ(&a, &b);
	assert_differ(&a, &c);
}

static void
what_came_before_is_in_the_hash(void **state)
{
	static const uint8_t other[LEDGER_HASH_SIZE] = { 2 };
	struct ledger_entry e = { 0 };

	(void)state;
	assert_memory_not_equal(hash_of(&e, start).data,
	    hash_of(&e, other).data, LEDGER_HASH_SIZE);
}

/* An old ledger must be readable by every later version: the bytes that are
 * hashed may never change. */
static void
the_hash_of_a_known_entry_is_the_known_one(void **state)
{
	static const uint8_t known[LEDGER_HASH_SIZE] = { 0xe3, 0x8a, 0x95, 0xe9,
		0x15, 0xd3, 0x25, 0x82, 0xa9, 0x72, 0x82, 0xe1, 0x08, 0xab,
		0xf4, 0x3d, 0xdc, 0x6c, 0x8b, 0x06, 0xe1, 0x11, 0x4a, 0xb4,
		0xc0, 0x6a, 0x2e, 0xf7, 0xec, 0xf1, 0xcd, 0x92 };
	static const uint8_t zeroes[LEDGER_HASH_SIZE] = { 0 };
	struct ledger_entry e = { 0 };

	(void)state;
	ledger_entry_number(&e, LEDGER_COLUMN_ID, 1);
	ledger_entry_number(&e, LEDGER_COLUMN_TIME, 1790000000);
	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_CRL);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, "slcs");
	ledger_entry_number(&e, LEDGER_COLUMN_NUMBER, 7);
	ledger_entry_bytes(&e, LEDGER_COLUMN_DER,
	    (struct wire_bytes){ (const uint8_t *)"der", 3 });
	assert_memory_equal(hash_of(&e, zeroes).data, known, sizeof(known));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_has_one_hash),
		cmocka_unit_test(
		    nothing_empty_text_empty_bytes_and_zero_differ),
		cmocka_unit_test(letters_that_move_to_the_next_column_are_seen),
		cmocka_unit_test(what_came_before_is_in_the_hash),
		cmocka_unit_test(the_hash_of_a_known_entry_is_the_known_one),
	};

	return cmocka_run_group_tests_name("ledger/ledger_entry", tests, NULL,
	    NULL);
}
