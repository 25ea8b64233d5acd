#include "ledger/ledger.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 5000

static const char put_sql[] = "INSERT INTO entry VALUES ("
#define COLUMN(NAME, name, type) "?, "
#include "ledger/ledger_column.def"
#undef COLUMN
			      "?)";

#define LEDGER_PUT put_sql
static const char *const statements[LEDGER_STMT_COUNT] = {
#define STATEMENT(NAME, sql) [LEDGER_STMT_##NAME] = sql,
#include "ledger/ledger_sql.def"
#undef STATEMENT
};

/*
 * journal_mode WAL: readers do not stop the writer, and a commit is one write
 * and one sync.  synchronous FULL: that sync is there at every commit, so what
 * was committed outlives a power failure; NORMAL would lose the last ones.
 * wal_autocheckpoint: 16 MiB of WAL before it is moved into the database, so
 * that the two further syncs of a checkpoint are rare.  journal_size_limit:
 * the WAL, which stays for readers, shrinks back after a burst.  temp_store:
 * no other file is ever wanted (the walls would refuse it).  trusted_schema
 * and DEFENSIVE: a schema that was tampered with calls nothing.
 */
static const char pragmas[] = "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA wal_autocheckpoint = 4096;"
			      "PRAGMA journal_size_limit = 33554432;"
			      "PRAGMA cache_size = -16384;"
			      "PRAGMA temp_store = MEMORY;"
			      "PRAGMA trusted_schema = OFF;";

int
ledger_db_fault(struct ledger *l, struct fault *f, const char *what)
{
	int system = sqlite3_system_errno(l->db);

	if (l->begun)
		l->spoilt = true;
	return fault_set(f, FAULT_LEDGER, "ledger: %s: %s%s%s", what,
	    sqlite3_errmsg(l->db), system != 0 ? ": " : "",
	    system != 0 ? strerror(system) : "");
}

int
ledger_ask_number(struct ledger *l, const char *sql, int64_t *number,
    struct fault *f)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, sql);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*number = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	if (rc != SQLITE_ROW)
		return ledger_db_fault(l, f, sql);
	return 0;
}

int
ledger_one(struct ledger *l, enum ledger_stmt which, struct fault *f)
{
	int rc = sqlite3_step(l->stmt[which]);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return ledger_db_fault(l, f, statements[which]);
}

void
ledger_done(struct ledger *l, enum ledger_stmt which)
{
	(void)sqlite3_reset(l->stmt[which]);
	(void)sqlite3_clear_bindings(l->stmt[which]);
}

