#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger_book.h"
#include "ledger/ledger_head.h"

#include <string.h>

/* Is the book what was written, whole and in order? */

static const char walk_sql[] = "SELECT * FROM entry WHERE id > ?1 ORDER BY id";

/*
 * What must never be, each as a question for the first entry that is so.  The
 * chain has been walked by then: these find what a careful forger, or we,
 * could have chained.
 */
static const struct {
	const char *what;
	const char *sql;
} contradictions[] = {
	{ "is about nothing, or about another serial",
	    "SELECT e.id FROM entry e LEFT JOIN entry r ON r.id = e.intent"
	    " WHERE e.kind IN (2, 3, 4, 5) AND (r.id IS NULL OR r.kind <> 1"
	    " OR r.id >= e.id OR r.ca <> e.ca OR r.serial IS NOT e.serial)"
	    " ORDER BY e.id LIMIT 1" },
	{ "revokes what was never issued",
	    "SELECT e.id FROM entry e WHERE e.kind = 4 AND NOT EXISTS"
	    " (SELECT 1 FROM entry o WHERE o.kind IN (2, 3)"
	    " AND o.intent = e.intent AND o.kind = 2 AND o.id < e.id)"
	    " ORDER BY e.id LIMIT 1" },
	{ "files a CRL whose number was not taken",
	    "SELECT e.id FROM entry e LEFT JOIN entry r ON r.id = e.intent"
	    " WHERE e.kind = 7 AND (r.id IS NULL OR r.kind <> 6"
	    " OR r.ca <> e.ca OR r.number IS NOT e.number)"
	    " ORDER BY e.id LIMIT 1" },
	{ "has no outcome, and is not in the table of those",
	    "SELECT e.id FROM entry e WHERE e.kind = 1"
	    " AND e.id NOT IN (SELECT id FROM pending) AND NOT EXISTS"
	    " (SELECT 1 FROM entry o WHERE o.kind IN (2, 3)"
	    " AND o.intent = e.id) ORDER BY e.id LIMIT 1" },
	{ "is in the table of intents without outcome, and is none",
	    "SELECT p.id FROM pending p LEFT JOIN entry e USING (id)"
	    " WHERE e.kind IS NOT 1 OR EXISTS (SELECT 1 FROM entry o"
	    " WHERE o.kind IN (2, 3) AND o.intent = p.id)"
	    " ORDER BY p.id LIMIT 1" },
	{ "decides on what was never asked",
	    "SELECT e.id FROM entry e LEFT JOIN entry q ON q.id = e.intent"
	    " WHERE e.kind = 9 AND (q.id IS NULL OR q.kind <> 8"
	    " OR q.id >= e.id OR q.ca <> e.ca OR q.ref IS NOT e.ref"
	    " OR e.reason IS NULL OR e.reason NOT BETWEEN 1 AND 3)"
	    " ORDER BY e.id LIMIT 1" },
	{ "decides on a request that had come to its end",
	    "SELECT e.id FROM entry e WHERE e.kind = 9 AND (EXISTS"
	    " (SELECT 1 FROM entry d WHERE d.kind = 9"
	    " AND d.intent = e.intent AND d.reason <> 1 AND d.id < e.id)"
	    " OR EXISTS (SELECT 1 FROM entry s JOIN entry o"
	    " ON o.kind IN (2, 3) AND o.intent = s.id WHERE s.kind = 1"
	    " AND s.intent = e.intent AND o.kind = 2 AND o.id < e.id))"
	    " ORDER BY e.id LIMIT 1" },
	{ "answers what was never asked",
	    "SELECT e.id FROM entry e LEFT JOIN entry q ON q.id = e.intent"
	    " WHERE e.kind = 1 AND e.intent IS NOT NULL AND (q.id IS NULL"
	    " OR q.kind <> 8 OR q.id >= e.id OR q.ca <> e.ca)"
	    " ORDER BY e.id LIMIT 1" },
	{ "answers a request that was refused",
	    "SELECT e.id FROM entry e JOIN entry d ON d.kind = 9"
	    " AND d.intent = e.intent WHERE e.kind = 1"
	    " AND e.intent IS NOT NULL AND d.reason <> 1 AND d.id < e.id"
	    " ORDER BY e.id LIMIT 1" },
	{ "answers a request that has its answer",
	    "SELECT e.id FROM entry e JOIN entry s ON s.kind = 1"
	    " AND s.intent = e.intent WHERE e.kind = 1"
	    " AND e.intent IS NOT NULL AND s.id < e.id AND NOT EXISTS"
	    " (SELECT 1 FROM entry o WHERE o.kind IN (2, 3)"
	    " AND o.intent = s.id AND o.kind = 3 AND o.id < e.id)"
	    " ORDER BY e.id LIMIT 1" },
	{ "renews what was no login",
	    "SELECT e.id FROM entry e LEFT JOIN entry g ON g.id = e.number"
	    " WHERE e.kind = 1 AND e.number IS NOT NULL AND (g.id IS NULL"
	    " OR g.kind <> 1 OR g.number IS NOT NULL OR g.id >= e.id"
	    " OR g.subject IS NOT e.subject) ORDER BY e.id LIMIT 1" },
	{ "takes what a restore had said may be used",
	    "SELECT e.id FROM entry t JOIN entry e ON e.ca = t.ca"
	    " AND e.id > t.id WHERE t.kind = 10 AND ((e.kind = 1"
	    " AND e.serial <= t.serial) OR (e.kind = 6"
	    " AND e.number <= t.number)) ORDER BY e.id LIMIT 1" },
};

