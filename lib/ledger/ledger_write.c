#include "base/clock.h"
#include "base/fault.h"
#include "ledger/ledger_book.h"
#include "x509/mint.h"

#include <string.h>

/* What is written into the book: the changes that ledger.h speaks of. */

#define RANDOM_TRIES 3
#define REASON_MOST 10

int
ledger_put(struct ledger *l, struct ledger_entry *e, struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_PUT];
	uint8_t hash[LEDGER_HASH_SIZE];
	int rc;

	if (!l->begun || l->spoilt)
		return fault_set(f, FAULT_INTERNAL,
		    "ledger: no transaction to write in");
	ledger_entry_number(e, LEDGER_COLUMN_ID, l->last_id + 1);
	ledger_entry_number(e, LEDGER_COLUMN_TIME, clock_wall());
	if (ledger_entry_hash(&l->hasher, e, l->last_hash, hash, f) < 0)
		return -1;
	rc = ledger_entry_bind(e, hash, stmt);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_CONSTRAINT_UNIQUE) {
		ledger_done(l, LEDGER_STMT_PUT);
		return 1;
	}
	if (rc != SQLITE_DONE) {
		(void)ledger_db_fault(l, f, "append");
		ledger_done(l, LEDGER_STMT_PUT);
		return -1;
	}
	ledger_done(l, LEDGER_STMT_PUT);
	l->last_id++;
	memcpy(l->last_hash, hash, sizeof(l->last_hash));
	return 0;
}

/* ${number} as 20 octets. */
static void
put_number(uint64_t number, uint8_t padded[LEDGER_SERIAL_SIZE])
{
	memset(padded, 0, LEDGER_SERIAL_SIZE);
	for (int i = LEDGER_SERIAL_SIZE; number > 0; number >>= 8)
		padded[--i] = (uint8_t)number;
}

static uint64_t
get_number(const uint8_t padded[LEDGER_SERIAL_SIZE])
{
	uint64_t number = 0;

	for (int i = LEDGER_SERIAL_SIZE - 8; i < LEDGER_SERIAL_SIZE; i++)
		number = number << 8 | padded[i];
	return number;
}

/* The highest number of the range that was ever used, or that a restore says
 * may have been: 1, or 0 if there is none. */
static int
highest_used(struct ledger *l, const char *ca, uint64_t first, uint64_t last,
    uint64_t *highest, struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_HIGHEST];
	uint8_t low[LEDGER_SERIAL_SIZE], high[LEDGER_SERIAL_SIZE];
	uint8_t floor[LEDGER_SERIAL_SIZE];
	int64_t number;
	uint64_t skipped;
	int found;

	put_number(first, low);
	put_number(last, high);
	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(stmt, 2, low, sizeof(low), SQLITE_STATIC);
	(void)sqlite3_bind_blob(stmt, 3, high, sizeof(high), SQLITE_STATIC);
	found = ledger_one(l, LEDGER_STMT_HIGHEST, f);
	if (found == 1 && sqlite3_column_bytes(stmt, 0) == LEDGER_SERIAL_SIZE)
		*highest = get_number(sqlite3_column_blob(stmt, 0));
	ledger_done(l, LEDGER_STMT_HIGHEST);
	if (found < 0 || ledger_floor_find(l, ca, floor, &number, f) < 0)
		return -1;
	skipped = get_number(floor);
	if (skipped < first || (found == 1 && skipped <= *highest))
		return found;
	*highest = skipped;
	return 1;
}

/* The number after the highest that was ever used in the range. */
static int
next_of_range(struct ledger *l, const char *ca,
    const struct ledger_numbering *numbering, uint8_t padded[20],
    uint64_t *left, struct fault *f)
{
	uint64_t first = numbering->start > 0 ? numbering->start : 1;
	uint64_t last = numbering->start + (numbering->span - 1);
	uint64_t next = first;
	bool used_up = numbering->span == 0 || last < first;
	int found = highest_used(l, ca, first, last, &next, f);

	if (found < 0)
		return -1;
	if (found == 1) {
		used_up = used_up || next >= last;
		next++;
	}
	if (used_up)
		return fault_set(f, FAULT_USED_UP,
		    "ledger: the serial range of %s is used up: give it "
		    "another in its ca.conf",
		    ca);
	put_number(next, padded);
	*left = last - next;
	return 0;
}

