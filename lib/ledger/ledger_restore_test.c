#include "ledger/ledger_book.h"
#include "ledger/ledger_request.h"
#include "ledger/ledger_unit.h"

#include <sys/stat.h>

/* Copies, going on from one, older ledgers, and counting. */

static enum fault_code
skip_to(struct ledger *l, const char *ca, uint64_t serial, uint64_t crl)
{
	struct ledger_floor floor = { ca, serial, crl, "root", "from a copy" };
	struct fault f = { 0 };
	int result;

	begin(l);
	result = ledger_skip(l, &floor, &f);
	end(l);
	assert_int_equal(result, f.code == FAULT_NONE ? 0 : -1);
	return f.code;
}

static uint64_t
crl_number(struct ledger *l, const char *ca)
{
	struct fault f = { 0 };
	uint64_t number = 0;

	begin(l);
	if (ledger_crl_number(l, ca, &number, &f) < 0)
		fail_msg("%s", f.text);
	end(l);
	return number;
}

static uint64_t
left_of(struct ledger *l, const char *ca, const struct ledger_numbering *how)
{
	struct fault f = { 0 };
	uint64_t left = 0;

	assert_int_equal(ledger_serials_left(l, ca, how, &left, &f), 0);
	return left;
}

static void
what_a_backup_lacks_can_be_told_it(void **state)
{
	static const uint8_t octets[] = { 0x7f, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	OWN_STRUCT(ledger) l = opened(*state);
	struct ledger_intent intent = an_intent("slcs");
	struct wire_bytes serial = { octets, sizeof(octets) };
	struct fault f = { 0 };
	OWN_BUF(der, 1024);

	put_der(&der, serial, 5);
	begin(l);
	assert_int_equal(ledger_adopt(l, &intent,
			     (struct wire_bytes){ der.data, der.len }, &f),
	    0);
	assert_int_equal(ledger_adopt(l, &intent,
			     (struct wire_bytes){ der.data, der.len }, &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	/* It is a certificate like any other. */
	assert_int_equal(ledger_revoke(l, "slcs", serial, 1, "root", 1, &f), 0);
	end(l);
	(void)checked(l);
}

static void
serials_and_crl_numbers_go_on_above_a_floor(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct ledger_intent intent = an_intent("slcs");
	struct fault f = { 0 };
	struct serial serial;

	assert_memory_equal(issue(l, "slcs", &a_range).data, "\x03\xe8", 2);
	assert_int_equal(left_of(l, "slcs", &a_range), 99);
	assert_int_equal(skip_to(l, "slcs", 1020, 5000000000), FAULT_NONE);
	assert_int_equal(left_of(l, "slcs", &a_range), 79);
	assert_memory_equal(issue(l, "slcs", &a_range).data, "\x03\xfd", 2);
	assert_int_equal(crl_number(l, "slcs"), 5000000001);
	assert_int_equal(crl_number(l, "slcs"), 5000000002);
	/* Another CA's book, and a floor below what was used. */
	assert_memory_equal(issue(l, "other", &a_range).data, "\x03\xe8", 2);
	assert_true(crl_number(l, "other") < 5000000000);
	assert_int_equal(skip_to(l, "slcs", 1010, 0), FAULT_NONE);
	assert_memory_equal(issue(l, "slcs", &a_range).data, "\x03\xfe", 2);
	assert_int_equal(crl_number(l, "slcs"), 5000000003);
	assert_int_equal(skip_to(l, "slcs", 0, INT64_MAX), FAULT_INPUT);
	/* Past the range's end nothing is left, nor begun anew. */
	assert_int_equal(skip_to(l, "slcs", 2000, 0), FAULT_NONE);
	assert_int_equal(left_of(l, "slcs", &a_range), 0);
	begin(l);
	assert_int_equal(ledger_reserve(l, &intent, &a_range, serial.data,
			     &serial.len, NULL, &f),
	    -1);
	assert_int_equal(f.code, FAULT_USED_UP);
	end(l);
	assert_true(issue(l, "slcs", &at_random).len > 8);
	assert_int_equal(left_of(l, "slcs", &at_random), UINT64_MAX);
	(void)checked(l);
}

static void
a_serial_below_the_floor_is_found(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct ledger_entry e = { 0 };
	struct fault f = { 0 };
	uint64_t entries;
	char head[65];

	assert_int_equal(skip_to(l, "slcs", 0, 5000000000), FAULT_NONE);
	begin(l);
	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_CRL);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, "slcs");
	ledger_entry_number(&e, LEDGER_COLUMN_NUMBER, 5000000000);
	assert_int_equal(ledger_put(l, &e, &f), 0);
	end(l);
	assert_int_equal(ledger_check(l, head, &entries, &f), -1);
	assert_non_null(strstr(f.text,
	    "entry 2 takes what a restore had said may be used"));
}

static void
a_copy_is_a_ledger_of_one_moment(void **state)
{
	const struct place *p = *state;
	struct ledger *l = opened(p), *copy;
	struct fault f = { 0 };
	char path[PATH_MAX + 16];
	struct stat st;

	assert_int_equal(text_fmt(path, sizeof(path), "%s.copy", p->path), 0);
	for (int i = 0; i < 10; i++)
		(void)issue(l, "slcs", &a_range);
	assert_int_equal(ledger_copy(l, path, &f), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)issue(l, "slcs", &a_range);
	copy = ledger_open_read(path, &f);
	assert_non_null(copy);
	assert_int_equal(checked(copy), 20);
	ledger_free(copy);
	/* Again, over the first, by a reader. */
	ledger_free(l);
	l = ledger_open_read(p->path, &f);
	assert_non_null(l);
	assert_int_equal(ledger_copy(l, path, &f), 0);
	ledger_free(l);
	copy = ledger_open(path, NULL, &f);
	assert_non_null(copy);
	assert_int_equal(checked(copy), 22);
	assert_memory_equal(issue(copy, "slcs", &a_range).data, "\x03\xf3", 2);
	ledger_free(copy);
	l = opened(p);
	assert_int_equal(text_fmt(path, sizeof(path), "%s/no/copy", p->dir), 0);
	assert_int_equal(ledger_copy(l, path, &f), -1);
	ledger_free(l);
}

/* A ledger by the rules of version 1, with ${entries} taken from another. */
static void
make_version_1(const struct place *p)
{
	char from[PATH_MAX + 16], sql[PATH_MAX + 64];
	struct ledger *l = opened(p);
	sqlite3 *db;

	(void)issue(l, "slcs", &a_range);
	begin(l);
	(void)reserve(l, "slcs", &a_range);
	end(l);
	ledger_free(l);
	assert_int_equal(text_fmt(from, sizeof(from), "%s.new", p->path), 0);
	assert_int_equal(rename(p->path, from), 0);
	assert_int_equal(text_fmt(sql, sizeof(sql), "%s-wal", p->path), 0);
	assert_int_equal(unlink(sql), 0);
	assert_int_equal(text_fmt(sql, sizeof(sql), "%s-shm", p->path), 0);
	assert_int_equal(unlink(sql), 0);
	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	for (const struct ledger_rule *r = ledger_rules; r->name != NULL; r++)
		if (r->version == 1)
			assert_int_equal(sqlite3_exec(db, r->sql, NULL, NULL,
					     NULL),
			    SQLITE_OK);
	assert_int_equal(text_fmt(sql, sizeof(sql),
			     "PRAGMA journal_mode = WAL;"
			     "PRAGMA application_id = %d;"
			     "PRAGMA user_version = 1;"
			     "ATTACH '%s' AS old;"
			     "INSERT INTO entry SELECT * FROM old.entry;"
			     "INSERT INTO pending SELECT * FROM old.pending;",
			     LEDGER_APPLICATION, from),
	    0);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int
no_request(void *arg, const struct ledger_request *r)
{
	(void)arg;
	(void)r;
	fail();
	return 1;
}

static void
a_ledger_of_version_1_is_read_as_it_is_and_upgraded_when_written(void **state)
{
	const struct place *p = *state;
	struct ledger_request_filter all = { 0 };
	struct ledger_crl last;
	struct fault f = { 0 };
	struct ledger *old, *l;

	make_version_1(p);
	old = ledger_open_read(p->path, &f);
	assert_non_null(old);
	assert_int_equal(old->version, 1);
	assert_int_equal(checked(old), 3);
	assert_int_equal(list(old, (struct ledger_filter){ 0 }).count, 2);
	assert_int_equal(ledger_request_each(old, &all, no_request, NULL, &f),
	    0);
	assert_int_equal(ledger_crl_last(old, "slcs", &last, &f), 0);
	assert_int_equal(last.number, 0);

	l = opened(p); /* voids what had no outcome, too */
	assert_int_equal(l->version, LEDGER_VERSION);
	assert_int_equal(checked(l), 4);
	(void)issue(l, "slcs", &a_range);
	assert_int_equal(checked(l), 6);
	assert_int_equal(checked(old), 6);
	ledger_free(l);
	ledger_free(old);
	l = opened(p);
	assert_int_equal(checked(l), 6);
	ledger_free(l);
}

static void
a_ledger_of_a_later_version_is_refused(void **state)
{
	const struct place *p = *state;
	struct ledger *l = opened(p);
	struct fault f = { 0 };

	assert_int_equal(sqlite3_exec(l->db, "PRAGMA user_version = 3", NULL,
			     NULL, NULL),
	    SQLITE_OK);
	ledger_free(l);
	assert_null(ledger_open(p->path, NULL, &f));
	assert_non_null(strstr(f.text, "version 3 is not known"));
	assert_null(ledger_open_read(p->path, &f));
	assert_non_null(strstr(f.text, "version 3 is not known"));
}

static void
all_states_are_counted(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial s[5];
	struct ledger_counts n;
	struct fault f = { 0 };

	for (int i = 0; i < 5; i++)
		s[i] = issue(l, "slcs", &a_range);
	begin(l);
	for (int i = 3; i >= 0; i--)
		assert_int_equal(ledger_revoke(l, "slcs", bytes(&s[i]),
				     i == 0 ? 1 : 6, "root", 70 + i, &f),
		    0);
	assert_int_equal(ledger_release(l, "slcs", bytes(&s[1]), "root", &f),
	    0);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&s[2]), 4, "root", 80,
			     &f),
	    0);
	s[0] = reserve(l, "slcs", &a_range);
	assert_int_equal(ledger_void(l, "slcs", bytes(&s[0]), &f), 0);
	(void)reserve(l, "slcs", &a_range);
	(void)reserve(l, "other", &a_range);
	end(l);
	for (int i = 0; i < 5; i++) {
		static const enum ledger_state states[] = { LEDGER_VOID,
			LEDGER_ISSUED, LEDGER_REVOKED, LEDGER_HELD,
			LEDGER_ISSUED };
		enum ledger_state is;

		assert_int_equal(ledger_state_find(l, "slcs", bytes(&s[i]), &is,
				     &f),
		    1);
		assert_int_equal(is, states[i]);
		assert_int_equal(ledger_state_find(l, "none", bytes(&s[i]), &is,
				     &f),
		    0);
	}
	assert_int_equal(ledger_count(l, "slcs", 1790043200, &n, &f), 0);
	assert_int_equal(n.states[LEDGER_RESERVED], 1);
	assert_int_equal(n.states[LEDGER_ISSUED], 2);
	assert_int_equal(n.states[LEDGER_VOID], 1);
	assert_int_equal(n.states[LEDGER_REVOKED], 2);
	assert_int_equal(n.states[LEDGER_HELD], 1);
	assert_int_equal(n.expired, 0);
	assert_int_equal(ledger_count(l, "slcs", 1790043201, &n, &f), 0);
	assert_int_equal(n.expired, 2);
	assert_int_equal(ledger_count(l, "none", 1790043201, &n, &f), 0);
	assert_int_equal(n.states[LEDGER_ISSUED], 0);
	assert_int_equal(n.expired, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_PLACE(what_a_backup_lacks_can_be_told_it),
		ON_A_PLACE(serials_and_crl_numbers_go_on_above_a_floor),
		ON_A_PLACE(a_serial_below_the_floor_is_found),
		ON_A_PLACE(a_copy_is_a_ledger_of_one_moment),
		ON_A_PLACE(
		    a_ledger_of_version_1_is_read_as_it_is_and_upgraded_when_written),
		ON_A_PLACE(a_ledger_of_a_later_version_is_refused),
		ON_A_PLACE(all_states_are_counted),
	};

	return cmocka_run_group_tests_name("ledger/ledger_restore", tests, NULL,
	    NULL);
}
