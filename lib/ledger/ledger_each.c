#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger_book.h"

#include <string.h>

/* Reading the book: what became of each intent. */

/* r: the intent; o: its outcome; v: the last revocation or release. */
#define LINE                                                              \
	"SELECT r.id, r.time, r.serial, r.ca, r.ref, r.peer, r.username," \
	" r.principal, r.method, r.subject, r.profile, r.not_before,"     \
	" r.not_after, o.kind, o.der, v.kind, v.reason, v.revoked,"       \
	" (SELECT q.ref FROM entry q WHERE q.id = r.intent)"
#define LAST_VERDICT                                       \
	" (SELECT max(id) FROM entry WHERE kind IN (4, 5)" \
	" AND ca = r.ca AND intent = r.id)"
#define FILTER                                                        \
	" AND r.id > ?9 AND (?1 IS NULL OR r.ca = ?1)"                \
	" AND (?3 IS NULL OR instr(r.subject, ?3) > 0"                \
	" OR instr(r.principal, ?3) > 0 OR instr(r.username, ?3) > 0" \
	" OR instr(r.peer, ?3) > 0 OR instr(r.ref, ?3) > 0)"          \
	" AND (?7 IS NULL OR r.subject = ?7)"                         \
	" AND (?8 IS NULL OR r.username = ?8 OR r.principal = ?8"     \
	" OR EXISTS (SELECT 1 FROM entry q WHERE q.id = r.intent"     \
	" AND q.username = ?8))"                                      \
	" AND (?4 = 0 OR r.time >= ?4) AND (?5 = 0 OR r.time <= ?5)"  \
	" ORDER BY r.id LIMIT ?6"

static const char all_sql[] =
    LINE " FROM entry r"
	 " LEFT JOIN entry o ON o.kind IN (2, 3) AND o.intent = r.id"
	 " LEFT JOIN entry v ON v.id =" LAST_VERDICT
	 " WHERE r.kind = 1 AND ?2 IS NULL" FILTER;

/* By the index over serials, of one CA after the other: their names are found
 * by as many steps as there are CAs, not by a walk over what they issued. */
static const char serial_sql[] =
    "WITH RECURSIVE issuer (ca) AS (SELECT min(ca) FROM entry"
    " INDEXED BY entry_serial WHERE kind = 1 UNION ALL"
    " SELECT (SELECT min(e.ca) FROM entry e INDEXED BY entry_serial"
    " WHERE e.kind = 1 AND e.ca > issuer.ca) FROM issuer"
    " WHERE issuer.ca IS NOT NULL) " LINE " FROM issuer CROSS JOIN entry r"
    " INDEXED BY entry_serial ON r.ca = issuer.ca"
    " LEFT JOIN entry o ON o.kind IN (2, 3) AND o.intent = r.id"
    " LEFT JOIN entry v ON v.id =" LAST_VERDICT
    " WHERE r.kind = 1 AND r.serial = ?2" FILTER;

/* By the index over revocations: the list for a CRL must not cost a walk over
 * all that was ever issued. */
static const char revoked_sql[] =
    LINE " FROM entry r"
	 " JOIN entry o ON o.kind IN (2, 3) AND o.intent = r.id"
	 " JOIN entry v ON v.id =" LAST_VERDICT
	 " WHERE r.id IN (SELECT intent FROM entry INDEXED BY entry_verdict"
	 " WHERE kind IN (4, 5)) AND v.kind = 4"
	 " AND (?2 IS NULL OR r.serial = ?2)" FILTER;

static const char *
text_at(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text != NULL ? text : "";
}

static enum ledger_state
state_of(sqlite3_stmt *stmt)
{
	int outcome = sqlite3_column_int(stmt, 13);
	int verdict = sqlite3_column_int(stmt, 15);
	int reason = sqlite3_column_int(stmt, 16);

	if (verdict == LEDGER_KIND_REVOKE)
		return reason == LEDGER_REASON_HOLD ? LEDGER_HELD
						    : LEDGER_REVOKED;
	if (outcome == LEDGER_KIND_ISSUE)
		return LEDGER_ISSUED;
	return outcome == LEDGER_KIND_VOID ? LEDGER_VOID : LEDGER_RESERVED;
}

