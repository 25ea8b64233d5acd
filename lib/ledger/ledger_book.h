#ifndef LEDGER_LEDGER_BOOK_H
#define LEDGER_LEDGER_BOOK_H

#include "ledger/ledger.h"
#include "ledger/ledger_entry.h"
#include "ledger/ledger_tree.h"

#include <sqlite3.h>

/* The inside of a ledger.  For the files of this room only. */

enum ledger_stmt {
#define STATEMENT(NAME, sql) LEDGER_STMT_##NAME,
#include "ledger/ledger_sql.def"
#undef STATEMENT
	LEDGER_STMT_COUNT
};

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *stmt[LEDGER_STMT_COUNT];
	struct ledger_hasher hasher;
	int lock; /* descriptor of the .lock file; -1 when opened to read */
	int64_t version; /* of the file, as of its opening */
	bool begun;
	bool spoilt;
	/* The end of the chain, as of this transaction. */
	int64_t last_id;
	uint8_t last_hash[LEDGER_HASH_SIZE];
};

#define LEDGER_APPLICATION 0x5369676e /* "Sign" */
#define LEDGER_VERSION 2

/* The statements that make an empty database a ledger, ended by NULL, the
 * names of what they make, and the version of the ledger that brought each.
 * They stand in the order of versions: an upgrade runs those that are new. */
struct ledger_rule {
	const char *name;
	const char *sql;
	int version;
};
extern const struct ledger_rule ledger_rules[];

/* A fault that SQLite's last failure caused: FAULT_LEDGER, and inside a
 * transaction the transaction is spoilt.  Returns -1. */
int ledger_db_fault(struct ledger *l, struct fault *f, const char *what);

/* ${number} as SQLite knows it, -1 after a fault. */
CHECKED int ledger_ask_number(struct ledger *l, const char *sql,
    int64_t *number, struct fault *f);

/* Step a statement that yields at most one row: 1 with a row, 0 without, -1
 * after a fault.  ledger_done() resets it. */
CHECKED int ledger_one(struct ledger *l, enum ledger_stmt which,
    struct fault *f);
void ledger_done(struct ledger *l, enum ledger_stmt which);

/* Inside a transaction: complete ${e} (id, time, hash), put it at the end of
 * the chain.  0; 1 if it is not unique as it must be, and nothing has changed;
 * -1 after a fault. */
CHECKED int ledger_put(struct ledger *l, struct ledger_entry *e,
    struct fault *f);

/* See that the file ${path} is there, empty if it is new. */
CHECKED int ledger_make_file(const char *path, struct fault *f);

/* Lock the ledger at ${path} as one of its writers; *${alone}: exclusively, as
 * there is no other, until ledger_share_writers(). */
CHECKED int ledger_lock_writers(struct ledger *l, const char *path, bool *alone,
    struct fault *f);
CHECKED int ledger_share_writers(const struct ledger *l, struct fault *f);

/* ${serial} as it stands in the database; FAULT_INPUT if it cannot be one. */
CHECKED int ledger_serial_pad(struct wire_bytes serial,
    uint8_t padded[LEDGER_SERIAL_SIZE], struct fault *f);

/* The serial in a certificate; failing that an empty one. */
struct wire_bytes ledger_der_serial(struct wire_bytes der);

/*
 * Walk the chain from the entry after ${from}, and check that ids have no gaps
 * and each hash is what it must be.  For each entry ${fn} (may be NULL) is
 * called; it returns -1 after a fault, and what it returns ends the walk if it
 * is not 0.  At the end ${id} and ${hash} are those
 * of the last entry.
 */
struct ledger_walk {
	int (*fn)(struct ledger_walk *walk, const struct ledger_entry *e,
	    struct fault *f);
	void *arg;
	int64_t id;
	uint8_t hash[LEDGER_HASH_SIZE];
};
CHECKED int ledger_walk(struct ledger *l, int64_t from,
    struct ledger_walk *walk, struct fault *f);

/* Inside a transaction: the entry of the request that may be signed now;
 * FAULT_ABSENT if there is none, FAULT_DENIED if it has come to its end,
 * FAULT_BUSY while a serial is reserved for it. */
CHECKED int ledger_request_ready(struct ledger *l, const char *ca,
    const char *id, int64_t *entry, struct fault *f);

/* What a restore said must not be used again: the highest serial, 20 octets
 * (zeroes if none), and the highest CRL number (0 if none). */
CHECKED int ledger_floor_find(struct ledger *l, const char *ca,
    uint8_t serial[LEDGER_SERIAL_SIZE], int64_t *number, struct fault *f);

/* ${serial}, at most 20 octets with any leading zeroes, as people write it:
 * whole octets, no leading zero octet.  "" if it is none. */
#define LEDGER_SERIAL_TEXT_SIZE (2 * LEDGER_SERIAL_SIZE + 1)
void ledger_serial_text(struct wire_bytes serial,
    char text[LEDGER_SERIAL_TEXT_SIZE]);

/* The serial a person typed, with any leading zeroes, as 20 octets. */
CHECKED int ledger_serial_read(const char *hex,
    uint8_t padded[LEDGER_SERIAL_SIZE], struct fault *f);

/* Make VOID the intent ${id} with the 20 octets of ${serial}. */
CHECKED int ledger_void_intent(struct ledger *l, int64_t id, const char *ca,
    struct wire_bytes serial, struct fault *f);

#endif