int
ledger_serials_left(struct ledger *l, const char *ca,
    const struct ledger_numbering *numbering, uint64_t *left, struct fault *f)
{
	uint64_t first = numbering->start > 0 ? numbering->start : 1;
	uint64_t last = numbering->start + (numbering->span - 1);
	uint64_t highest = first - 1;

	*left = numbering->random ? UINT64_MAX : 0;
	if (numbering->random || numbering->span == 0 || last < first)
		return 0;
	if (highest_used(l, ca, first, last, &highest, f) < 0)
		return -1;
	*left = highest < last ? last - highest : 0;
	return 0;
}

static void
put_intent(struct ledger_entry *e, const struct ledger_intent *intent)
{
	ledger_entry_number(e, LEDGER_COLUMN_KIND, LEDGER_KIND_RESERVE);
	ledger_entry_text(e, LEDGER_COLUMN_CA, intent->ca);
	ledger_entry_text(e, LEDGER_COLUMN_REF, intent->ref);
	ledger_entry_text(e, LEDGER_COLUMN_PEER, intent->peer);
	ledger_entry_text(e, LEDGER_COLUMN_USERNAME, intent->username);
	ledger_entry_text(e, LEDGER_COLUMN_PRINCIPAL, intent->principal);
	ledger_entry_text(e, LEDGER_COLUMN_METHOD, intent->method);
	ledger_entry_text(e, LEDGER_COLUMN_SUBJECT, intent->subject);
	ledger_entry_text(e, LEDGER_COLUMN_PROFILE, intent->profile);
	ledger_entry_number(e, LEDGER_COLUMN_NOT_BEFORE, intent->not_before);
	ledger_entry_number(e, LEDGER_COLUMN_NOT_AFTER, intent->not_after);
	if (intent->login > 0 && intent->login <= INT64_MAX)
		ledger_entry_number(e, LEDGER_COLUMN_NUMBER,
		    (int64_t)intent->login);
}

/* Remember, or forget, that ${id} has no outcome. */
static int
pend(struct ledger *l, enum ledger_stmt which, int64_t id, struct fault *f)
{
	int result;

	(void)sqlite3_bind_int64(l->stmt[which], 1, id);
	result = ledger_one(l, which, f);
	ledger_done(l, which);
	return result < 0 ? -1 : 0;
}

int
ledger_reserve(struct ledger *l, const struct ledger_intent *intent,
    const struct ledger_numbering *numbering, uint8_t serial[20], size_t *len,
    uint64_t *left, struct fault *f)
{
	uint8_t padded[LEDGER_SERIAL_SIZE];
	struct ledger_entry e = { 0 };
	uint64_t remain = UINT64_MAX;
	int taken = 1;
	size_t zeroes = 0;
	int64_t request;

	put_intent(&e, intent);
	if (intent->request != NULL) {
		if (ledger_request_ready(l, intent->ca, intent->request,
			&request, f) < 0)
			return -1;
		ledger_entry_number(&e, LEDGER_COLUMN_INTENT, request);
	}
	ledger_entry_bytes(&e, LEDGER_COLUMN_SERIAL,
	    (struct wire_bytes){ padded, sizeof(padded) });
	for (int i = 0; i < RANDOM_TRIES && taken == 1; i++) {
		if (numbering->random)
			mint_random_serial(padded);
		if (!numbering->random &&
		    next_of_range(l, intent->ca, numbering, padded, &remain,
			f) < 0)
			return -1;
		taken = ledger_put(l, &e, f);
	}
	if (taken == 1)
		return fault_set(f, FAULT_LEDGER,
		    "ledger: no serial of %s is free", intent->ca);
	if (taken < 0 || pend(l, LEDGER_STMT_PEND, l->last_id, f) < 0)
		return -1;
	while (zeroes < sizeof(padded) - 1 && padded[zeroes] == 0)
		zeroes++;
	*len = sizeof(padded) - zeroes;
	memcpy(serial, padded + zeroes, *len);
	if (left != NULL)
		*left = remain;
	return 0;
}

int
ledger_adopt(struct ledger *l, const struct ledger_intent *intent,
    struct wire_bytes der, struct fault *f)
{
	struct wire_bytes serial = ledger_der_serial(der);
	uint8_t padded[LEDGER_SERIAL_SIZE];
	struct ledger_entry e = { 0 };
	int taken;

