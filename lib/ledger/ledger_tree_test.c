#include "ledger/ledger_tree.h"

#include "ledger/ledger_book.h"
#include "ledger/ledger_head.h"
#include "ledger/ledger_unit.h"

#define MOST 70

/* The tree as RFC 9162 2.1.1 defines it, by recursion. */
static void
root_by_definition(const struct ledger_hasher *h, uint64_t from, uint64_t to,
    uint8_t root[32])
{
	uint8_t parts[3][33] = { { 1 }, { 0 }, { 0 } };
	struct fault f = { 0 };
	uint64_t k = 1;

	if (to - from == 1) {
		uint8_t leaf = (uint8_t)from;

		assert_int_equal(tree_leaf(h, (struct wire_bytes){ &leaf, 1 },
				     root, &f),
		    0);
		return;
	}
	while (2 * k < to - from)
		k *= 2;
	root_by_definition(h, from, from + k, parts[1]);
	root_by_definition(h, from + k, to, parts[2]);
	assert_int_equal(ledger_hasher_run(h,
			     (struct wire_bytes[]){ { parts[0], 1 },
				 { parts[1], 32 }, { parts[2], 32 } },
			     3, root, &f),
	    0);
}

static void
prove(const struct ledger_hasher *h, const struct tree_plan *plan,
    struct tree_proof *proof)
{
	proof->count = plan->count;
	for (size_t i = 0; i < plan->count; i++)
		root_by_definition(h, plan->range[i].from, plan->range[i].to,
		    proof->node[i]);
}