static int
run(struct ledger *l, const char *sql, struct fault *f)
{
	if (sqlite3_exec(l->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, sql);
	return 0;
}

/* The rules that a ledger of version ${have} (0: an empty file) lacks. */
static int
make_rules(struct ledger *l, int64_t have, struct fault *f)
{
	char sql[96];

	for (const struct ledger_rule *r = ledger_rules; r->name != NULL; r++)
		if (r->version > have && run(l, r->sql, f) < 0)
			return -1;
	if (text_fmt(sql, sizeof(sql),
		"PRAGMA application_id = %d; PRAGMA user_version = %d",
		LEDGER_APPLICATION, LEDGER_VERSION) < 0)
		return fault_set(f, FAULT_INTERNAL, "ledger: version");
	return run(l, sql, f);
}

static int
check_version(struct ledger *l, struct fault *f)
{
	int64_t application, version;

	if (ledger_ask_number(l, "PRAGMA application_id", &application, f) <
		0 ||
	    ledger_ask_number(l, "PRAGMA user_version", &version, f) < 0)
		return -1;
	if (application != LEDGER_APPLICATION)
		return fault_set(f, FAULT_LEDGER,
		    "ledger: the file is not a ledger");
	if (version < 1 || version > LEDGER_VERSION)
		return fault_set(f, FAULT_LEDGER,
		    "ledger: version %lld is not known here",
		    (long long)version);
	l->version = version;
	return 0;
}

/* An older ledger gets what it lacks; the entries stay as they are. */
static int
upgrade(struct ledger *l, struct fault *f)
{
	if (check_version(l, f) < 0)
		return -1;
	return l->version < LEDGER_VERSION ? make_rules(l, l->version, f) : 0;
}

/* Two that open a new ledger at the same time must not both make it, nor both
 * upgrade an old one. */
static int
make_or_upgrade(struct ledger *l, struct fault *f)
{
	int64_t tables;
	int result;

	if (run(l, "BEGIN IMMEDIATE", f) < 0)
		return -1;
	result = ledger_ask_number(l, "SELECT count(*) FROM sqlite_schema",
	    &tables, f);
	if (result == 0)
		result = tables == 0 ? make_rules(l, 0, f) : upgrade(l, f);
	if (result == 0)
		result = run(l, "COMMIT", f);
	if (result < 0)
		(void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

static int
prepare_all(struct ledger *l, struct fault *f)
{
	for (int i = 0; i < LEDGER_STMT_COUNT; i++)
		if (sqlite3_prepare_v3(l->db, statements[i], -1,
			SQLITE_PREPARE_PERSISTENT, &l->stmt[i],
			NULL) != SQLITE_OK)
			return ledger_db_fault(l, f, statements[i]);
	return 0;
}

static int
open_db(struct ledger *l, const char *path, int flags, struct fault *f)
{
	int on = 1;

	if (sqlite3_open_v2(path, &l->db,
		flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, path);
	(void)sqlite3_busy_timeout(l->db, BUSY_MS);
	(void)sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_file_control(l->db, "main", SQLITE_FCNTL_PERSIST_WAL,
	    &on);
	return 0;
}

/* The last entry must be what its hash says, or nothing is built on it. */
static int
check_last(struct ledger *l, struct fault *f)
{
	struct ledger_walk walk = { .fn = NULL };
	int64_t last;

	if (ledger_ask_number(l, "SELECT coalesce(max(id), 0) FROM entry",
		&last, f) < 0)
		return -1;
	l->last_id = last;
	return last > 0 ? ledger_walk(l, last - 1, &walk, f) : 0;
}

/* Intents that a crash left behind: their serials stay used. */
static int
void_pending(struct ledger *l, unsigned *voided, struct fault *f)
{
	unsigned count = 0;
	int more;

	if (ledger_begin(l, f) < 0)
		return -1;
	while ((more = ledger_one(l, LEDGER_STMT_PENDING, f)) == 1) {
		sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_PENDING];
		int64_t id = sqlite3_column_int64(stmt, 0);
		struct wire_bytes serial = {
			sqlite3_column_blob(stmt, 2),
			(size_t)sqlite3_column_bytes(stmt, 2),
		};

		more = ledger_void_intent(l, id,
		    (const char *)sqlite3_column_text(stmt, 1), serial, f);
		ledger_done(l, LEDGER_STMT_PENDING);
		if (more < 0)
			break;
		count++;
	}
	ledger_done(l, LEDGER_STMT_PENDING);
	if (more < 0 || ledger_end(l, f) < 0) {
		ledger_cancel(l);
		return -1;
	}
	if (voided != NULL)
		*voided = count;
	return 0;
}

static int
open_write(struct ledger *l, const char *path, unsigned *voided,
    struct fault *f)
{
	bool alone;

	if (ledger_make_file(path, f) < 0 ||
	    ledger_lock_writers(l, path, &alone, f) < 0 ||
	    open_db(l, path, SQLITE_OPEN_READWRITE, f) < 0 ||
	    run(l, pragmas, f) < 0 || make_or_upgrade(l, f) < 0 ||
	    check_version(l, f) < 0 || check_last(l, f) < 0 ||
	    prepare_all(l, f) < 0)
		return -1;
	if (voided != NULL)
		*voided = 0;
	if (!alone)
		return 0;
	if (void_pending(l, voided, f) < 0)
		return -1;
	return ledger_share_writers(l, f);
}

static struct ledger *
ledger_new(struct fault *f)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "ledger");
		return NULL;
	}
	l->lock = -1;
	if (ledger_hasher_open(&l->hasher, f) < 0) {
		free(l);
		return NULL;
	}
	return l;
}

