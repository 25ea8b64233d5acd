#include "base/fault.h"
#include "ledger/ledger_book.h"
#include "ledger/ledger_request.h"

#include <stdint.h>

/* How many certificates are in which state: a question that a large book must
 * answer from its indexes. */

/* The numbers that ${sql} yields in one row for ${ca} and ${now}. */
static int
ask(struct ledger *l, const char *sql, const char *ca, time_t now,
    uint64_t *numbers, int count, struct fault *f)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, "count");
	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	if (sqlite3_bind_parameter_count(stmt) > 1)
		(void)sqlite3_bind_int64(stmt, 2, now);
	if ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		for (int i = 0; i < count; i++)
			numbers[i] = (uint64_t)sqlite3_column_int64(stmt, i);
	(void)sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : ledger_db_fault(l, f, "count");
}

static int
count_request(void *arg, const struct ledger_request *r)
{
	uint64_t *count = arg;

	(void)r;
	(*count)++;
	return 0;
}

/* Intents: all, void, without outcome; and of those past their end, alike. */
enum {
	ALL,
	VOIDED,
	PENDING,
	PAST,
	PAST_VOIDED,
	PAST_PENDING,
	COUNTS
};

static const char counts_sql[] =
    "SELECT (SELECT count(*) FROM entry INDEXED BY entry_expiry"
    " WHERE kind = 1 AND ca = ?1),"
    " (SELECT count(*) FROM entry WHERE kind = 3 AND ca = ?1),"
    " (SELECT count(*) FROM pending p CROSS JOIN entry e ON e.id = p.id"
    " WHERE e.ca = ?1),"
    " (SELECT count(*) FROM entry WHERE kind = 1 AND ca = ?1"
    " AND not_after < ?2),"
    " (SELECT count(*) FROM entry v JOIN entry r ON r.id = v.intent"
    " WHERE v.kind = 3 AND v.ca = ?1 AND r.not_after < ?2),"
    " (SELECT count(*) FROM pending p CROSS JOIN entry e ON e.id = p.id"
    " WHERE e.ca = ?1"
    " AND e.not_after < ?2)";

/* Revocations that are the last word on their certificates. */
static const char verdicts_sql[] =
    "SELECT count(*) FILTER (WHERE v.reason <> 6),"
    " count(*) FILTER (WHERE v.reason = 6),"
    " count(*) FILTER (WHERE r.not_after < ?2)"
    " FROM entry v INDEXED BY entry_verdict CROSS JOIN entry r"
    " ON r.id = v.intent WHERE v.kind IN (4, 5) AND v.kind = 4"
    " AND v.ca = ?1 AND NOT EXISTS (SELECT 1 FROM entry w"
    " INDEXED BY entry_verdict WHERE w.kind IN (4, 5) AND w.ca = ?1"
    " AND w.intent = v.intent AND w.id > v.id)";

static int
count_all(struct ledger *l, const char *ca, time_t now, uint64_t n[COUNTS],
    uint64_t verdicts[3], uint64_t *requests, struct fault *f)
{
	struct ledger_request_filter open = { .ca = ca, .open_only = true };

	if (ask(l, counts_sql, ca, now, n, COUNTS, f) < 0 ||
	    ask(l, verdicts_sql, ca, now, verdicts, 3, f) < 0 ||
	    ledger_request_each(l, &open, count_request, requests, f) < 0)
		return -1;
	return 0;
}

int
ledger_count(struct ledger *l, const char *ca, time_t now,
    struct ledger_counts *counts, struct fault *f)
{
	uint64_t n[COUNTS] = { 0 }, verdicts[3] = { 0 }, requests = 0;
	/* One view of the book, while others go on writing. */
	bool view = sqlite3_get_autocommit(l->db) &&
	    sqlite3_exec(l->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
	int result = count_all(l, ca, now, n, verdicts, &requests, f);

	if (view)
		(void)sqlite3_exec(l->db, "COMMIT", NULL, NULL, NULL);
	if (result < 0)
		return -1;
	*counts = (struct ledger_counts){
		.states = {
			[LEDGER_RESERVED] = n[PENDING],
			[LEDGER_ISSUED] = n[ALL] - n[VOIDED] - n[PENDING] -
			    verdicts[0] - verdicts[1],
			[LEDGER_VOID] = n[VOIDED],
			[LEDGER_REVOKED] = verdicts[0],
			[LEDGER_HELD] = verdicts[1],
		},
		.expired = n[PAST] - n[PAST_VOIDED] - n[PAST_PENDING] -
		    verdicts[2],
		.requests = requests,
	};
	return 0;
}