static int
wrong_entry(int64_t id, const char *what, struct fault *f)
{
	return fault_set(f, FAULT_LEDGER, "ledger: entry %lld %s",
	    (long long)id, what);
}

/* The hash that entry ${id} carries; zeroes for the one before the first. */
static int
hash_of(struct ledger *l, int64_t id, uint8_t hash[LEDGER_HASH_SIZE],
    struct fault *f)
{
	static const char sql[] = "SELECT hash FROM entry WHERE id = ?1";
	sqlite3_stmt *stmt;
	bool good;

	memset(hash, 0, LEDGER_HASH_SIZE);
	if (id == 0)
		return 0;
	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, sql);
	(void)sqlite3_bind_int64(stmt, 1, id);
	good = sqlite3_step(stmt) == SQLITE_ROW &&
	    sqlite3_column_bytes(stmt, 0) == LEDGER_HASH_SIZE;
	if (good)
		memcpy(hash, sqlite3_column_blob(stmt, 0), LEDGER_HASH_SIZE);
	(void)sqlite3_finalize(stmt);
	return good ? 0 : wrong_entry(id, "is missing", f);
}

static int
check_entry(struct ledger *l, sqlite3_stmt *stmt, struct ledger_walk *walk,
    struct fault *f)
{
	uint8_t hash[LEDGER_HASH_SIZE];
	struct ledger_entry e;

	ledger_entry_load(&e, stmt);
	if (e.value[LEDGER_COLUMN_ID].number != walk->id + 1)
		return wrong_entry(walk->id + 1, "is missing", f);
	walk->id++;
	if (ledger_entry_hash(&l->hasher, &e, walk->hash, hash, f) < 0)
		return -1;
	if (sqlite3_column_bytes(stmt, LEDGER_COLUMN_COUNT) !=
		LEDGER_HASH_SIZE ||
	    memcmp(hash, sqlite3_column_blob(stmt, LEDGER_COLUMN_COUNT),
		LEDGER_HASH_SIZE) != 0)
		return wrong_entry(walk->id, "is not what its hash says", f);
	memcpy(walk->hash, hash, sizeof(walk->hash));
	return walk->fn != NULL ? walk->fn(walk, &e, f) : 0;
}

int
ledger_walk(struct ledger *l, int64_t from, struct ledger_walk *walk,
    struct fault *f)
{
	sqlite3_stmt *stmt;
	int result = 0, rc;

	walk->id = from;
	if (hash_of(l, from, walk->hash, f) < 0)
		return -1;
	if (sqlite3_prepare_v2(l->db, walk_sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, walk_sql);
	(void)sqlite3_bind_int64(stmt, 1, from);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && result == 0)
		result = check_entry(l, stmt, walk, f);
	if (result == 0 && rc != SQLITE_DONE)
		result = ledger_db_fault(l, f, walk_sql);
	(void)sqlite3_finalize(stmt);
	return result;
}

