#include "ledger/ledger_lists.h"

#include "base/fault.h"
#include "ledger/ledger_book.h"

#include <string.h>

/* In the order of intents, each one's verdicts from first to last. */
static const char verdicts_sql[] =
    "SELECT v.intent, v.id, v.kind, v.reason, v.revoked, v.serial, r.not_after"
    " FROM entry v INDEXED BY entry_verdict CROSS JOIN entry r"
    " ON r.id = v.intent WHERE v.kind IN (4, 5) AND v.ca = ?1"
    " AND v.intent > ?2 AND v.id <= ?3 ORDER BY v.intent, v.id";

/* By row, not by index: what is new is few. */
static const char news_sql[] =
    "SELECT id, kind, ca FROM entry NOT INDEXED WHERE id > ?1 ORDER BY id";

static const char last_sql[] =
    "SELECT f.number, f.intent, t.time, f.not_before, f.not_after"
    " FROM entry f JOIN entry t ON t.id = f.intent"
    " WHERE f.kind = 7 AND f.ca = ?1 AND (?2 = 0 OR f.not_before <= ?2)"
    " ORDER BY f.number DESC LIMIT 1";

static const char floor_sql[] =
    "SELECT max(not_before) FROM entry WHERE kind = 7 AND ca = ?1"
    " AND not_before <= time AND not_before <= ?2";

static const char taken_sql[] =
    "SELECT id FROM entry WHERE kind = 6 AND ca = ?1 AND number = ?2";

static sqlite3_stmt *
prepare(struct ledger *l, const char *sql, const char *ca, struct fault *f)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
		(void)ledger_db_fault(l, f, "lists");
		return NULL;
	}
	if (ca != NULL)
		(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	return stmt;
}

/* The serial is 20 octets, with leading zeroes. */
static struct wire_bytes
magnitude(sqlite3_stmt *stmt, int column)
{
	struct wire_bytes serial = { sqlite3_column_blob(stmt, column),
		(size_t)sqlite3_column_bytes(stmt, column) };

	while (serial.len > 1 && *serial.data == 0) {
		serial.data++;
		serial.len--;
	}
	return serial;
}

/* The last verdict on one intent, until the next intent comes. */
struct verdict {
	struct ledger_verdict line;
	uint8_t serial[LEDGER_SERIAL_SIZE];
	uint64_t intent; /* 0: none yet */
	bool revoked;
};

static void
load(sqlite3_stmt *stmt, struct verdict *v)
{
	struct wire_bytes serial = magnitude(stmt, 5);

	v->intent = (uint64_t)sqlite3_column_int64(stmt, 0);
	v->revoked = sqlite3_column_int(stmt, 2) == LEDGER_KIND_REVOKE;
	v->line.entry = (uint64_t)sqlite3_column_int64(stmt, 1);
	v->line.reason = sqlite3_column_int(stmt, 3);
	v->line.revoked = (time_t)sqlite3_column_int64(stmt, 4);
	v->line.not_after = (time_t)sqlite3_column_int64(stmt, 6);
	v->line.serial.data = v->serial;
	v->line.serial.len =
	    serial.len <= sizeof(v->serial) ? serial.len : sizeof(v->serial);
	memcpy(v->serial, serial.data, v->line.serial.len);
}

static int
show(struct ledger_verdicts *at, const struct verdict *v, size_t *left,
    ledger_verdict_fn *fn, void *arg, struct fault *f)
{
	if (v->intent == 0)
		return 0;
	at->intent = v->intent;
	(*left)--;
	return v->revoked ? fn(arg, &v->line, f) : 0;
}

static int
show_some(struct ledger *l, sqlite3_stmt *stmt, struct ledger_verdicts *at,
    size_t most, ledger_verdict_fn *fn, void *arg, struct fault *f)
{
	struct verdict v = { .intent = 0 };
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		bool other =
		    (uint64_t)sqlite3_column_int64(stmt, 0) != v.intent;

		if (other && show(at, &v, &most, fn, arg, f) < 0)
			return -1;
		if (other && most == 0)
			return 1;
		load(stmt, &v);
	}
	if (rc != SQLITE_DONE)
		return ledger_db_fault(l, f, "lists");
	return show(at, &v, &most, fn, arg, f) < 0 ? -1 : 0;
}