struct ledger *
ledger_open(const char *path, unsigned *voided, struct fault *f)
{
	OWN_STRUCT(ledger) l = ledger_new(f);

	if (l == NULL || open_write(l, path, voided, f) < 0)
		return NULL;
	return TAKE(l);
}

struct ledger *
ledger_open_read(const char *path, struct fault *f)
{
	OWN_STRUCT(ledger) l = ledger_new(f);

	if (l == NULL)
		return NULL;
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		(void)fault_set(f, FAULT_ABSENT, "ledger: %s: %s", path,
		    strerror(errno));
		return NULL;
	}
	if (open_db(l, path, SQLITE_OPEN_READONLY, f) < 0 ||
	    run(l, "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF",
		f) < 0 ||
	    check_version(l, f) < 0 || prepare_all(l, f) < 0)
		return NULL;
	return TAKE(l);
}

void
ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	if (l->begun)
		ledger_cancel(l);
	for (int i = 0; i < LEDGER_STMT_COUNT; i++)
		(void)sqlite3_finalize(l->stmt[i]);
	(void)sqlite3_close(l->db);
	if (l->lock >= 0)
		(void)close(l->lock);
	ledger_hasher_close(&l->hasher);
	free(l);
}

uint64_t
ledger_entries(const struct ledger *l)
{
	return (uint64_t)l->last_id;
}

/* Another process may have written since: the end of the chain is read again
 * in each transaction. */
static int
read_last(struct ledger *l, struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_LAST];
	int found = ledger_one(l, LEDGER_STMT_LAST, f);

	l->last_id = 0;
	memset(l->last_hash, 0, sizeof(l->last_hash));
	if (found == 1) {
		l->last_id = sqlite3_column_int64(stmt, 0);
		if (sqlite3_column_bytes(stmt, 1) == LEDGER_HASH_SIZE)
			memcpy(l->last_hash, sqlite3_column_blob(stmt, 1),
			    LEDGER_HASH_SIZE);
	}
	ledger_done(l, LEDGER_STMT_LAST);
	return found < 0 ? -1 : 0;
}

int
ledger_begin(struct ledger *l, struct fault *f)
{
	int result;

	if (l->begun || l->lock < 0)
		return fault_set(f, FAULT_INTERNAL,
		    "ledger: a transaction in a transaction, or to read");
	result = ledger_one(l, LEDGER_STMT_BEGIN, f);
	ledger_done(l, LEDGER_STMT_BEGIN);
	if (result < 0)
		return -1;
	l->begun = true;
	l->spoilt = false;
	if (read_last(l, f) < 0) {
		ledger_cancel(l);
		return -1;
	}
	return 0;
}

int
ledger_end(struct ledger *l, struct fault *f)
{
	int result;

	if (!l->begun)
		return fault_set(f, FAULT_INTERNAL, "ledger: no transaction");
	if (l->spoilt)
		return fault_set(f, FAULT_LEDGER,
		    "ledger: the transaction has failed before");
	result = ledger_one(l, LEDGER_STMT_END, f);
	ledger_done(l, LEDGER_STMT_END);
	if (result < 0)
		return -1;
	l->begun = false;
	return 0;
}

void
ledger_cancel(struct ledger *l)
{
	for (int i = 0; i < LEDGER_STMT_COUNT; i++)
		if (l->stmt[i] != NULL)
			ledger_done(l, (enum ledger_stmt)i);
	/* A full disk may have made SQLite roll back by itself. */
	if (!sqlite3_get_autocommit(l->db))
		(void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
	l->begun = false;
	l->spoilt = false;
}

bool
ledger_spoilt(const struct ledger *l)
{
	return l->spoilt;
}

int
ledger_settle(struct ledger *l, int result, struct fault *f)
{
	if (result == 0)
		result = ledger_end(l, f);
	if (result < 0)
		ledger_cancel(l);
	return result;
}
