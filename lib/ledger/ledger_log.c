#include "ledger/ledger_log.h"

#include "base/fault.h"
#include "ledger/ledger_book.h"

#include <string.h>

static const char *const kinds[] = {
	NULL,
#define KIND(NAME, name) name,
#include "ledger/ledger_kind.def"
#undef KIND
};

/* The columns that are read, in their order. */
enum {
	ID,
	TIME,
	KIND_OF,
	INTENT,
	CA,
	SERIAL,
	REQUEST,
	WHO,
	PRINCIPAL,
	METHOD,
	PEER,
	REF,
	SUBJECT,
	PROFILE,
	TEXT,
	REASON,
	REVOKED,
	NOT_BEFORE,
	NOT_AFTER,
	NUMBER,
	BYTES
};

/* e: the entry; r: the intent that it is or is about, if any; q: the request,
 * if any. */
static const char log_sql[] =
    "SELECT e.id, e.time, e.kind, e.intent, e.ca, e.serial, q.ref,"
    " e.username, e.principal, e.method, e.peer, e.ref,"
    " coalesce(e.subject, r.subject, q.subject),"
    " coalesce(e.profile, r.profile, q.profile),"
    " CASE e.kind WHEN 9 THEN CAST(e.der AS TEXT) END, e.reason, e.revoked,"
    " e.not_before, e.not_after, e.number, length(e.der) FROM entry e"
    " LEFT JOIN entry r ON e.kind IN (2, 3, 4, 5) AND r.id = e.intent"
    " LEFT JOIN entry q ON q.kind = 8 AND q.id = CASE e.kind"
    " WHEN 8 THEN e.id WHEN 9 THEN e.intent WHEN 1 THEN e.intent"
    " ELSE r.intent END"
    " WHERE (?1 IS NULL OR e.ca = ?1) AND (?2 = 0 OR e.kind = ?2)"
    " AND (?3 IS NULL OR e.username = ?3 OR e.principal = ?3)"
    " AND (?4 IS NULL"
    " OR instr(coalesce(e.subject, r.subject, q.subject), ?4) > 0)"
    " AND (?5 IS NULL OR q.ref = ?5) AND (?6 IS NULL OR e.serial = ?6)"
    " AND (?7 = 0 OR e.time >= ?7) AND (?8 = 0 OR e.time <= ?8)"
    " ORDER BY e.id LIMIT ?9";

static const char *
text_at(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

static void
load(sqlite3_stmt *stmt, char serial[LEDGER_SERIAL_TEXT_SIZE],
    struct ledger_record *r)
{
	int kind = sqlite3_column_int(stmt, KIND_OF);
	int reason = sqlite3_column_int(stmt, REASON);
	const struct wire_bytes number = { sqlite3_column_blob(stmt, SERIAL),
		(size_t)sqlite3_column_bytes(stmt, SERIAL) };

	ledger_serial_text(number, serial);
	*r = (struct ledger_record){
		.entry = (uint64_t)sqlite3_column_int64(stmt, ID),
		.when = (time_t)sqlite3_column_int64(stmt, TIME),
		.kind = kind > LEDGER_KIND_NONE && kind < LEDGER_KIND_COUNT
		    ? kinds[kind]
		    : "unknown",
		.about = (uint64_t)sqlite3_column_int64(stmt, INTENT),
		.ca = text_at(stmt, CA),
		.serial = serial[0] != '\0' ? serial : NULL,
		.request = text_at(stmt, REQUEST),
		.who = text_at(stmt, WHO),
		.principal = text_at(stmt, PRINCIPAL),
		.method = text_at(stmt, METHOD),
		.peer = text_at(stmt, PEER),
		.ref = text_at(stmt, REF),
		.subject = text_at(stmt, SUBJECT),
		.profile = text_at(stmt, PROFILE),
		.text = text_at(stmt, TEXT),
		.reason = kind == LEDGER_KIND_REVOKE ? reason : -1,
		.verdict = kind == LEDGER_KIND_DECISION ? reason : 0,
		.revoked = (time_t)sqlite3_column_int64(stmt, REVOKED),
		.not_before = (time_t)sqlite3_column_int64(stmt, NOT_BEFORE),
		.not_after = (time_t)sqlite3_column_int64(stmt, NOT_AFTER),
		.number = (uint64_t)sqlite3_column_int64(stmt, NUMBER),
		.bytes = (uint64_t)sqlite3_column_int64(stmt, BYTES),
	};
}

static int
kind_of(const char *name, int *kind, struct fault *f)
{
	*kind = LEDGER_KIND_NONE;
	if (name == NULL)
		return 0;
	for (int i = LEDGER_KIND_NONE + 1; i < LEDGER_KIND_COUNT; i++) {
		if (strcmp(kinds[i], name) != 0)
			continue;
		*kind = i;
		return 0;
	}
	return fault_set(f, FAULT_USAGE,
	    "no kind of entry is called \"%s\": reserve, issue, void, revoke, "
	    "release, crl, filed, request, decision, restore",
	    name);
}

static void
bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	if (text != NULL)
		(void)sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

static int
bind(sqlite3_stmt *stmt, const struct ledger_log_filter *filter,
    uint8_t padded[LEDGER_SERIAL_SIZE], struct fault *f)
{
	int64_t limit = filter->limit == 0 || filter->limit > INT64_MAX
	    ? -1
	    : (int64_t)filter->limit;
	int kind;

	if (kind_of(filter->kind, &kind, f) < 0)
		return -1;
	if (filter->serial != NULL) {
		if (ledger_serial_read(filter->serial, padded, f) < 0)
			return -1;
		(void)sqlite3_bind_blob(stmt, 6, padded, LEDGER_SERIAL_SIZE,
		    SQLITE_STATIC);
	}
	bind_text(stmt, 1, filter->ca);
	(void)sqlite3_bind_int(stmt, 2, kind);
	bind_text(stmt, 3, filter->who);
	bind_text(stmt, 4, filter->subject);
	bind_text(stmt, 5, filter->request);
	(void)sqlite3_bind_int64(stmt, 7, filter->since);
	(void)sqlite3_bind_int64(stmt, 8, filter->until);
	(void)sqlite3_bind_int64(stmt, 9, limit);
	return 0;
}

static int
each_row(struct ledger *l, sqlite3_stmt *stmt, ledger_record_fn *fn, void *arg,
    struct fault *f)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		char serial[LEDGER_SERIAL_TEXT_SIZE];
		struct ledger_record r;
		int answer;

		load(stmt, serial, &r);
		if ((answer = fn(arg, &r)) != 0)
			return answer;
	}
	return rc == SQLITE_DONE ? 0 : ledger_db_fault(l, f, "log");
}

int
ledger_log_each(struct ledger *l, const struct ledger_log_filter *filter,
    ledger_record_fn *fn, void *arg, struct fault *f)
{
	uint8_t padded[LEDGER_SERIAL_SIZE];
	sqlite3_stmt *stmt;
	int result;

	if (sqlite3_prepare_v2(l->db, log_sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, "log");
	result = bind(stmt, filter, padded, f);
	if (result == 0)
		result = each_row(l, stmt, fn, arg, f);
	(void)sqlite3_finalize(stmt);
	return result;
}