int
ledger_verdicts(struct ledger *l, struct ledger_verdicts *at, size_t most,
    ledger_verdict_fn *fn, void *arg, struct fault *f)
{
	sqlite3_stmt *stmt = prepare(l, verdicts_sql, at->ca, f);
	int result;

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 2, (int64_t)at->intent);
	(void)sqlite3_bind_int64(stmt, 3, (int64_t)at->until);
	result = show_some(l, stmt, at, most, fn, arg, f);
	(void)sqlite3_finalize(stmt);
	return result;
}

int
ledger_news(struct ledger *l, uint64_t *since, ledger_news_fn *fn, void *arg,
    struct fault *f)
{
	sqlite3_stmt *stmt = prepare(l, news_sql, NULL, f);
	int rc;

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 1, (int64_t)*since);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int kind = sqlite3_column_int(stmt, 1);
		const char *ca = (const char *)sqlite3_column_text(stmt, 2);

		*since = (uint64_t)sqlite3_column_int64(stmt, 0);
		if (ca != NULL &&
		    (kind == LEDGER_KIND_REVOKE || kind == LEDGER_KIND_RELEASE))
			fn(arg, ca, *since);
	}
	(void)sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : ledger_db_fault(l, f, "lists");
}

/* The entry that took ${number}: 1 and its id, 0 if none. */
static int
find_taken(struct ledger *l, const char *ca, uint64_t number, int64_t *id,
    struct fault *f)
{
	sqlite3_stmt *stmt = prepare(l, taken_sql, ca, f);
	int rc;

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 2, (int64_t)number);
	rc = number <= INT64_MAX ? sqlite3_step(stmt) : SQLITE_DONE;
	if (rc == SQLITE_ROW)
		*id = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : ledger_db_fault(l, f, "lists");
}

int
ledger_list_file(struct ledger *l, const char *ca,
    const struct ledger_list *list, struct wire_bytes content, struct fault *f)
{
	struct ledger_entry e = { 0 };
	int64_t id = 0;
	int found = find_taken(l, ca, list->number, &id, f);

	if (found < 0)
		return -1;
	if (found == 0)
		return fault_set(f, FAULT_DENIED,
		    "ledger: %s never took this CRL number", ca);
	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_FILED);
	ledger_entry_number(&e, LEDGER_COLUMN_INTENT, id);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, ca);
	ledger_entry_number(&e, LEDGER_COLUMN_NUMBER, (int64_t)list->number);
	ledger_entry_number(&e, LEDGER_COLUMN_NOT_BEFORE, list->this_update);
	ledger_entry_number(&e, LEDGER_COLUMN_NOT_AFTER, list->next_update);
	ledger_entry_bytes(&e, LEDGER_COLUMN_DER, content);
	found = ledger_put(l, &e, f);
	if (found == 1)
		return fault_set(f, FAULT_DENIED,
		    "ledger: this CRL of %s was filed before", ca);
	return found;
}

int
ledger_list_last(struct ledger *l, const char *ca, time_t by,
    struct ledger_list *last, struct fault *f)
{
	sqlite3_stmt *stmt = prepare(l, last_sql, ca, f);
	struct ledger_list found = { 0 };
	int rc;

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 2, by);
	if ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		found.number = (uint64_t)sqlite3_column_int64(stmt, 0);
		found.entry = (uint64_t)sqlite3_column_int64(stmt, 1);
		found.taken = (time_t)sqlite3_column_int64(stmt, 2);
		found.this_update = (time_t)sqlite3_column_int64(stmt, 3);
		found.next_update = (time_t)sqlite3_column_int64(stmt, 4);
	}
	(void)sqlite3_finalize(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return ledger_db_fault(l, f, "lists");
	*last = found;
	return 0;
}

int
ledger_list_floor(struct ledger *l, const char *ca, time_t by, time_t *floor,
    struct fault *f)
{
	sqlite3_stmt *stmt = prepare(l, floor_sql, ca, f);
	int rc;

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 2, by);
	if ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		*floor = (time_t)sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : ledger_db_fault(l, f, "lists");
}
