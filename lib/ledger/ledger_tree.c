#include "ledger/ledger_tree.h"

#include "base/fault.h"
#include "ledger/ledger_entry.h"

#include <assert.h>
#include <string.h>

/* RFC 9162 2.1.1: what is before a leaf, and before two nodes. */
static const uint8_t leaf_mark = 0x00;
static const uint8_t node_mark = 0x01;

/* ${out} may be ${left} or ${right}. */
static int
join(const struct ledger_hasher *h, const uint8_t left[TREE_HASH_SIZE],
    const uint8_t right[TREE_HASH_SIZE], uint8_t out[TREE_HASH_SIZE],
    struct fault *f)
{
	const struct wire_bytes parts[] = {
		{ &node_mark, 1 },
		{ left, TREE_HASH_SIZE },
		{ right, TREE_HASH_SIZE },
	};

	return ledger_hasher_run(h, parts, 3, out, f);
}

int
tree_leaf(const struct ledger_hasher *h, struct wire_bytes leaf,
    uint8_t hash[TREE_HASH_SIZE], struct fault *f)
{
	const struct wire_bytes parts[] = { { &leaf_mark, 1 }, leaf };

	return ledger_hasher_run(h, parts, 2, hash, f);
}

int
tree_append(const struct ledger_hasher *h, struct tree_frontier *t,
    const uint8_t leaf[TREE_HASH_SIZE], struct fault *f)
{
	uint8_t node[TREE_HASH_SIZE];
	int level = 0;

	assert(t->size < UINT64_MAX);
	memcpy(node, leaf, sizeof(node));
	for (; (t->size >> level & 1) != 0; level++)
		if (join(h, t->node[level], node, node, f) < 0)
			return -1;
	memcpy(t->node[level], node, sizeof(node));
	t->size++;
	return 0;
}

int
tree_root(const struct ledger_hasher *h, const struct tree_frontier *t,
    uint8_t root[TREE_HASH_SIZE], struct fault *f)
{
	bool begun = false;

	if (t->size == 0)
		return ledger_hasher_run(h, NULL, 0, root, f);
	for (int level = 0; level < TREE_LEVELS; level++) {
		if ((t->size >> level & 1) == 0)
			continue;
		if (begun && join(h, t->node[level], root, root, f) < 0)
			return -1;
		if (!begun)
			memcpy(root, t->node[level], TREE_HASH_SIZE);
		begun = true;
	}
	return 0;
}

/* The largest power of two below ${n}, which is more than 1. */
static uint64_t
split(uint64_t n)
{
	return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

static void
plan_add(struct tree_plan *plan, uint64_t from, uint64_t to)
{
	assert(plan->count < TREE_PROOF_MAX);
	plan->range[plan->count++] = (struct tree_range){ from, to };
}

/* A proof begins with the lowest node, the plan is made from the root down. */
static void
plan_reverse(struct tree_plan *plan)
{
	for (size_t i = 0; i < plan->count / 2; i++) {
		struct tree_range range = plan->range[i];

		plan->range[i] = plan->range[plan->count - 1 - i];
		plan->range[plan->count - 1 - i] = range;
	}
}

void
tree_plan_inclusion(uint64_t index, uint64_t size, struct tree_plan *plan)
{
	uint64_t from = 0, to = size;

	assert(index < size);
	plan->count = 0;
	while (to - from > 1) {
		uint64_t middle = from + split(to - from);

		if (index < middle) {
			plan_add(plan, middle, to);
			to = middle;
		} else {
			plan_add(plan, from, middle);
			from = middle;
		}
	}
	plan_reverse(plan);
}

void
tree_plan_consistency(uint64_t old, uint64_t size, struct tree_plan *plan)
{
	uint64_t from = 0, to = size;

	assert(old > 0 && old <= size);
	plan->count = 0;
	while (to != old) {
		uint64_t middle = from + split(to - from);

		if (old <= middle) {
			plan_add(plan, middle, to);
			to = middle;
		} else {
			plan_add(plan, from, middle);
			from = middle;
		}
	}
	/* The old tree whole needs no word: who checks has its root. */
	if (from > 0)
		plan_add(plan, from, to);
	plan_reverse(plan);
}

static int
not_shown(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_UNTRUSTED, "the proof does not show %s",
	    what);
}

