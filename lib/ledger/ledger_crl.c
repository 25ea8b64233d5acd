#include "base/clock.h"
#include "base/fault.h"
#include "ledger/ledger_book.h"

/* What the book knows of revocation lists. */

int
ledger_crl_number(struct ledger *l, const char *ca, uint64_t *number,
    struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_CRL_NUMBER];
	struct ledger_entry e = { 0 };
	/* From the clock, so that two books of one CA (the office's before the
	 * daemon's, a backup's after it) do not begin alike; never backwards.
	 */
	int64_t next = (int64_t)clock_wall(), floor;
	uint8_t serial[LEDGER_SERIAL_SIZE];
	int found;

	if (ledger_floor_find(l, ca, serial, &floor, f) < 0)
		return -1;
	if (floor >= next)
		next = floor + 1;
	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	found = ledger_one(l, LEDGER_STMT_CRL_NUMBER, f);
	if (found == 1 && sqlite3_column_int64(stmt, 0) >= next)
		next = sqlite3_column_int64(stmt, 0) + 1;
	ledger_done(l, LEDGER_STMT_CRL_NUMBER);
	if (found < 0)
		return -1;
	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_CRL);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, ca);
	ledger_entry_number(&e, LEDGER_COLUMN_NUMBER, next);
	if (ledger_put(l, &e, f) != 0)
		return -1;
	*number = (uint64_t)next;
	return 0;
}

/* The entry that took ${number}: 1 with its id and time, 0 if none. */
static int
find_taken(struct ledger *l, const char *ca, int64_t number, int64_t *id,
    time_t *taken, struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_CRL_TAKEN];
	int found;

	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(stmt, 2, number);
	found = ledger_one(l, LEDGER_STMT_CRL_TAKEN, f);
	if (found == 1) {
		*id = sqlite3_column_int64(stmt, 0);
		*taken = (time_t)sqlite3_column_int64(stmt, 1);
	}
	ledger_done(l, LEDGER_STMT_CRL_TAKEN);
	return found;
}

int
ledger_crl_filed(struct ledger *l, const char *ca, uint64_t number,
    struct wire_bytes der, struct fault *f)
{
	struct ledger_entry e = { 0 };
	int64_t id = 0;
	time_t taken;
	int found = number > INT64_MAX
	    ? 0
	    : find_taken(l, ca, (int64_t)number, &id, &taken, f);

	if (found < 0)
		return -1;
	if (found == 0)
		return fault_set(f, FAULT_DENIED,
		    "ledger: %s never took this CRL number", ca);
	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_FILED);
	ledger_entry_number(&e, LEDGER_COLUMN_INTENT, id);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, ca);
	ledger_entry_number(&e, LEDGER_COLUMN_NUMBER, (int64_t)number);
	ledger_entry_bytes(&e, LEDGER_COLUMN_DER, der);
	found = ledger_put(l, &e, f);
	if (found == 1)
		return fault_set(f, FAULT_DENIED,
		    "ledger: this CRL of %s was filed before", ca);
	return found;
}

static int
is_stale(struct ledger *l, const char *ca, int64_t since, bool *stale,
    struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_CRL_STALE];
	int found;

	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(stmt, 2, since);
	found = ledger_one(l, LEDGER_STMT_CRL_STALE, f);
	ledger_done(l, LEDGER_STMT_CRL_STALE);
	*stale = found == 1;
	return found < 0 ? -1 : 0;
}

int
ledger_crl_last(struct ledger *l, const char *ca, struct ledger_crl *last,
    struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_CRL_FILED];
	struct ledger_crl found_last = { 0 };
	int64_t number = 0, id = 0;
	int found;

	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	found = ledger_one(l, LEDGER_STMT_CRL_FILED, f);
	if (found == 1)
		number = sqlite3_column_int64(stmt, 0);
	ledger_done(l, LEDGER_STMT_CRL_FILED);
	if (found == 1)
		found = find_taken(l, ca, number, &id, &found_last.taken, f);
	if (found < 0 || is_stale(l, ca, id, &found_last.stale, f) < 0)
		return -1;
	found_last.number = (uint64_t)number;
	*last = found_last;
	return 0;
}
