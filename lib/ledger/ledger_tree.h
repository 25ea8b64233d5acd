#ifndef LEDGER_LEDGER_TREE_H
#define LEDGER_LEDGER_TREE_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The Merkle tree over the entries of a ledger (RFC 9162 2.1, SHA-256): leaf
 * n-1 is entry n, as the bytes that the chain of hashes covers.  Its root and
 * its size are a head; who keeps one elsewhere can be shown later that an entry
 * is under it (inclusion), and that a later head only adds to it (consistency).
 *
 * Here: the arithmetic, which knows no ledger.  ledger_head.h has the rest.
 */
struct fault;
struct ledger_hasher;

#define TREE_HASH_SIZE 32
#define TREE_LEVELS 64
#define TREE_PROOF_MAX (TREE_LEVELS + 1)

struct tree_proof {
	size_t count;
	uint8_t node[TREE_PROOF_MAX][TREE_HASH_SIZE];
};

/* What an appender must remember: the root of each full subtree of which the
 * ${size} leaves are made, ${node[i]} over 2^i of them if bit i of ${size} is
 * set. */
struct tree_frontier {
	uint64_t size;
	uint8_t node[TREE_LEVELS][TREE_HASH_SIZE];
};

/* Append the leaf with the hash ${leaf}. */
CHECKED int tree_append(const struct ledger_hasher *h, struct tree_frontier *t,
    const uint8_t leaf[TREE_HASH_SIZE], struct fault *f);

/* The root of the leaves that were appended; that of none is SHA-256 of
 * nothing. */
CHECKED int tree_root(const struct ledger_hasher *h,
    const struct tree_frontier *t, uint8_t root[TREE_HASH_SIZE],
    struct fault *f);

/* The leaves [from, to) whose subtrees' roots are a proof, in its order. */
struct tree_range {
	uint64_t from;
	uint64_t to;
};
struct tree_plan {
	size_t count;
	struct tree_range range[TREE_PROOF_MAX];
};

/* RFC 9162 2.1.3.1: of leaf ${index} among ${size}; and 2.1.4.1: of the first
 * ${old} leaves among ${size}, 0 < ${old} <= ${size}. */
void tree_plan_inclusion(uint64_t index, uint64_t size, struct tree_plan *plan);
void tree_plan_consistency(uint64_t old, uint64_t size, struct tree_plan *plan);

/* The hash of the leaf with these bytes. */
CHECKED int tree_leaf(const struct ledger_hasher *h, struct wire_bytes leaf,
    uint8_t hash[TREE_HASH_SIZE], struct fault *f);

/* RFC 9162 2.1.3.2: FAULT_UNTRUSTED unless ${proof} shows that the leaf hash
 * ${leaf} is number ${index} of the ${size} under ${root}. */
CHECKED int tree_check_inclusion(const struct ledger_hasher *h,
    const uint8_t leaf[TREE_HASH_SIZE], uint64_t index, uint64_t size,
    const struct tree_proof *proof, const uint8_t root[TREE_HASH_SIZE],
    struct fault *f);

/* RFC 9162 2.1.4.2: FAULT_UNTRUSTED unless ${proof} shows that the ${old}
 * leaves under ${old_root} are the first of the ${size} under ${root}.  With
 * the same size the roots are the same and the proof is empty; nothing is the
 * beginning of everything. */
CHECKED int tree_check_consistency(const struct ledger_hasher *h, uint64_t old,
    const uint8_t old_root[TREE_HASH_SIZE], uint64_t size,
    const uint8_t root[TREE_HASH_SIZE], const struct tree_proof *proof,
    struct fault *f);

#endif