/* The kind is known, and the certificate an ISSUE holds has the serial it was
 * issued for. */
static int
check_sense(const struct ledger_entry *e, struct fault *f)
{
	const struct ledger_value *serial = &e->value[LEDGER_COLUMN_SERIAL];
	int64_t id = e->value[LEDGER_COLUMN_ID].number;
	int64_t kind = e->value[LEDGER_COLUMN_KIND].number;
	uint8_t padded[LEDGER_SERIAL_SIZE];
	struct fault none;

	if (kind <= LEDGER_KIND_NONE || kind >= LEDGER_KIND_COUNT)
		return wrong_entry(id, "is of no kind that is known", f);
	if (kind != LEDGER_KIND_ISSUE)
		return 0;
	if (ledger_serial_pad(ledger_der_serial(e->value[LEDGER_COLUMN_DER]
						    .bytes),
		padded, &none) < 0 ||
	    serial->bytes.len != sizeof(padded) ||
	    memcmp(serial->bytes.data, padded, sizeof(padded)) != 0)
		return wrong_entry(id, "has a certificate of another serial",
		    f);
	return 0;
}

/* What is compared while the chain is walked. */
struct checking {
	struct ledger *l;
	struct tree_frontier tree;
	struct tree_frontier noted;
	const struct ledger_head *heads;
	size_t count;
};

/* The roots that were kept for a tree of this size. */
static int
check_kept(const struct checking *c, struct fault *f)
{
	uint8_t root[TREE_HASH_SIZE];

	for (size_t i = 0; i < c->count; i++) {
		if (c->heads[i].size != c->tree.size)
			continue;
		if (tree_root(&c->l->hasher, &c->tree, root, f) < 0)
			return -1;
		if (memcmp(root, c->heads[i].root, sizeof(root)) != 0)
			return fault_set(f, FAULT_UNTRUSTED,
			    "the first %llu entries are not those under the "
			    "kept head",
			    (unsigned long long)c->tree.size);
	}
	return 0;
}

/* As far as its nodes count, the note of the tree is the tree. */
static bool
is_noted(const struct tree_frontier *noted, const struct tree_frontier *tree)
{
	for (int i = 0; i < TREE_LEVELS; i++)
		if ((tree->size >> i & 1) != 0 &&
		    memcmp(noted->node[i], tree->node[i], TREE_HASH_SIZE) != 0)
			return false;
	return true;
}

static int
check_step(struct ledger_walk *walk, const struct ledger_entry *e,
    struct fault *f)
{
	struct checking *c = walk->arg;
	uint8_t leaf[TREE_HASH_SIZE];

	if (check_sense(e, f) < 0 ||
	    ledger_entry_leaf(&c->l->hasher, e, leaf, f) < 0 ||
	    tree_append(&c->l->hasher, &c->tree, leaf, f) < 0)
		return -1;
	if (c->noted.size == c->tree.size && !is_noted(&c->noted, &c->tree))
		return fault_set(f, FAULT_LEDGER,
		    "ledger: the note of the tree is not what the first %llu "
		    "entries make",
		    (unsigned long long)c->tree.size);
	return check_kept(c, f);
}

/* Of what was kept nothing may be larger than the ledger. */
static int
check_reach(const struct checking *c, struct fault *f)
{
	if (c->noted.size > c->tree.size)
		return fault_set(f, FAULT_LEDGER,
		    "ledger: the tree was noted at %llu entries, and %llu are "
		    "left",
		    (unsigned long long)c->noted.size,
		    (unsigned long long)c->tree.size);
	for (size_t i = 0; i < c->count; i++)
		if (c->heads[i].size > c->tree.size)
			return fault_set(f, FAULT_UNTRUSTED,
			    "the kept head has %llu entries, and %llu are left",
			    (unsigned long long)c->heads[i].size,
			    (unsigned long long)c->tree.size);
	return 0;
}

