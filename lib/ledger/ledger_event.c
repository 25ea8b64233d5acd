#include "ledger/ledger_event.h"

#include "base/fault.h"
#include "ledger/ledger_book.h"

/*
 * e: what happened; r: the intent of the certificate that it is about, if any;
 * q: the request, if any.
 */
static const char events_sql[] =
    "SELECT e.id, e.time, e.kind, e.reason, e.ca, q.ref, e.username,"
    " coalesce(q.username, r.principal), coalesce(q.subject, r.subject),"
    " coalesce(q.profile, r.profile), r.serial,"
    " CASE e.kind WHEN 9 THEN CAST(e.der AS TEXT) END"
    " FROM entry e"
    " LEFT JOIN entry r ON e.kind IN (2, 4, 5) AND r.id = e.intent"
    " LEFT JOIN entry q ON q.kind = 8 AND q.id = CASE e.kind WHEN 8 THEN e.id"
    " WHEN 9 THEN e.intent ELSE r.intent END"
    " WHERE e.id > ?1 AND (e.kind IN (4, 5, 8, 9)"
    " OR (e.kind = 2 AND q.id IS NOT NULL)) ORDER BY e.id LIMIT ?2";

static const char *
kind_of(int kind, int reason)
{
	static const char *const verdicts[] = { "", "approved", "rejected",
		"withdrawn" };

	if (kind == LEDGER_KIND_REQUEST)
		return "asked";
	if (kind == LEDGER_KIND_ISSUE)
		return "issued";
	if (kind == LEDGER_KIND_RELEASE)
		return "released";
	if (kind == LEDGER_KIND_REVOKE)
		return reason == LEDGER_REASON_HOLD ? "held" : "revoked";
	return reason > 0 && reason < 4 ? verdicts[reason] : "";
}

static const char *
text_at(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text != NULL ? text : "";
}

static int
each_row(struct ledger *l, sqlite3_stmt *stmt, ledger_event_fn *fn, void *arg,
    struct fault *f)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		char serial[LEDGER_SERIAL_TEXT_SIZE];
		const struct wire_bytes number = {
			sqlite3_column_blob(stmt, 10),
			(size_t)sqlite3_column_bytes(stmt, 10),
		};
		const struct ledger_event e = {
			.entry = (uint64_t)sqlite3_column_int64(stmt, 0),
			.when = (time_t)sqlite3_column_int64(stmt, 1),
			.kind = kind_of(sqlite3_column_int(stmt, 2),
			    sqlite3_column_int(stmt, 3)),
			.ca = text_at(stmt, 4),
			.request = text_at(stmt, 5),
			.who = text_at(stmt, 6),
			.asked = text_at(stmt, 7),
			.subject = text_at(stmt, 8),
			.profile = text_at(stmt, 9),
			.serial = serial,
			.text = text_at(stmt, 11),
		};
		int answer;

		ledger_serial_text(number, serial);
		if ((answer = fn(arg, &e)) != 0)
			return answer;
	}
	return rc == SQLITE_DONE ? 0 : ledger_db_fault(l, f, "events");
}

int
ledger_event_each(struct ledger *l, uint64_t after, uint64_t limit,
    ledger_event_fn *fn, void *arg, struct fault *f)
{
	sqlite3_stmt *stmt;
	int result;

	if (after > INT64_MAX || limit > INT64_MAX)
		return fault_set(f, FAULT_INPUT, "no such entry");
	if (sqlite3_prepare_v2(l->db, events_sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, "events");
	(void)sqlite3_bind_int64(stmt, 1, (int64_t)after);
	(void)sqlite3_bind_int64(stmt, 2, (int64_t)limit);
	result = each_row(l, stmt, fn, arg, f);
	(void)sqlite3_finalize(stmt);
	return result;
}

int
ledger_event_last(struct ledger *l, uint64_t *last, struct fault *f)
{
	int64_t number = 0;

	if (ledger_ask_number(l, "SELECT coalesce(max(id), 0) FROM entry",
		&number, f) < 0)
		return -1;
	*last = (uint64_t)number;
	return 0;
}
