#include "ledger/ledger_book.h"
#include "ledger/ledger_unit.h"

/* A ledger that was tampered with, behind the back of the one who keeps it. */

static void
forge(const struct place *p, const char *sql)
{
	char *error = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* As a forger would who knows of the triggers. */
static void
forge_entry(const struct place *p, const char *change)
{
	char sql[512];

	assert_int_equal(text_fmt(sql, sizeof(sql),
			     "DROP TRIGGER entry_kept; DROP TRIGGER "
			     "entry_unchanged; %s",
			     change),
	    0);
	forge(p, sql);
	for (const struct ledger_rule *r = ledger_rules; r->name != NULL; r++)
		if (strcmp(r->name, "entry_kept") == 0 ||
		    strcmp(r->name, "entry_unchanged") == 0)
			forge(p, r->sql);
}

static void
expect_found(const struct place *p, const char *complaint)
{
	struct fault f = { 0 };
	OWN_STRUCT(ledger) l = ledger_open_read(p->path, &f);
	uint64_t entries;
	char head[65];

	assert_non_null(l);
	if (ledger_check(l, head, &entries, &f) == 0)
		fail_msg("not found: %s", complaint);
	assert_int_equal(f.code, FAULT_LEDGER);
	if (strstr(f.text, complaint) == NULL)
		fail_msg("\"%s\" is not \"%s\"", f.text, complaint);
}

/* Two certificates, the first revoked, and a CRL: every kind but VOID. */
static void
write_some(const struct place *p)
{
	OWN_STRUCT(ledger) l = opened(p);
	struct serial serial = issue(l, "slcs", &a_range);
	struct fault f = { 0 };
	uint64_t number;

	(void)issue(l, "slcs", &a_range);
	begin(l);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&serial), 1, "root", 5,
			     &f),
	    0);
	assert_int_equal(ledger_crl_number(l, "slcs", &number, &f), 0);
	assert_int_equal(ledger_crl_filed(l, "slcs", number,
			     (struct wire_bytes){ serial.data, 2 }, &f),
	    0);
	end(l);
	assert_int_equal(checked(l), 7);
}

static void
a_change_of_any_column_is_found(void **state)
{
	static const struct {
		const char *column;
		const char *to;
		int entry;
	} changes[] = {
		{ "time", "time + 1", 1 },
		{ "kind", "3", 2 },
		{ "intent", "99", 2 },
		{ "ca", "'slct'", 1 },
		{ "serial", "randomblob(20)", 1 },
		{ "ref", "'ffffffffffff'", 1 },
		{ "peer", "'192.0.2.8:4711'", 1 },
		{ "username", "'scott'", 1 },
		{ "principal", "'someone.else@LIGO.ORG'", 1 },
		{ "method", "'password'", 1 },
		{ "subject", "'/DC=org/DC=ligo/CN=root'", 1 },
		{ "profile", "NULL", 1 },
		{ "not_before", "not_before - 1", 1 },
		{ "not_after", "not_after + 1", 1 },
		{ "reason", "4", 5 },
		{ "revoked", "NULL", 5 },
		{ "number", "2", 6 },
		{ "der", "x'3000'", 2 },
		{ "hash", "zeroblob(32)", 3 },
		{ "hash", "x'00'", 3 },
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char sql[128], complaint[64];

		assert_int_equal(text_fmt(sql, sizeof(sql),
				     "UPDATE entry SET %s = %s WHERE id = %d",
				     changes[i].column, changes[i].to,
				     changes[i].entry),
		    0);
		assert_int_equal(text_fmt(complaint, sizeof(complaint),
				     "entry %d is not what its hash says",
				     changes[i].entry),
		    0);
		write_some(*state);
		forge_entry(*state, sql);
		expect_found(*state, complaint);
		assert_int_equal(clear_place(state), 0);
		assert_int_equal(make_place(state), 0);
	}
}

static void
an_entry_taken_out_is_found(void **state)
{
	write_some(*state);
	forge_entry(*state, "DELETE FROM entry WHERE id = 4");
	expect_found(*state, "entry 4 is missing");
}