/* A walk up a tree: where it stands among how many, counted from 0. */
struct climb {
	uint64_t at;
	uint64_t last;
};

static void
up(struct climb *c)
{
	c->at >>= 1;
	c->last >>= 1;
}

/* Whether the next node of the proof stands to the left; the climb goes on to
 * the level above it. */
static bool
is_left(struct climb *c)
{
	bool left = (c->at & 1) != 0 || c->at == c->last;

	while (left && (c->at & 1) == 0 && c->at != 0)
		up(c);
	up(c);
	return left;
}

int
tree_check_inclusion(const struct ledger_hasher *h,
    const uint8_t leaf[TREE_HASH_SIZE], uint64_t index, uint64_t size,
    const struct tree_proof *proof, const uint8_t root[TREE_HASH_SIZE],
    struct fault *f)
{
	struct climb c = { index, size - 1 };
	uint8_t node[TREE_HASH_SIZE];

	if (index >= size)
		return not_shown(f, "a leaf beyond the head");
	memcpy(node, leaf, sizeof(node));
	for (size_t i = 0; i < proof->count; i++) {
		const uint8_t *with = proof->node[i];
		int result;

		if (c.last == 0)
			return not_shown(f, "the entry: it is too long");
		result = is_left(&c) ? join(h, with, node, node, f)
				     : join(h, node, with, node, f);
		if (result < 0)
			return -1;
	}
	if (c.last != 0 || memcmp(node, root, sizeof(node)) != 0)
		return not_shown(f, "that the entry is under the head");
	return 0;
}

/* The roots of both trees, as the proof makes them from ${first} on. */
static int
climb_both(const struct ledger_hasher *h, struct climb *c,
    const struct tree_proof *proof, size_t from, uint8_t old[TREE_HASH_SIZE],
    uint8_t new[TREE_HASH_SIZE], struct fault *f)
{
	for (size_t i = from; i < proof->count; i++) {
		const uint8_t *with = proof->node[i];
		bool left;

		if (c->last == 0)
			return not_shown(f, "the later head: it is too long");
		left = is_left(c);
		if (left && join(h, with, old, old, f) < 0)
			return -1;
		if ((left ? join(h, with, new, new, f)
			  : join(h, new, with, new, f)) < 0)
			return -1;
	}
	return 0;
}

/* The case of two trees, of which neither is empty nor are they one. */
static int
check_growth(const struct ledger_hasher *h, uint64_t old,
    const uint8_t old_root[TREE_HASH_SIZE], uint64_t size,
    const uint8_t root[TREE_HASH_SIZE], const struct tree_proof *proof,
    struct fault *f)
{
	struct climb c = { old - 1, size - 1 };
	uint8_t from_old[TREE_HASH_SIZE], from_new[TREE_HASH_SIZE];
	/* A full old tree is itself the first node. */
	bool full = (old & (old - 1)) == 0;
	const uint8_t *first = full ? old_root : proof->node[0];

	if (proof->count == 0)
		return not_shown(f, "the later head: it is empty");
	while ((c.at & 1) != 0)
		up(&c);
	memcpy(from_old, first, sizeof(from_old));
	memcpy(from_new, first, sizeof(from_new));
	if (climb_both(h, &c, proof, full ? 0 : 1, from_old, from_new, f) < 0)
		return -1;
	if (c.last != 0 || memcmp(from_old, old_root, sizeof(from_old)) != 0 ||
	    memcmp(from_new, root, sizeof(from_new)) != 0)
		return not_shown(f,
		    "that the later head only adds to the earlier one");
	return 0;
}

int
tree_check_consistency(const struct ledger_hasher *h, uint64_t old,
    const uint8_t old_root[TREE_HASH_SIZE], uint64_t size,
    const uint8_t root[TREE_HASH_SIZE], const struct tree_proof *proof,
    struct fault *f)
{
	if (old > size)
		return not_shown(f, "an earlier head: it is the later one");
	if (old > 0 && old < size)
		return check_growth(h, old, old_root, size, root, proof, f);
	if (proof->count != 0)
		return not_shown(f, "anything: it must be empty");
	if (old == size && memcmp(old_root, root, TREE_HASH_SIZE) != 0)
		return not_shown(f, "one head: two of one size differ");
	return 0;
}
