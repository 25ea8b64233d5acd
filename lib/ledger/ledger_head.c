#include "ledger/ledger_head.h"

#include "base/fault.h"
#include "ledger/ledger_book.h"

#include <stdlib.h>
#include <string.h>

/* Reads are of one moment, unless there is a transaction already. */
static bool
view_begin(struct ledger *l)
{
	return sqlite3_get_autocommit(l->db) &&
	    sqlite3_exec(l->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
}

static void
view_end(struct ledger *l, bool view)
{
	if (view)
		(void)sqlite3_exec(l->db, "COMMIT", NULL, NULL, NULL);
}

int
ledger_tree_load(struct ledger *l, struct tree_frontier *t, struct fault *f)
{
	static const char sql[] = "SELECT size, nodes FROM frontier"
				  " ORDER BY size DESC LIMIT 1";
	sqlite3_stmt *stmt;
	int rc, result = 0;

	memset(t, 0, sizeof(*t));
	if (l->version < 2)
		return 0;
	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, sql);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		t->size = (uint64_t)sqlite3_column_int64(stmt, 0);
		if (sqlite3_column_bytes(stmt, 1) == sizeof(t->node))
			memcpy(t->node, sqlite3_column_blob(stmt, 1),
			    sizeof(t->node));
		else
			result = fault_set(f, FAULT_LEDGER,
			    "ledger: the note of the tree is damaged");
	}
	(void)sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE
	    ? result
	    : ledger_db_fault(l, f, sql);
}

static int
replace_frontier(struct ledger *l, const struct tree_frontier *t,
    struct fault *f)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sqlite3_exec(l->db, "DELETE FROM frontier", NULL, NULL, NULL) !=
		SQLITE_OK ||
	    sqlite3_prepare_v2(l->db, "INSERT INTO frontier VALUES (?1, ?2)",
		-1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, "frontier");
	(void)sqlite3_bind_int64(stmt, 1, (int64_t)t->size);
	(void)sqlite3_bind_blob(stmt, 2, t->node, sizeof(t->node),
	    SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	(void)sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : ledger_db_fault(l, f, "frontier");
}

static int
save_frontier(struct ledger *l, const struct tree_frontier *t, struct fault *f)
{
	if (ledger_begin(l, f) < 0)
		return -1;
	if (replace_frontier(l, t, f) < 0 || ledger_end(l, f) < 0) {
		ledger_cancel(l);
		return -1;
	}
	return 0;
}

/* What grows while the ledger is walked. */
struct growing {
	struct ledger *l;
	struct tree_frontier all;
	/* Of a proof: the trees over the ranges of its plan, in its order. */
	struct tree_plan plan;
	struct tree_frontier part[TREE_PROOF_MAX];
	struct ledger_head
	    old;	/* its root is taken when that size is reached */
	uint64_t entry; /* whose bytes are wanted, or 0 */
	struct buf *leaf;
};

OWN_FREE_STRUCT(growing, free)

static int
grow(struct ledger_walk *walk, const struct ledger_entry *e, struct fault *f)
{
	struct growing *g = walk->arg;
	const struct ledger_hasher *h = &g->l->hasher;
	uint64_t index = g->all.size;
	uint8_t leaf[TREE_HASH_SIZE];

	if (ledger_entry_leaf(h, e, leaf, f) < 0 ||
	    tree_append(h, &g->all, leaf, f) < 0)
		return -1;
	for (size_t i = 0; i < g->plan.count; i++)
		if (index >= g->plan.range[i].from &&
		    index < g->plan.range[i].to &&
		    tree_append(h, &g->part[i], leaf, f) < 0)
			return -1;
	if (g->entry == index + 1)
		ledger_entry_put(e, g->leaf);
	return g->old.size == index + 1 ? tree_root(h, &g->all, g->old.root, f)
					: 0;
}

/* One who grows a tree by steps. */
struct step {
	struct ledger *l;
	struct tree_frontier *tree;
	uint64_t most;
};

static int
grow_one(struct ledger_walk *walk, const struct ledger_entry *e,
    struct fault *f)
{
	struct step *step = walk->arg;
	uint8_t leaf[TREE_HASH_SIZE];

	if (ledger_entry_leaf(&step->l->hasher, e, leaf, f) < 0 ||
	    tree_append(&step->l->hasher, step->tree, leaf, f) < 0)
		return -1;
	return --step->most == 0 ? 1 : 0;
}

int
ledger_tree_grow(struct ledger *l, struct tree_frontier *t, uint64_t most,
    struct fault *f)
{
	struct step step = { l, t, most };
	struct ledger_walk walk = { .fn = grow_one, .arg = &step };

	/* What may yet be taken back is not of the log. */
	if (l->begun)
		return fault_set(f, FAULT_INTERNAL,
		    "ledger: heads are made between transactions");
	return ledger_walk(l, (int64_t)t->size, &walk, f);
}

int
ledger_tree_head(struct ledger *l, const struct tree_frontier *t,
    struct ledger_head *head, struct fault *f)
{
	if (tree_root(&l->hasher, t, head->root, f) < 0)
		return -1;
	head->size = t->size;
	return l->lock < 0 || l->begun ? 0 : save_frontier(l, t, f);
}