static void
an_entry_put_in_is_found(void **state)
{
	write_some(*state);
	forge(*state,
	    "INSERT INTO entry SELECT 8, time, 3, 99, ca, serial, NULL, NULL,"
	    " NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
	    " NULL, hash FROM entry WHERE id = 6");
	expect_found(*state, "entry 8 is not what its hash says");
}

static void
a_ledger_whose_last_entry_is_forged_is_not_written_to(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };

	write_some(p);
	forge_entry(p, "UPDATE entry SET der = x'00' WHERE id = 7");
	assert_null(ledger_open(p->path, NULL, &f));
	assert_int_equal(f.code, FAULT_LEDGER);
	assert_non_null(strstr(f.text, "entry 7 is not what its hash says"));
}

static void
rules_taken_away_or_added_are_found(void **state)
{
	write_some(*state);
	forge(*state, "DROP TRIGGER entry_kept");
	expect_found(*state, "the rule entry_kept is not there");
	assert_int_equal(clear_place(state), 0);
	assert_int_equal(make_place(state), 0);
	write_some(*state);
	forge(*state, "DROP INDEX entry_serial");
	expect_found(*state, "the rule entry_serial is not there");
	assert_int_equal(clear_place(state), 0);
	assert_int_equal(make_place(state), 0);
	write_some(*state);
	forge(*state, "CREATE TABLE more (id)");
	expect_found(*state, "tables or rules that are not ours");
}

static void
a_wrong_table_of_intents_without_outcome_is_found(void **state)
{
	struct ledger *l = opened(*state);

	begin(l);
	(void)reserve(l, "slcs", &a_range);
	end(l);
	ledger_free(l);
	forge(*state, "DELETE FROM pending");
	expect_found(*state, "entry 1 has no outcome, and is not in the table");
	forge(*state, "INSERT INTO pending VALUES (1), (5)");
	expect_found(*state, "entry 5 is in the table of intents");
}

static void
the_database_itself_refuses_to_forget(void **state)
{
	static const char *const slips[] = {
		"DELETE FROM entry",
		"DELETE FROM entry WHERE id = 7",
		"UPDATE entry SET subject = '' WHERE id = 1",
		"UPDATE entry SET id = 9 WHERE id = 7",
		"INSERT INTO entry SELECT * FROM entry WHERE id = 1",
		"INSERT OR REPLACE INTO entry SELECT * FROM entry"
		" WHERE id = 1",
		"INSERT INTO entry (id, time, kind, ca, hash)"
		" VALUES (99, 0, 1, '', x'')",
	};
	const struct place *p = *state;
	struct ledger *l;
	sqlite3 *db;

	write_some(p);
	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++)
		assert_int_equal(sqlite3_exec(db, slips[i], NULL, NULL, NULL),
		    SQLITE_CONSTRAINT);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	l = opened(p);
	assert_int_equal(checked(l), 7);
	ledger_free(l);
}

/* One who re-hashes the whole chain still cannot make its parts agree. */
static void
a_chain_made_anew_must_still_make_sense(void **state)
{
	struct ledger *l = opened(*state);
	struct ledger_entry e = { 0 };
	struct fault f = { 0 };

	begin(l);
	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_REVOKE);
	ledger_entry_number(&e, LEDGER_COLUMN_INTENT, 77);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, "slcs");
	assert_int_equal(ledger_put(l, &e, &f), 0);
	end(l);
	ledger_free(l);
	expect_found(*state, "entry 1 is about nothing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_PLACE(a_change_of_any_column_is_found),
		ON_A_PLACE(an_entry_taken_out_is_found),
		ON_A_PLACE(an_entry_put_in_is_found),
		ON_A_PLACE(
		    a_ledger_whose_last_entry_is_forged_is_not_written_to),
		ON_A_PLACE(rules_taken_away_or_added_are_found),
		ON_A_PLACE(a_wrong_table_of_intents_without_outcome_is_found),
		ON_A_PLACE(the_database_itself_refuses_to_forget),
		ON_A_PLACE(a_chain_made_anew_must_still_make_sense),
	};

	return cmocka_run_group_tests_name("ledger/ledger_check", tests, NULL,
	    NULL);
}
