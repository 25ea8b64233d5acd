#ifndef LEDGER_LEDGER_HEAD_H
#define LEDGER_LEDGER_HEAD_H

#include "ledger/ledger.h"
#include "ledger/ledger_tree.h"

/* Heads of a ledger's Merkle tree, and proofs from it.  All of it reads one
 * moment of the book, while others may write. */
struct fault;

struct ledger_head {
	uint64_t size; /* entries */
	uint8_t root[TREE_HASH_SIZE];
};

/* The head now, for who makes one often: goes on from where it was last, and
 * (if the ledger was opened for writing, outside a transaction) notes that.
 * What lies before is not read again. */
CHECKED int ledger_head_next(struct ledger *l, struct ledger_head *head,
    struct fault *f);

/* The same in steps, for one who has other work: ${t} (from ledger_tree_load,
 * then kept) takes up to ${most} more entries; 1 if there may be more, 0 if
 * there are none.  ledger_tree_head() then says what it is, and notes it. */
CHECKED int ledger_tree_load(struct ledger *l, struct tree_frontier *t,
    struct fault *f);
CHECKED int ledger_tree_grow(struct ledger *l, struct tree_frontier *t,
    uint64_t most, struct fault *f);
CHECKED int ledger_tree_head(struct ledger *l, const struct tree_frontier *t,
    struct ledger_head *head, struct fault *f);

/**
 * ledger_check_heads(l, heads, count, chain, now, f):
 * As ledger_check(), and of each of ${count} heads see whether the first
 * ${size} entries have its root: FAULT_UNTRUSTED if not, or if the ledger is
 * shorter.  ${chain} gets the last hash of the chain, ${now} the head now.
 */
CHECKED int ledger_check_heads(struct ledger *l,
    const struct ledger_head *heads, size_t count, char chain[65],
    struct ledger_head *now, struct fault *f);

/* Proofs; the chain of hashes is checked on the way. */
struct ledger_proof {
	struct tree_proof path;
	struct ledger_head head; /* of the whole ledger */
	struct ledger_head old;	 /* consistency: of its first entries */
};

/* That entry ${entry} (from 1) is in the ledger; its bytes are appended to
 * ${leaf}.  FAULT_ABSENT if there is none. */
CHECKED int ledger_prove_entry(struct ledger *l, uint64_t entry,
    struct ledger_proof *proof, struct buf *leaf, struct fault *f);

/* That the ledger's first ${old} entries, at least 1, are those of now. */
CHECKED int ledger_prove_growth(struct ledger *l, uint64_t old,
    struct ledger_proof *proof, struct fault *f);

/* Whether the proof shows that ${leaf} is entry ${entry} under its head, or
 * that ${old} is the beginning of it: FAULT_UNTRUSTED if not. */
CHECKED int ledger_proof_check_entry(const struct ledger_proof *proof,
    uint64_t entry, struct wire_bytes leaf, struct fault *f);
CHECKED int ledger_proof_check_growth(const struct ledger_proof *proof,
    struct fault *f);

#endif
