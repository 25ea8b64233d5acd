#include "ledger/ledger_book.h"

#include <stddef.h>

/*
 * What makes an empty database a ledger.  The table `entry` is the book;
 * `pending`, the intents that have no outcome yet, could be made from it at
 * any time, and is there so that opening need not read the whole book.
 *
 * The indexes are partial: each kind of entry pays for its own only.  An
 * intent is the one place where a serial may be used, for ever; an intent has
 * one outcome; a CRL number is taken once and filed once; a request is known
 * by its identifier.  By entry_void and entry_expiry the states are counted
 * without reading the book, by entry_asked requests are found in their order,
 * by entry_named without their CA; for that the kind must be in them.
 * `frontier` is where the Merkle tree was when its head was last made; it too
 * could be made anew.
 *
 * The triggers make a slip impossible, not a crime: who can write to the file
 * can drop them, and is found out by the chain.
 */
const struct ledger_rule ledger_rules[] = {
	{ "entry",
	    "CREATE TABLE entry ("
#define COLUMN(NAME, name, type) #name " " type ", "
#include "ledger/ledger_column.def"
#undef COLUMN
	    "hash BLOB NOT NULL) STRICT",
	    1 },
	{ "pending", "CREATE TABLE pending (id INTEGER PRIMARY KEY) STRICT",
	    1 },
	{ "entry_serial",
	    "CREATE UNIQUE INDEX entry_serial ON entry (ca, serial)"
	    " WHERE kind = 1",
	    1 },
	{ "entry_outcome",
	    "CREATE UNIQUE INDEX entry_outcome ON entry (intent)"
	    " WHERE kind IN (2, 3)",
	    1 },
	{ "entry_verdict",
	    "CREATE INDEX entry_verdict ON entry (ca, intent)"
	    " WHERE kind IN (4, 5)",
	    1 },
	{ "entry_crl",
	    "CREATE UNIQUE INDEX entry_crl ON entry (ca, number)"
	    " WHERE kind = 6",
	    1 },
	{ "entry_filed",
	    "CREATE UNIQUE INDEX entry_filed ON entry (ca, number)"
	    " WHERE kind = 7",
	    1 },
	{ "entry_appended",
	    "CREATE TRIGGER entry_appended BEFORE INSERT ON entry"
	    " WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM entry)"
	    " BEGIN SELECT RAISE(ABORT, 'entries are only appended'); END",
	    1 },
	{ "entry_kept",
	    "CREATE TRIGGER entry_kept BEFORE DELETE ON entry"
	    " BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END",
	    1 },
	{ "entry_unchanged",
	    "CREATE TRIGGER entry_unchanged BEFORE UPDATE ON entry"
	    " BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END",
	    1 },
	{ "entry_request",
	    "CREATE UNIQUE INDEX entry_request ON entry (ca, ref)"
	    " WHERE kind = 8",
	    2 },
	{ "entry_asked",
	    "CREATE INDEX entry_asked ON entry (kind) WHERE kind = 8", 2 },
	{ "entry_named",
	    "CREATE INDEX entry_named ON entry (kind, ref) WHERE kind = 8", 2 },
	{ "entry_decision",
	    "CREATE INDEX entry_decision ON entry (intent) WHERE kind = 9", 2 },
	{ "entry_answer",
	    "CREATE INDEX entry_answer ON entry (intent)"
	    " WHERE kind = 1 AND intent IS NOT NULL",
	    2 },
	{ "entry_restore",
	    "CREATE INDEX entry_restore ON entry (ca) WHERE kind = 10", 2 },
	{ "entry_void",
	    "CREATE INDEX entry_void ON entry (ca, kind, intent)"
	    " WHERE kind = 3",
	    2 },
	{ "entry_expiry",
	    "CREATE INDEX entry_expiry ON entry (ca, kind, not_after)"
	    " WHERE kind = 1",
	    2 },
	{ "frontier",
	    "CREATE TABLE frontier (size INTEGER PRIMARY KEY,"
	    " nodes BLOB NOT NULL) STRICT",
	    2 },
	{ NULL, NULL, 0 },
};
