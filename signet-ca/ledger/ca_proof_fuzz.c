/* A proof that is read, written and read again is the same. */
#include "ca_proof.h"

#include "base/fault.h"
#include "ledger/checkpoint.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len &&
	    (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void
must_be_proof(const struct ca_proof *p)
{
	must(p->path.count <= TREE_PROOF_MAX);
	must(p->head.len > 0 && p->head.len <= CHECKPOINT_MAX);
	must(p->from.len <= CHECKPOINT_MAX);
	if (p->kind == CA_PROOF_ENTRY)
		must(p->entry >= 1 && p->from.len == 0);
	else
		must(p->entry == 0 && p->leaf.len == 0);
}

static void
must_be_same(const struct ca_proof *p)
{
	struct ca_proof again;
	struct fault f = { 0 };
	OWN_BUF(text, CA_PROOF_MAX);
	OWN_BUF(twice, CA_PROOF_MAX);

	must(ca_proof_write(p, &text, &f) == 0);
	must(ca_proof_read((struct wire_bytes){ text.data, text.len }, &again,
		 &f) == 0);
	must(again.kind == p->kind && again.entry == p->entry);
	must(same(&again.head, &p->head) && same(&again.leaf, &p->leaf) &&
	    same(&again.from, &p->from));
	must(again.path.count == p->path.count &&
	    memcmp(again.path.node, p->path.node,
		p->path.count * TREE_HASH_SIZE) == 0);
	must(ca_proof_write(&again, &twice, &f) == 0);
	must(same(&text, &twice));
	ca_proof_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ca_proof p;
	struct fault f = { 0 };

	if (ca_proof_read((struct wire_bytes){ data, size }, &p, &f) == 0) {
		must_be_proof(&p);
		must_be_same(&p);
	} else {
		must(f.code == FAULT_INPUT && f.text[0] != '\0');
	}
	ca_proof_clear(&p);
	return 0;
}
