#include "ledger/ledger_login.h"

#include "base/fault.h"
#include "ledger/ledger_book.h"

int
ledger_login_find(struct ledger *l, const char *ca, const char *hex,
    struct ledger_login *login, struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_LOGIN];
	uint8_t padded[LEDGER_SERIAL_SIZE];
	int found;

	if (ledger_serial_read(hex, padded, f) < 0)
		return -1;
	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(stmt, 2, padded, LEDGER_SERIAL_SIZE,
	    SQLITE_STATIC);
	found = ledger_one(l, LEDGER_STMT_LOGIN, f);
	if (found == 1)
		*login = (struct ledger_login){
			.entry = (uint64_t)sqlite3_column_int64(stmt, 0),
			.when = (time_t)sqlite3_column_int64(stmt, 1),
		};
	ledger_done(l, LEDGER_STMT_LOGIN);
	return found;
}
