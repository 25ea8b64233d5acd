#include "ledger/ledger_request.h"

#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger_book.h"

#include <string.h>

/*
 * q: the request; x: the decision that ended it, if any; r: the intent for it
 * that is not void, if any; o: that one's outcome.
 */
#define REQUEST                                                               \
	"SELECT q.id, q.time, q.ca, q.ref, q.username, q.method, q.peer,"     \
	" q.subject, q.profile, q.der, x.reason, r.serial, o.kind,"           \
	" (SELECT count(DISTINCT d.username) FROM entry d WHERE d.kind = 9"   \
	" AND d.intent = q.id AND d.reason = 1)"                              \
	" FROM entry q"                                                       \
	" LEFT JOIN entry x ON x.id = (SELECT min(d.id) FROM entry d"         \
	" WHERE d.kind = 9 AND d.intent = q.id AND d.reason IN (2, 3))"       \
	" LEFT JOIN entry r ON r.id = (SELECT min(s.id) FROM entry s"         \
	" WHERE s.kind = 1 AND s.intent = q.id AND NOT EXISTS (SELECT 1 FROM" \
	" entry v WHERE v.kind IN (2, 3) AND v.intent = s.id AND v.kind = 3)" \
	") LEFT JOIN entry o ON o.kind IN (2, 3) AND o.intent = r.id"

static const char find_sql[] =
    REQUEST " WHERE q.kind = 8 AND q.ca = ?1 AND q.ref = ?2";

static const char find_any_sql[] =
    REQUEST " WHERE q.kind = 8 AND q.ref = ?2 ORDER BY q.id LIMIT 1";

/* By entry_asked: a page is found where the last one ended. */
static const char each_sql[] =
    REQUEST " WHERE q.kind = 8"
	    " AND (?1 IS NULL OR q.ca = ?1)"
	    " AND (?2 IS NULL OR q.username = ?2)"
	    " AND (?3 IS NULL OR instr(q.subject, ?3) > 0"
	    " OR instr(q.ref, ?3) > 0 OR instr(q.username, ?3) > 0)"
	    " AND (?4 = 0 OR (x.id IS NULL AND r.id IS NULL))"
	    " AND (?5 = 0 OR q.time >= ?5) AND (?6 = 0 OR q.time <= ?6)"
	    " AND q.id > ?8 ORDER BY q.id LIMIT ?7";

static const char decisions_sql[] =
    "SELECT d.reason, d.username, d.method, CAST(d.der AS TEXT), d.time"
    " FROM entry q JOIN entry d ON d.kind = 9 AND d.intent = q.id"
    " WHERE q.kind = 8 AND q.ca = ?1 AND q.ref = ?2 ORDER BY d.id";

static const char *
text_at(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text != NULL ? text : "";
}

static struct wire_bytes
bytes_at(sqlite3_stmt *stmt, int column)
{
	return (struct wire_bytes){ sqlite3_column_blob(stmt, column),
		(size_t)sqlite3_column_bytes(stmt, column) };
}

static enum ledger_request_state
state_of(sqlite3_stmt *stmt)
{
	if (sqlite3_column_type(stmt, 11) != SQLITE_NULL)
		return sqlite3_column_int(stmt, 12) == LEDGER_KIND_ISSUE
		    ? LEDGER_REQUEST_ISSUED
		    : LEDGER_REQUEST_SIGNING;
	if (sqlite3_column_type(stmt, 10) == SQLITE_NULL)
		return LEDGER_REQUEST_OPEN;
	return sqlite3_column_int(stmt, 10) == LEDGER_WITHDRAW
	    ? LEDGER_REQUEST_WITHDRAWN
	    : LEDGER_REQUEST_REJECTED;
}

static void
load(sqlite3_stmt *stmt, char serial[LEDGER_SERIAL_TEXT_SIZE],
    struct ledger_request *r)
{
	*r = (struct ledger_request){
		.ca = text_at(stmt, 2),
		.id = text_at(stmt, 3),
		.who = text_at(stmt, 4),
		.method = text_at(stmt, 5),
		.peer = text_at(stmt, 6),
		.subject = text_at(stmt, 7),
		.profile = text_at(stmt, 8),
		.file = bytes_at(stmt, 9),
		.entry = (uint64_t)sqlite3_column_int64(stmt, 0),
		.when = (time_t)sqlite3_column_int64(stmt, 1),
		.state = state_of(stmt),
		.approvals = (unsigned)sqlite3_column_int(stmt, 13),
	};
	ledger_serial_text(bytes_at(stmt, 11), serial);
	r->serial = serial[0] != '\0' ? serial : NULL;
}

static void
bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	if (text != NULL)
		(void)sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

/* ${stmt}, freed here, for the request ${id} of ${ca}; NULL after a fault. */
static sqlite3_stmt *
ask_for(struct ledger *l, const char *sql, const char *ca, const char *id,
    struct fault *f)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
		(void)ledger_db_fault(l, f, "requests");
		return NULL;
	}
	bind_text(stmt, 1, ca);
	bind_text(stmt, 2, id);
	return stmt;
}

