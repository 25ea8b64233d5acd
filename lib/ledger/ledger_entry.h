#ifndef LEDGER_LEDGER_ENTRY_H
#define LEDGER_LEDGER_ENTRY_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One entry of the ledger in memory: made from ledger_column.def, bound to and
 * loaded from a statement, and hashed.  For the files of this room only.
 */
struct fault;
struct sqlite3_stmt;
struct evp_md_st;
struct evp_md_ctx_st;

enum ledger_column {
#define COLUMN(NAME, name, type) LEDGER_COLUMN_##NAME,
#include "ledger/ledger_column.def"
#undef COLUMN
	LEDGER_COLUMN_COUNT /* the hash is the column after the last */
};

enum ledger_kind {
	LEDGER_KIND_NONE,
#define KIND(NAME, name) LEDGER_KIND_##NAME,
#include "ledger/ledger_kind.def"
#undef KIND
	LEDGER_KIND_COUNT
};

#define LEDGER_SERIAL_SIZE 20
#define LEDGER_HASH_SIZE 32
#define LEDGER_REASON_HOLD 6 /* certificateHold, RFC 5280 5.3.1 */

enum ledger_value_type {
	LEDGER_VALUE_NULL,
	LEDGER_VALUE_NUMBER,
	LEDGER_VALUE_TEXT,
	LEDGER_VALUE_BYTES
};

/* Texts and bytes are borrowed. */
struct ledger_value {
	enum ledger_value_type type;
	int64_t number;
	struct wire_bytes bytes;
};

struct ledger_entry {
	struct ledger_value value[LEDGER_COLUMN_COUNT];
};

/* What SHA-256 needs, fetched once. */
struct ledger_hasher {
	struct evp_md_st *md;
	struct evp_md_ctx_st *ctx;
};
CHECKED int ledger_hasher_open(struct ledger_hasher *h, struct fault *f);
void ledger_hasher_close(struct ledger_hasher *h);
/* SHA-256 of ${count} parts, one after the other. */
CHECKED int ledger_hasher_run(const struct ledger_hasher *h,
    const struct wire_bytes *parts, size_t count,
    uint8_t hash[LEDGER_HASH_SIZE], struct fault *f);

void ledger_entry_number(struct ledger_entry *e, enum ledger_column column,
    int64_t number);
void ledger_entry_text(struct ledger_entry *e, enum ledger_column column,
    const char *text);
void ledger_entry_bytes(struct ledger_entry *e, enum ledger_column column,
    struct wire_bytes bytes);

/* Bind all columns to the parameters 1.. of ${stmt}, and ${hash} after them.
 * Returns an SQLite code. */
CHECKED int ledger_entry_bind(const struct ledger_entry *e,
    const uint8_t hash[LEDGER_HASH_SIZE], struct sqlite3_stmt *stmt);

/* The row ${stmt} stands on, which must have all columns in order; borrowed
 * until its next step. */
void ledger_entry_load(struct ledger_entry *e, struct sqlite3_stmt *stmt);

/**
 * ledger_entry_hash(h, e, previous, hash, f):
 * SHA-256 of the hash before this entry and the entry's own bytes: for each
 * column one octet that says its type, then 8 octets of a number, or 4 of a
 * length and the text or bytes.
 */
CHECKED int ledger_entry_hash(const struct ledger_hasher *h,
    const struct ledger_entry *e, const uint8_t previous[LEDGER_HASH_SIZE],
    uint8_t hash[LEDGER_HASH_SIZE], struct fault *f);

/* The same bytes as a leaf of the Merkle tree (RFC 9162 2.1.1): their hash with
 * an octet 0 before them; and the bytes themselves, appended to ${out}. */
CHECKED int ledger_entry_leaf(const struct ledger_hasher *h,
    const struct ledger_entry *e, uint8_t hash[LEDGER_HASH_SIZE],
    struct fault *f);
void ledger_entry_put(const struct ledger_entry *e, struct buf *out);

#endif