	if (ledger_serial_pad(serial, padded, f) < 0)
		return -1;
	put_intent(&e, intent);
	ledger_entry_bytes(&e, LEDGER_COLUMN_SERIAL,
	    (struct wire_bytes){ padded, sizeof(padded) });
	taken = ledger_put(l, &e, f);
	if (taken == 1)
		return fault_set(f, FAULT_DENIED,
		    "ledger: %s reserved this serial before", intent->ca);
	if (taken < 0 || pend(l, LEDGER_STMT_PEND, l->last_id, f) < 0)
		return -1;
	return ledger_commit(l, intent->ca, serial, der, f);
}

/* The intent that used ${padded}: 1 and its id, 0 if there is none. */
static int
find_intent(struct ledger *l, const char *ca,
    const uint8_t padded[LEDGER_SERIAL_SIZE], int64_t *id, struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_INTENT];
	int found;

	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(stmt, 2, padded, LEDGER_SERIAL_SIZE,
	    SQLITE_STATIC);
	found = ledger_one(l, LEDGER_STMT_INTENT, f);
	if (found == 1)
		*id = sqlite3_column_int64(stmt, 0);
	ledger_done(l, LEDGER_STMT_INTENT);
	return found;
}

/* Begin in ${e} an entry about the certificate with ${serial}: ${padded} gets
 * its octets and must outlive ${e}. */
static int
about(struct ledger *l, struct ledger_entry *e, enum ledger_kind kind,
    const char *ca, struct wire_bytes serial,
    uint8_t padded[LEDGER_SERIAL_SIZE], int64_t *id, struct fault *f)
{
	int found;

	if (ledger_serial_pad(serial, padded, f) < 0)
		return -1;
	found = find_intent(l, ca, padded, id, f);
	if (found < 0)
		return -1;
	if (found == 0)
		return fault_set(f, FAULT_DENIED,
		    "ledger: %s never reserved this serial", ca);
	ledger_entry_number(e, LEDGER_COLUMN_KIND, kind);
	ledger_entry_number(e, LEDGER_COLUMN_INTENT, *id);
	ledger_entry_text(e, LEDGER_COLUMN_CA, ca);
	ledger_entry_bytes(e, LEDGER_COLUMN_SERIAL,
	    (struct wire_bytes){ padded, LEDGER_SERIAL_SIZE });
	return 0;
}

/* Put the outcome ${e} of the intent ${id}, which must have none yet. */
static int
put_outcome(struct ledger *l, struct ledger_entry *e, int64_t id,
    struct fault *f)
{
	int taken = ledger_put(l, e, f);

	if (taken == 1)
		return fault_set(f, FAULT_DENIED,
		    "ledger: this serial has an outcome already");
	if (taken < 0)
		return -1;
	return pend(l, LEDGER_STMT_UNPEND, id, f);
}

int
ledger_commit(struct ledger *l, const char *ca, struct wire_bytes serial,
    struct wire_bytes der, struct fault *f)
{
	uint8_t padded[LEDGER_SERIAL_SIZE], inside[LEDGER_SERIAL_SIZE];
	struct ledger_entry e = { 0 };
	struct fault none;
	int64_t id = 0;

	if (about(l, &e, LEDGER_KIND_ISSUE, ca, serial, padded, &id, f) < 0)
		return -1;
	if (ledger_serial_pad(ledger_der_serial(der), inside, &none) < 0 ||
	    memcmp(padded, inside, sizeof(padded)) != 0)
		return fault_set(f, FAULT_DENIED,
		    "ledger: the certificate has another serial");
	ledger_entry_bytes(&e, LEDGER_COLUMN_DER, der);
	return put_outcome(l, &e, id, f);
}

int
ledger_void_intent(struct ledger *l, int64_t id, const char *ca,
    struct wire_bytes serial, struct fault *f)
{
	struct ledger_entry e = { 0 };

	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_VOID);
	ledger_entry_number(&e, LEDGER_COLUMN_INTENT, id);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, ca);
	ledger_entry_bytes(&e, LEDGER_COLUMN_SERIAL, serial);
	return put_outcome(l, &e, id, f);
}

int
ledger_void(struct ledger *l, const char *ca, struct wire_bytes serial,
    struct fault *f)
{
	uint8_t padded[LEDGER_SERIAL_SIZE];
	struct ledger_entry e = { 0 };
	int64_t id = 0;

	if (about(l, &e, LEDGER_KIND_VOID, ca, serial, padded, &id, f) < 0)
		return -1;
	return put_outcome(l, &e, id, f);
}