/* Call ${fn} for each row: 0 at the end, what ${fn} returns if that is not 0,
 * -1 after a fault. */
static int
each_request(struct ledger *l, sqlite3_stmt *stmt, ledger_request_fn *fn,
    void *arg, struct fault *f)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		char serial[LEDGER_SERIAL_TEXT_SIZE];
		struct ledger_request r;
		int answer;

		load(stmt, serial, &r);
		if ((answer = fn(arg, &r)) != 0)
			return answer;
	}
	return rc == SQLITE_DONE ? 0 : ledger_db_fault(l, f, "requests");
}

int
ledger_request_each(struct ledger *l,
    const struct ledger_request_filter *filter, ledger_request_fn *fn,
    void *arg, struct fault *f)
{
	sqlite3_stmt *stmt = ask_for(l, each_sql, filter->ca, filter->who, f);
	int64_t limit = filter->limit == 0 || filter->limit > INT64_MAX
	    ? -1
	    : (int64_t)filter->limit;
	int result;

	if (stmt == NULL)
		return -1;
	bind_text(stmt, 3, filter->text);
	(void)sqlite3_bind_int(stmt, 4, filter->open_only);
	(void)sqlite3_bind_int64(stmt, 5, filter->since);
	(void)sqlite3_bind_int64(stmt, 6, filter->until);
	(void)sqlite3_bind_int64(stmt, 7, limit);
	(void)sqlite3_bind_int64(stmt, 8,
	    filter->after > INT64_MAX ? INT64_MAX : (int64_t)filter->after);
	result = each_request(l, stmt, fn, arg, f);
	(void)sqlite3_finalize(stmt);
	return result;
}

/* What ledger_request_find() says of the one row, whatever its caller's
 * function returns. */
struct finding {
	ledger_request_fn *fn;
	void *arg;
	bool found;
};

static int
find_row(void *arg, const struct ledger_request *r)
{
	struct finding *finding = arg;

	finding->found = true;
	(void)finding->fn(finding->arg, r);
	return 0;
}

int
ledger_request_find(struct ledger *l, const char *ca, const char *id,
    ledger_request_fn *fn, void *arg, struct fault *f)
{
	struct finding finding = { .fn = fn, .arg = arg };
	sqlite3_stmt *stmt =
	    ask_for(l, ca == NULL ? find_any_sql : find_sql, ca, id, f);
	int result;

	if (stmt == NULL)
		return -1;
	result = each_request(l, stmt, find_row, &finding, f);
	(void)sqlite3_finalize(stmt);
	return result < 0 ? -1 : finding.found;
}

int
ledger_request_decisions(struct ledger *l, const char *ca, const char *id,
    ledger_decision_fn *fn, void *arg, struct fault *f)
{
	sqlite3_stmt *stmt = ask_for(l, decisions_sql, ca, id, f);
	int rc, result = 0;

	if (stmt == NULL)
		return -1;
	while (result == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct ledger_decision d = {
			.verdict =
			    (enum ledger_verdict)sqlite3_column_int(stmt, 0),
			.who = text_at(stmt, 1),
			.method = text_at(stmt, 2),
			.text = text_at(stmt, 3),
			.when = (time_t)sqlite3_column_int64(stmt, 4),
		};

		result = fn(arg, &d);
	}
	if (result == 0 && rc != SQLITE_DONE)
		result = ledger_db_fault(l, f, "decisions");
	(void)sqlite3_finalize(stmt);
	return result;
}

/* What writing must know of a request. */
struct standing {
	int64_t entry;
	enum ledger_request_state state;
	bool same_file;
	bool same_person;
	/* To compare with; borrowed. */
	struct wire_bytes file;
	const char *who;
};

static int
take_standing(void *arg, const struct ledger_request *r)
{
	struct standing *s = arg;

	s->entry = (int64_t)r->entry;
	s->state = r->state;
	s->same_file = r->file.len == s->file.len &&
	    (r->file.len == 0 ||
		memcmp(r->file.data, s->file.data, r->file.len) == 0);
	s->same_person = s->who != NULL && strcmp(r->who, s->who) == 0;
	return 0;
}

/* Refuse what is not open. */
static int
must_be_open(const struct standing *s, const char *id, struct fault *f)
{
	switch (s->state) {
	case LEDGER_REQUEST_OPEN:
		return 0;
	case LEDGER_REQUEST_REJECTED:
		return fault_set(f, FAULT_DENIED,
		    "ledger: request %s was rejected", id);
	case LEDGER_REQUEST_WITHDRAWN:
		return fault_set(f, FAULT_DENIED,
		    "ledger: request %s was withdrawn", id);
	case LEDGER_REQUEST_SIGNING:
		return fault_set(f, FAULT_BUSY,
		    "ledger: request %s is being signed", id);
	case LEDGER_REQUEST_ISSUED:
		return fault_set(f, FAULT_DENIED,
		    "ledger: request %s has its certificate", id);
	}
	return fault_set(f, FAULT_INTERNAL, "ledger: state of %s", id);
}