static void
roots_are_those_of_the_definition(void **state)
{
	struct tree_frontier t = { 0 };
	struct ledger_hasher h;
	struct fault f = { 0 };
	uint8_t root[32], want[32];
	char hex[65];

	(void)state;
	assert_int_equal(ledger_hasher_open(&h, &f), 0);
	assert_int_equal(tree_root(&h, &t, root, &f), 0);
	text_hex(root, 32, hex);
	assert_string_equal(hex,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	for (uint64_t n = 1; n <= MOST; n++) {
		uint8_t byte = (uint8_t)(n - 1), leaf[32];

		assert_int_equal(tree_leaf(&h, (struct wire_bytes){ &byte, 1 },
				     leaf, &f),
		    0);
		assert_int_equal(tree_append(&h, &t, leaf, &f), 0);
		assert_int_equal(tree_root(&h, &t, root, &f), 0);
		root_by_definition(&h, 0, n, want);
		assert_memory_equal(root, want, 32);
	}
	ledger_hasher_close(&h);
}

/* Each change of a proof must be seen. */
static void
spoil(const struct ledger_hasher *h, const uint8_t leaf[32], uint64_t index,
    uint64_t size, struct tree_proof *proof, const uint8_t root[32])
{
	struct fault f = { 0 };

	for (size_t i = 0; i < proof->count; i++) {
		proof->node[i][i % 32] ^= 1;
		assert_int_equal(tree_check_inclusion(h, leaf, index, size,
				     proof, root, &f),
		    -1);
		assert_int_equal(f.code, FAULT_UNTRUSTED);
		proof->node[i][i % 32] ^= 1;
	}
	memset(proof->node[proof->count], 7, 32);
	proof->count++;
	assert_int_equal(tree_check_inclusion(h, leaf, index, size, proof, root,
			     &f),
	    -1);
	proof->count--;
	if (proof->count == 0)
		return;
	proof->count--;
	assert_int_equal(tree_check_inclusion(h, leaf, index, size, proof, root,
			     &f),
	    -1);
	proof->count++;
}

static void
every_leaf_is_proved_and_no_other(void **state)
{
	struct ledger_hasher h;
	struct fault f = { 0 };
	struct tree_proof proof;
	struct tree_plan plan;
	uint8_t root[32], leaf[32];

	(void)state;
	assert_int_equal(ledger_hasher_open(&h, &f), 0);
	for (uint64_t size = 1; size <= MOST; size++) {
		root_by_definition(&h, 0, size, root);
		for (uint64_t index = 0; index < size; index++) {
			tree_plan_inclusion(index, size, &plan);
			prove(&h, &plan, &proof);
			root_by_definition(&h, index, index + 1, leaf);
			assert_int_equal(tree_check_inclusion(&h, leaf, index,
					     size, &proof, root, &f),
			    0);
			assert_int_equal(tree_check_inclusion(&h, leaf,
					     (index + 1) % size, size, &proof,
					     root, &f),
			    size == 1 ? 0 : -1);
			spoil(&h, leaf, index, size, &proof, root);
		}
		assert_int_equal(tree_check_inclusion(&h, leaf, size, size,
				     &proof, root, &f),
		    -1);
	}
	ledger_hasher_close(&h);
}

static void
every_earlier_head_is_proved_and_no_other(void **state)
{
	struct ledger_hasher h;
	struct fault f = { 0 };
	struct tree_proof proof;
	struct tree_plan plan;
	uint8_t root[32], old[32];

	(void)state;
	assert_int_equal(ledger_hasher_open(&h, &f), 0);
	for (uint64_t size = 1; size <= MOST; size++) {
		root_by_definition(&h, 0, size, root);
		for (uint64_t m = 1; m <= size; m++) {
			root_by_definition(&h, 0, m, old);
			tree_plan_consistency(m, size, &plan);
			prove(&h, &plan, &proof);
			assert_int_equal(tree_check_consistency(&h, m, old,
					     size, root, &proof, &f),
			    0);
			old[5] ^= 1;
			assert_int_equal(tree_check_consistency(&h, m, old,
					     size, root, &proof, &f),
			    -1);
			old[5] ^= 1;
			for (size_t i = 0; i < proof.count; i++) {
				proof.node[i][9] ^= 1;
				assert_int_equal(tree_check_consistency(&h, m,
						     old, size, root, &proof,
						     &f),
				    -1);
				proof.node[i][9] ^= 1;
			}
			memset(proof.node[proof.count++], 7, 32);
			assert_int_equal(tree_check_consistency(&h, m, old,
					     size, root, &proof, &f),
			    -1);
			proof.count = 0;
			assert_int_equal(tree_check_consistency(&h, m, old,
					     size, root, &proof, &f),
			    m == size ? 0 : -1);
		}
		assert_int_equal(tree_check_consistency(&h, size + 1, root,
				     size, root, &proof, &f),
		    -1);
		assert_int_equal(tree_check_consistency(&h, 0, old, size, root,
				     &proof, &f),
		    0);
	}
	ledger_hasher_close(&h);
}

static void
a_ledger_proves_its_entries_and_its_growth(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct ledger_head heads[12], now;
	struct ledger_proof proof;
	struct fault f = { 0 };
	char chain[65];

	for (size_t i = 0; i < 12; i++) {
		assert_int_equal(ledger_head_next(l, &heads[i], &f), 0);
		assert_int_equal(heads[i].size, 2 * i);
		(void)issue(l, "slcs", &a_range);
	}
	assert_int_equal(ledger_check_heads(l, heads, 12, chain, &now, &f), 0);
	assert_int_equal(now.size, 24);
	for (size_t i = 1; i < 12; i++) {
		assert_int_equal(ledger_prove_growth(l, 2 * i, &proof, &f), 0);
		assert_memory_equal(&proof.old, &heads[i], sizeof(heads[i]));
		assert_memory_equal(&proof.head, &now, sizeof(now));
		assert_int_equal(tree_check_consistency(&l->hasher, 2 * i,
				     heads[i].root, 24, now.root, &proof.path,
				     &f),
		    0);
	}
	for (uint64_t entry = 1; entry <= 24; entry++) {
		uint8_t leaf[32];
		OWN_BUF(bytes_of, 4096);

		assert_int_equal(ledger_prove_entry(l, entry, &proof, &bytes_of,
				     &f),
		    0);
		assert_int_equal(tree_leaf(&l->hasher,
				     (struct wire_bytes){
					 bytes_of.data, bytes_of.len },
				     leaf, &f),
		    0);
		assert_int_equal(tree_check_inclusion(&l->hasher, leaf,
				     entry - 1, 24, &proof.path, now.root, &f),
		    0);
	}
	assert_int_equal(ledger_prove_growth(l, 25, &proof, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(ledger_prove_growth(l, 0, &proof, &f), -1);
	heads[3].root[0] ^= 1;
	assert_int_equal(ledger_check_heads(l, heads, 12, chain, &now, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	heads[3].root[0] ^= 1;
	heads[3].size = 99;
	assert_int_equal(ledger_check_heads(l, heads, 12, chain, &now, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
}

static void
a_tree_grows_by_steps_and_goes_on_where_it_was(void **state)
{
	struct ledger *l = opened(*state);
	struct tree_frontier tree;
	struct ledger_head head, whole;
	struct fault f = { 0 };
	char chain[65];

	for (size_t i = 0; i < 5; i++)
		(void)issue(l, "slcs", &a_range);
	assert_int_equal(ledger_tree_load(l, &tree, &f), 0);
	assert_int_equal(tree.size, 0);
	assert_int_equal(ledger_tree_grow(l, &tree, 4, &f), 1);
	assert_int_equal(tree.size, 4);
	assert_int_equal(ledger_tree_grow(l, &tree, 5, &f), 1);
	assert_int_equal(ledger_tree_head(l, &tree, &head, &f), 0);
	assert_int_equal(head.size, 9);
	begin(l);
	assert_int_equal(ledger_tree_grow(l, &tree, 5, &f), -1);
	ledger_cancel(l);
	ledger_free(l);
	l = opened(*state);
	assert_int_equal(ledger_tree_load(l, &tree, &f), 0);
	assert_int_equal(tree.size, 9);
	assert_int_equal(ledger_tree_grow(l, &tree, 100, &f), 0);
	assert_int_equal(ledger_tree_head(l, &tree, &head, &f), 0);
	assert_int_equal(ledger_check_heads(l, &head, 1, chain, &whole, &f), 0);
	assert_memory_equal(&head, &whole, sizeof(head));
	ledger_free(l);
}

static void
a_wrong_note_of_the_tree_is_found(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct ledger_head head;
	struct fault f = { 0 };
	uint64_t entries;
	char chain[65];

	(void)issue(l, "slcs", &a_range);
	assert_int_equal(ledger_head_next(l, &head, &f), 0);
	(void)issue(l, "slcs", &a_range);
	assert_int_equal(checked(l), 4);
	assert_int_equal(sqlite3_exec(l->db,
			     "UPDATE frontier SET nodes = zeroblob(2048)", NULL,
			     NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(ledger_check(l, chain, &entries, &f), -1);
	assert_non_null(strstr(f.text, "note of the tree is not what"));
	assert_int_equal(sqlite3_exec(l->db, "UPDATE frontier SET size = 77",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(ledger_check(l, chain, &entries, &f), -1);
	assert_non_null(strstr(f.text, "noted at 77 entries, and 4 are left"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_those_of_the_definition),
		cmocka_unit_test(every_leaf_is_proved_and_no_other),
		cmocka_unit_test(every_earlier_head_is_proved_and_no_other),
		ON_A_PLACE(a_ledger_proves_its_entries_and_its_growth),
		ON_A_PLACE(a_tree_grows_by_steps_and_goes_on_where_it_was),
		ON_A_PLACE(a_wrong_note_of_the_tree_is_found),
	};

	return cmocka_run_group_tests_name("ledger/ledger_tree", tests, NULL,
	    NULL);
}