int
ledger_head_next(struct ledger *l, struct ledger_head *head, struct fault *f)
{
	struct tree_frontier tree;

	if (ledger_tree_load(l, &tree, f) < 0 ||
	    ledger_tree_grow(l, &tree, UINT64_MAX, f) < 0)
		return -1;
	return ledger_tree_head(l, &tree, head, f);
}

/* How many entries there are in this view. */
static int
count_entries(struct ledger *l, uint64_t *size, struct fault *f)
{
	int64_t last;

	if (ledger_ask_number(l, "SELECT coalesce(max(id), 0) FROM entry",
		&last, f) < 0)
		return -1;
	*size = (uint64_t)last;
	return 0;
}

/* Walk with ${g} planned, and make the proof. */
static int
run_plan(struct ledger *l, struct growing *g, struct ledger_proof *proof,
    struct fault *f)
{
	struct ledger_walk walk = { .fn = grow, .arg = g };

	if (ledger_walk(l, 0, &walk, f) < 0 ||
	    tree_root(&l->hasher, &g->all, proof->head.root, f) < 0)
		return -1;
	proof->head.size = g->all.size;
	proof->old = g->old;
	proof->path.count = g->plan.count;
	for (size_t i = 0; i < g->plan.count; i++)
		if (tree_root(&l->hasher, &g->part[i], proof->path.node[i], f) <
		    0)
			return -1;
	return 0;
}

/* What is to be proved of a ledger of ${size} entries goes into g->plan. */
typedef int plan_fn(struct growing *g, uint64_t size, struct fault *f);

static int
plan_entry(struct growing *g, uint64_t size, struct fault *f)
{
	if (g->entry < 1 || g->entry > size)
		return fault_set(f, FAULT_ABSENT,
		    "the ledger has no entry %llu: it has %llu",
		    (unsigned long long)g->entry, (unsigned long long)size);
	tree_plan_inclusion(g->entry - 1, size, &g->plan);
	return 0;
}

static int
plan_growth(struct growing *g, uint64_t size, struct fault *f)
{
	if (g->old.size < 1 || g->old.size > size)
		return fault_set(f, FAULT_ABSENT,
		    "the ledger has %llu entries, the earlier head %llu",
		    (unsigned long long)size, (unsigned long long)g->old.size);
	tree_plan_consistency(g->old.size, size, &g->plan);
	return 0;
}

/* All of it from one moment of the ledger. */
static int
prove(struct growing *g, plan_fn *plan, struct ledger_proof *proof,
    struct fault *f)
{
	bool view = view_begin(g->l);
	uint64_t size;
	int result = count_entries(g->l, &size, f);

	if (result == 0)
		result = plan(g, size, f);
	if (result == 0)
		result = run_plan(g->l, g, proof, f);
	view_end(g->l, view);
	return result;
}

static struct growing *
growing_new(struct ledger *l, struct fault *f)
{
	struct growing *g = calloc(1, sizeof(*g));

	if (g == NULL)
		(void)fault_set(f, FAULT_MEMORY, "proof");
	else
		g->l = l;
	return g;
}

int
ledger_prove_entry(struct ledger *l, uint64_t entry, struct ledger_proof *proof,
    struct buf *leaf, struct fault *f)
{
	OWN_STRUCT(growing) g = growing_new(l, f);

	if (g == NULL)
		return -1;
	g->entry = entry;
	g->leaf = leaf;
	if (prove(g, plan_entry, proof, f) < 0)
		return -1;
	return leaf->failed ? fault_set(f, FAULT_MEMORY, "proof") : 0;
}

int
ledger_prove_growth(struct ledger *l, uint64_t old, struct ledger_proof *proof,
    struct fault *f)
{
	OWN_STRUCT(growing) g = growing_new(l, f);

	if (g == NULL)
		return -1;
	g->old.size = old;
	return prove(g, plan_growth, proof, f);
}

int
ledger_proof_check_entry(const struct ledger_proof *proof, uint64_t entry,
    struct wire_bytes leaf, struct fault *f)
{
	uint8_t hash[TREE_HASH_SIZE];
	struct ledger_hasher h;
	int result;

	if (entry < 1)
		return fault_set(f, FAULT_UNTRUSTED, "entries begin with 1");
	if (ledger_hasher_open(&h, f) < 0)
		return -1;
	result = tree_leaf(&h, leaf, hash, f);
	if (result == 0)
		result = tree_check_inclusion(&h, hash, entry - 1,
		    proof->head.size, &proof->path, proof->head.root, f);
	ledger_hasher_close(&h);
	return result;
}

int
ledger_proof_check_growth(const struct ledger_proof *proof, struct fault *f)
{
	struct ledger_hasher h;
	int result;

	if (ledger_hasher_open(&h, f) < 0)
		return -1;
	result = tree_check_consistency(&h, proof->old.size, proof->old.root,
	    proof->head.size, proof->head.root, &proof->path, f);
	ledger_hasher_close(&h);
	return result;
}
