#include "ledger/ledger_exposed.h"

#include "base/fault.h"
#include "ledger/ledger_book.h"

/* RFC 5280 5.3.1.  What was revoked so is never released. */
static const char sql[] =
    "SELECT v.ca, v.serial FROM entry v INDEXED BY entry_verdict"
    " JOIN entry o ON o.kind IN (2, 3) AND o.intent = v.intent"
    " WHERE v.kind IN (4, 5) AND v.kind = 4 AND v.reason = 1"
    " AND o.kind = 2 AND instr(o.der, ?1) > 0 LIMIT 1";

static int
refuse(sqlite3_stmt *stmt, struct fault *f)
{
	const struct wire_bytes number = { sqlite3_column_blob(stmt, 1),
		(size_t)sqlite3_column_bytes(stmt, 1) };
	char serial[LEDGER_SERIAL_TEXT_SIZE];

	ledger_serial_text(number, serial);
	return fault_set(f, FAULT_DENIED,
	    "the key is that of certificate %s of %s, which was revoked since "
	    "others may know it: a new key is needed",
	    serial, (const char *)sqlite3_column_text(stmt, 0));
}

int
ledger_key_refuse(struct ledger *l, struct wire_bytes spki, struct fault *f)
{
	sqlite3_stmt *stmt;
	int rc, result = 0;

	if (spki.len == 0 || spki.len > INT32_MAX)
		return fault_set(f, FAULT_INPUT, "ledger: no key");
	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return ledger_db_fault(l, f, "keys");
	(void)sqlite3_bind_blob(stmt, 1, spki.data, (int)spki.len,
	    SQLITE_STATIC);
	if ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		result = refuse(stmt, f);
	else if (rc != SQLITE_DONE)
		result = ledger_db_fault(l, f, "keys");
	(void)sqlite3_finalize(stmt);
	return result;
}