/* The kind of the outcome of the intent ${id}, 0 if it has none. */
static int
outcome_of(struct ledger *l, int64_t id, int *kind, struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_OUTCOME];
	int found;

	(void)sqlite3_bind_int64(stmt, 1, id);
	found = ledger_one(l, LEDGER_STMT_OUTCOME, f);
	*kind = found == 1 ? sqlite3_column_int(stmt, 0) : 0;
	ledger_done(l, LEDGER_STMT_OUTCOME);
	return found < 0 ? -1 : 0;
}

/* Whether the certificate is revoked now, and held only. */
static int
verdict_of(struct ledger *l, const char *ca, int64_t id, bool *revoked,
    bool *held, struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_VERDICT];
	int found;

	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(stmt, 2, id);
	found = ledger_one(l, LEDGER_STMT_VERDICT, f);
	*revoked =
	    found == 1 && sqlite3_column_int(stmt, 0) == LEDGER_KIND_REVOKE;
	*held = *revoked && sqlite3_column_int(stmt, 1) == LEDGER_REASON_HOLD;
	ledger_done(l, LEDGER_STMT_VERDICT);
	return found < 0 ? -1 : 0;
}

int
ledger_state_find(struct ledger *l, const char *ca, struct wire_bytes serial,
    enum ledger_state *state, struct fault *f)
{
	uint8_t padded[LEDGER_SERIAL_SIZE];
	bool revoked, held;
	int64_t id = 0;
	int found, kind;

	if (ledger_serial_pad(serial, padded, f) < 0)
		return -1;
	if ((found = find_intent(l, ca, padded, &id, f)) <= 0)
		return found;
	if (outcome_of(l, id, &kind, f) < 0 ||
	    verdict_of(l, ca, id, &revoked, &held, f) < 0)
		return -1;
	if (revoked)
		*state = held ? LEDGER_HELD : LEDGER_REVOKED;
	else if (kind == LEDGER_KIND_ISSUE)
		*state = LEDGER_ISSUED;
	else
		*state =
		    kind == LEDGER_KIND_VOID ? LEDGER_VOID : LEDGER_RESERVED;
	return 1;
}

int
ledger_revoke(struct ledger *l, const char *ca, struct wire_bytes serial,
    int reason, const char *who, time_t when, struct fault *f)
{
	uint8_t padded[LEDGER_SERIAL_SIZE];
	struct ledger_entry e = { 0 };
	bool revoked, held;
	int64_t id = 0;
	int kind;

	/* 7 is unused, 8 is for delta CRLs. */
	if (reason < 0 || reason > REASON_MOST || reason == 7 || reason == 8)
		return fault_set(f, FAULT_INPUT,
		    "ledger: %d is no reason (RFC 5280 5.3.1)", reason);
	if (about(l, &e, LEDGER_KIND_REVOKE, ca, serial, padded, &id, f) < 0 ||
	    outcome_of(l, id, &kind, f) < 0 ||
	    verdict_of(l, ca, id, &revoked, &held, f) < 0)
		return -1;
	if (kind != LEDGER_KIND_ISSUE)
		return fault_set(f, FAULT_DENIED,
		    "ledger: this serial was never issued");
	if (revoked && (!held || reason == LEDGER_REASON_HOLD))
		return fault_set(f, FAULT_DENIED,
		    "ledger: this certificate is revoked already");
	ledger_entry_text(&e, LEDGER_COLUMN_USERNAME, who);
	ledger_entry_number(&e, LEDGER_COLUMN_REASON, reason);
	ledger_entry_number(&e, LEDGER_COLUMN_REVOKED, when);
	return ledger_put(l, &e, f) < 0 ? -1 : 0;
}

int
ledger_release(struct ledger *l, const char *ca, struct wire_bytes serial,
    const char *who, struct fault *f)
{
	uint8_t padded[LEDGER_SERIAL_SIZE];
	struct ledger_entry e = { 0 };
	bool revoked, held;
	int64_t id = 0;

	if (about(l, &e, LEDGER_KIND_RELEASE, ca, serial, padded, &id, f) < 0 ||
	    verdict_of(l, ca, id, &revoked, &held, f) < 0)
		return -1;
	if (!held)
		return fault_set(f, FAULT_DENIED,
		    "ledger: this certificate is not held");
	ledger_entry_text(&e, LEDGER_COLUMN_USERNAME, who);
	return ledger_put(l, &e, f) < 0 ? -1 : 0;
}
