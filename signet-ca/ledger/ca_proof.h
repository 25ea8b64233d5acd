#ifndef SIGNET_CA_CA_PROOF_H
#define SIGNET_CA_CA_PROOF_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"
#include "ledger/ledger_tree.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A proof from a ledger's tree (RFC 9162 2.1.3, 2.1.4) as a file, one JSON
 * object (RFC 8259): that an entry is among those under a head ("proof":
 * "inclusion", with its number and its bytes in base64), or that those under an
 * earlier head are the first of those under a later ("consistency").  Heads are
 * checkpoints (checkpoint.h), as text.  Whether it proves anything is for who
 * reads it to see: nothing is checked here but its form.
 */
struct fault;

#define CA_PROOF_LEAF_MAX ((size_t)64 << 20) /* a list that was filed whole */
#define CA_PROOF_MAX (2 * CA_PROOF_LEAF_MAX) /* bytes of a file */

enum ca_proof_kind {
	CA_PROOF_ENTRY,
	CA_PROOF_GROWTH
};

struct ca_proof {
	enum ca_proof_kind kind;
	struct tree_proof path;
	struct buf head;
	uint64_t entry;	 /* ENTRY: its number, from 1 */
	struct buf leaf; /* ENTRY: its bytes */
	struct buf from; /* GROWTH: the earlier head, or empty */
};

/* One that holds nothing. */
struct ca_proof ca_proof_none(enum ca_proof_kind kind);
void ca_proof_clear(struct ca_proof *p);

/* Read one: FAULT_INPUT says what is missing or malformed.  Members that are
 * unknown are passed over, one that is given twice is refused.  ${p} is to be
 * cleared, also after a fault. */
CHECKED int ca_proof_read(struct wire_bytes text, struct ca_proof *p,
    struct fault *f);

/* Append it, without a line's end.  FAULT_INPUT for heads that are no text. */
CHECKED int ca_proof_write(const struct ca_proof *p, struct buf *out,
    struct fault *f);

#endif