static void
load_line(sqlite3_stmt *stmt, const char *serial, struct ledger_line *line)
{
	bool revoked;

	line->entry = (uint64_t)sqlite3_column_int64(stmt, 0);
	line->when = (time_t)sqlite3_column_int64(stmt, 1);
	line->state = state_of(stmt);
	line->serial = serial;
	line->intent = (struct ledger_intent){
		.ca = text_at(stmt, 3),
		.ref = text_at(stmt, 4),
		.peer = text_at(stmt, 5),
		.username = text_at(stmt, 6),
		.principal = text_at(stmt, 7),
		.method = text_at(stmt, 8),
		.subject = text_at(stmt, 9),
		.profile = text_at(stmt, 10),
		.not_before = (time_t)sqlite3_column_int64(stmt, 11),
		.not_after = (time_t)sqlite3_column_int64(stmt, 12),
		.request = (const char *)sqlite3_column_text(stmt, 18),
	};
	line->der.data = sqlite3_column_blob(stmt, 14);
	line->der.len = (size_t)sqlite3_column_bytes(stmt, 14);
	revoked = line->state == LEDGER_REVOKED || line->state == LEDGER_HELD;
	line->reason = revoked ? sqlite3_column_int(stmt, 16) : 0;
	line->revoked = revoked ? (time_t)sqlite3_column_int64(stmt, 17) : 0;
}

static void
bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	if (text != NULL)
		(void)sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

static int
bind_filter(sqlite3_stmt *stmt, const struct ledger_filter *filter,
    uint8_t padded[LEDGER_SERIAL_SIZE], struct fault *f)
{
	int64_t limit = filter->limit == 0 || filter->limit > INT64_MAX
	    ? -1
	    : (int64_t)filter->limit;

	if (filter->serial != NULL) {
		if (ledger_serial_read(filter->serial, padded, f) < 0)
			return -1;
		(void)sqlite3_bind_blob(stmt, 2, padded, LEDGER_SERIAL_SIZE,
		    SQLITE_STATIC);
	}
	bind_text(stmt, 1, filter->ca);
	bind_text(stmt, 3, filter->text);
	bind_text(stmt, 7, filter->subject);
	bind_text(stmt, 8, filter->asker);
	(void)sqlite3_bind_int64(stmt, 4, filter->since);
	(void)sqlite3_bind_int64(stmt, 5, filter->until);
	(void)sqlite3_bind_int64(stmt, 6, limit);
	(void)sqlite3_bind_int64(stmt, 9,
	    filter->after > INT64_MAX ? INT64_MAX : (int64_t)filter->after);
	return 0;
}

static int
each_row(struct ledger *l, sqlite3_stmt *stmt, ledger_line_fn *fn, void *arg,
    struct fault *f)
{
	char serial[LEDGER_SERIAL_TEXT_SIZE];
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct ledger_line line;
		int answer;

		ledger_serial_text(
		    (struct wire_bytes){ sqlite3_column_blob(stmt, 2),
			(size_t)sqlite3_column_bytes(stmt, 2) },
		    serial);
		load_line(stmt, serial, &line);
		if ((answer = fn(arg, &line)) != 0)
			return answer;
	}
	if (rc != SQLITE_DONE)
		return ledger_db_fault(l, f, "list");
	return 0;
}

int
ledger_each(struct ledger *l, const struct ledger_filter *filter,
    ledger_line_fn *fn, void *arg, struct fault *f)
{
	uint8_t padded[LEDGER_SERIAL_SIZE];
	const char *sql = filter->revoked_only ? revoked_sql
	    : filter->serial != NULL	       ? serial_sql
					       : all_sql;
	sqlite3_stmt *stmt;
	int result;

	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, "list");
	result = bind_filter(stmt, filter, padded, f);
	if (result == 0)
		result = each_row(l, stmt, fn, arg, f);
	(void)sqlite3_finalize(stmt);
	return result;
}