static int
check_rule(struct ledger *l, const struct ledger_rule *rule, struct fault *f)
{
	static const char sql[] = "SELECT sql FROM sqlite_schema"
				  " WHERE name = ?1";
	sqlite3_stmt *stmt;
	const char *found;
	bool same;

	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, sql);
	(void)sqlite3_bind_text(stmt, 1, rule->name, -1, SQLITE_STATIC);
	found = sqlite3_step(stmt) == SQLITE_ROW
	    ? (const char *)sqlite3_column_text(stmt, 0)
	    : NULL;
	same = found != NULL && strcmp(found, rule->sql) == 0;
	(void)sqlite3_finalize(stmt);
	if (!same)
		return fault_set(f, FAULT_LEDGER,
		    "ledger: the rule %s is not there, or was changed",
		    rule->name);
	return 0;
}

static int
check_rules(struct ledger *l, struct fault *f)
{
	int64_t want = 0, have, version;

	if (ledger_ask_number(l, "PRAGMA user_version", &version, f) < 0)
		return -1;
	/* They stand in the order of versions. */
	for (; ledger_rules[want].name != NULL &&
	     ledger_rules[want].version <= version;
	     want++)
		if (check_rule(l, &ledger_rules[want], f) < 0)
			return -1;
	if (ledger_ask_number(l, "SELECT count(*) FROM sqlite_schema", &have,
		f) < 0)
		return -1;
	if (have != want)
		return fault_set(f, FAULT_LEDGER,
		    "ledger: it holds tables or rules that are not ours");
	return 0;
}

/* Indexes against tables, and the pages under both. */
static int
check_pages(struct ledger *l, struct fault *f)
{
	static const char sql[] = "PRAGMA integrity_check(1)";
	sqlite3_stmt *stmt;
	const char *answer = NULL;
	int result = 0;

	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, sql);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		answer = (const char *)sqlite3_column_text(stmt, 0);
	if (answer == NULL)
		result = ledger_db_fault(l, f, sql);
	if (answer != NULL && strcmp(answer, "ok") != 0)
		result = fault_set(f, FAULT_LEDGER, "ledger: %s", answer);
	(void)sqlite3_finalize(stmt);
	return result;
}

static int
check_contradictions(struct ledger *l, struct fault *f)
{
	for (size_t i = 0;
	     i < sizeof(contradictions) / sizeof(contradictions[0]); i++) {
		sqlite3_stmt *stmt;
		int64_t id = 0;
		int rc;

		if (sqlite3_prepare_v2(l->db, contradictions[i].sql, -1, &stmt,
			NULL) != SQLITE_OK)
			return ledger_db_fault(l, f, contradictions[i].what);
		if ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
			id = sqlite3_column_int64(stmt, 0);
		(void)sqlite3_finalize(stmt);
		if (rc == SQLITE_ROW)
			return wrong_entry(id, contradictions[i].what, f);
		if (rc != SQLITE_DONE)
			return ledger_db_fault(l, f, contradictions[i].what);
	}
	return 0;
}

/* One view of the book, while others go on writing. */
static int
check_view(struct ledger *l, struct checking *c, struct ledger_walk *walk,
    struct fault *f)
{
	if (check_rules(l, f) < 0 || ledger_tree_load(l, &c->noted, f) < 0 ||
	    ledger_walk(l, 0, walk, f) < 0 || check_reach(c, f) < 0 ||
	    check_pages(l, f) < 0)
		return -1;
	return check_contradictions(l, f);
}

int
ledger_check_heads(struct ledger *l, const struct ledger_head *heads,
    size_t count, char chain[65], struct ledger_head *now, struct fault *f)
{
	struct checking c = { .l = l, .heads = heads, .count = count };
	struct ledger_walk walk = { .fn = check_step, .arg = &c };
	int result;

	if (sqlite3_exec(l->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, "check");
	result = check_view(l, &c, &walk, f);
	(void)sqlite3_exec(l->db, "COMMIT", NULL, NULL, NULL);
	if (result < 0 || tree_root(&l->hasher, &c.tree, now->root, f) < 0)
		return -1;
	text_hex(walk.hash, sizeof(walk.hash), chain);
	now->size = c.tree.size;
	return 0;
}

int
ledger_check(struct ledger *l, char head[65], uint64_t *entries,
    struct fault *f)
{
	struct ledger_head now = { 0 };

	if (ledger_check_heads(l, NULL, 0, head, &now, f) < 0)
		return -1;
	*entries = now.size;
	return 0;
}