static int
find_standing(struct ledger *l, const char *ca, const char *id,
    struct standing *s, struct fault *f)
{
	int found = ledger_request_find(l, ca, id, take_standing, s, f);

	if (found == 0)
		return fault_set(f, FAULT_ABSENT,
		    "ledger: %s has no request %s", ca, id);
	return found < 0 ? -1 : 0;
}

int
ledger_request_ready(struct ledger *l, const char *ca, const char *id,
    int64_t *entry, struct fault *f)
{
	struct standing s = { 0 };

	if (find_standing(l, ca, id, &s, f) < 0 || must_be_open(&s, id, f) < 0)
		return -1;
	*entry = s.entry;
	return 0;
}

int
ledger_request_put(struct ledger *l, const struct ledger_request *r,
    struct fault *f)
{
	struct standing s = { .file = r->file };
	struct ledger_entry e = { 0 };
	int found;

	if (r->file.len == 0 || r->file.len > LEDGER_REQUEST_MAX ||
	    r->id[0] == '\0')
		return fault_set(f, FAULT_INPUT,
		    "ledger: a request has an identifier and 1 to %d bytes",
		    LEDGER_REQUEST_MAX);
	found = ledger_request_find(l, r->ca, r->id, take_standing, &s, f);
	if (found < 0)
		return -1;
	if (found == 1 && !s.same_file)
		return fault_set(f, FAULT_DENIED,
		    "ledger: another request of %s has the identifier %s",
		    r->ca, r->id);
	if (found == 1)
		return 0;
	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_REQUEST);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, r->ca);
	ledger_entry_text(&e, LEDGER_COLUMN_REF, r->id);
	ledger_entry_text(&e, LEDGER_COLUMN_PEER, r->peer);
	ledger_entry_text(&e, LEDGER_COLUMN_USERNAME, r->who);
	ledger_entry_text(&e, LEDGER_COLUMN_METHOD, r->method);
	ledger_entry_text(&e, LEDGER_COLUMN_SUBJECT, r->subject);
	ledger_entry_text(&e, LEDGER_COLUMN_PROFILE, r->profile);
	ledger_entry_bytes(&e, LEDGER_COLUMN_DER, r->file);
	return ledger_put(l, &e, f) < 0 ? -1 : 0;
}

/* Whether ${d->who} has said the same before: 1, 0, -1 after a fault. */
static int
said_before(struct ledger *l, int64_t entry, const struct ledger_decision *d,
    struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_DECIDED];
	int found;

	(void)sqlite3_bind_int64(stmt, 1, entry);
	(void)sqlite3_bind_text(stmt, 2, d->who, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int(stmt, 3, (int)d->verdict);
	found = ledger_one(l, LEDGER_STMT_DECIDED, f);
	ledger_done(l, LEDGER_STMT_DECIDED);
	return found;
}

static int
put_decision(struct ledger *l, int64_t entry, const char *ca, const char *id,
    const struct ledger_decision *d, struct fault *f)
{
	struct ledger_entry e = { 0 };

	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_DECISION);
	ledger_entry_number(&e, LEDGER_COLUMN_INTENT, entry);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, ca);
	ledger_entry_text(&e, LEDGER_COLUMN_REF, id);
	ledger_entry_text(&e, LEDGER_COLUMN_USERNAME, d->who);
	ledger_entry_text(&e, LEDGER_COLUMN_METHOD, d->method);
	ledger_entry_number(&e, LEDGER_COLUMN_REASON, d->verdict);
	ledger_entry_bytes(&e, LEDGER_COLUMN_DER,
	    (struct wire_bytes){ (const uint8_t *)d->text, strlen(d->text) });
	return ledger_put(l, &e, f) < 0 ? -1 : 0;
}

int
ledger_request_decide(struct ledger *l, const char *ca, const char *id,
    const struct ledger_decision *d, struct fault *f)
{
	struct standing s = { .who = d->who };
	int before;

	if (d->verdict < LEDGER_APPROVE || d->verdict > LEDGER_WITHDRAW ||
	    strlen(d->text) > LEDGER_DECISION_MAX)
		return fault_set(f, FAULT_INPUT,
		    "ledger: a decision's text has at most %d bytes",
		    LEDGER_DECISION_MAX);
	if (find_standing(l, ca, id, &s, f) < 0)
		return -1;
	if ((before = said_before(l, s.entry, d, f)) != 0)
		return before < 0 ? -1 : 0;
	if (must_be_open(&s, id, f) < 0)
		return -1;
	if (d->verdict == LEDGER_WITHDRAW && !s.same_person)
		return fault_set(f, FAULT_DENIED,
		    "ledger: request %s is withdrawn by who asked", id);
	return put_decision(l, s.entry, ca, id, d, f);
}
