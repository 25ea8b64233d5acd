#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * The book of what was issued: SQLite (WAL, synchronous FULL) in one file,
 * append-only, a hash chain over its entries.  The interface is narrow so that
 * another database can stand here later.
 *
 * Every change is an entry: RESERVE (serial, who, what: the intent), ISSUE
 * (the certificate's DER), VOID (an intent that came to nothing), REVOKE,
 * RELEASE, CRL (a number taken), FILED (the list itself), REQUEST and DECISION
 * (ledger_request.h), RESTORE (what must not be used again).  Entry n holds
 * SHA-256(hash of entry n-1 || its own bytes).
 *
 * A ledger of version 1, which knew of no requests, is brought up to date when
 * it is opened for writing, and can be read as it is.
 *
 * Several processes may write (the keeper and, say, a signet-ca that revokes):
 * a transaction waits up to five seconds for another's.  The files beside the
 * ledger are -wal and -shm, which stay when it is closed so that a reader
 * without the right to write finds them, and .lock, by which a writer knows
 * whether it is alone.
 */
struct fault;
struct ledger;

struct ledger_intent {
	const char *ca;
	const char *ref;
	const char *peer;
	const char *username;
	const char *principal;
	const char *method;
	const char *subject;
	const char *profile;
	time_t not_before;
	time_t not_after;
	const char *request; /* id of the request it answers, or NULL */
	uint64_t login;	     /* entry of the login it renews; 0: is one */
};

enum ledger_state {
	LEDGER_RESERVED,
	LEDGER_ISSUED,
	LEDGER_VOID,
	LEDGER_REVOKED,
	LEDGER_HELD
};

/* One certificate's line, as read back; texts borrowed until the next step. */
struct ledger_line {
	uint64_t entry; /* of the intent */
	time_t when;
	enum ledger_state state;
	const char *serial; /* hexadecimal */
	struct ledger_intent intent;
	struct wire_bytes der; /* empty unless issued */
	int reason;	       /* of a revocation */
	time_t revoked;	       /* 0 unless REVOKED or HELD */
};

/* Open for writing, making it (mode 0640) if it is not there.  The chain's
 * last entry is checked.  If no other process has it open for writing, intents
 * without outcome, from before a crash, are made VOID; *${voided} (if not
 * NULL) says how many. */
CHECKED struct ledger *ledger_open(const char *path, unsigned *voided,
    struct fault *f);

/* Open for reading only; works while a daemon writes, for any user who may
 * read the ledger, its -wal and its -shm and search the directory.  A missing
 * one is FAULT_ABSENT. */
CHECKED struct ledger *ledger_open_read(const char *path, struct fault *f);
void ledger_free(struct ledger *ledger);

/* For a daemon: FAULT_LEDGER ("in use") if another process has claimed it, and
 * from now on for others that do.  It may still be opened for writing. */
CHECKED int ledger_claim(struct ledger *l, struct fault *f);

/**
 * ledger_make_room(l, f):
 * For one who will write much: write zeroes where SQLite's log will grow to,
 * about 17 MB.  A commit that makes the log longer waits for the file system's
 * journal too, which on a busy machine takes ten times as long as the commit.
 * Where less than ten times as much is free, nothing is done.
 */
CHECKED int ledger_make_room(struct ledger *l, struct fault *f);

/* How many entries it had at the last look; 0 when opened to read. */
uint64_t ledger_entries(const struct ledger *l);

/* What lies between begin and end is one durable transaction: when ledger_end
 * returns 0 it survives a crash of machine and program.  A refusal (a serial
 * that has an outcome, the end of a range) leaves the transaction as it was.
 * A failure of the database (FAULT_LEDGER: disk full) spoils it: nothing but
 * ledger_cancel helps then, which takes all of it back; a later transaction
 * may fare better. */
CHECKED int ledger_begin(struct ledger *l, struct fault *f);
CHECKED int ledger_end(struct ledger *l, struct fault *f);
void ledger_cancel(struct ledger *l);

/* What follows a transaction that came to ${result}: the end if that is 0, and
 * if it is negative, or the end fails, all of it is taken back.  ${result}, or
 * -1. */
CHECKED int ledger_settle(struct ledger *l, int result, struct fault *f);
bool ledger_spoilt(const struct ledger *l);

/* How a CA numbers: random, or the next free number of a range. */
struct ledger_numbering {
	bool random;
	uint64_t start;
	uint64_t span;
};

/* Inside a transaction: take a serial that was never used by ${intent->ca},
 * and write the intent.  ${serial} gets its magnitude, *${len} its length.
 * For a request (${intent->request}): FAULT_ABSENT if there is none,
 * FAULT_DENIED if it was rejected, withdrawn or issued, FAULT_BUSY while
 * another serial is reserved for it and not void.
 * FAULT_USED_UP past the end of a range; *${left} (if not NULL) is how many
 * serials remain (UINT64_MAX: random). */
CHECKED int ledger_reserve(struct ledger *l, const struct ledger_intent *intent,
    const struct ledger_numbering *numbering, uint8_t serial[20], size_t *len,
    uint64_t *left, struct fault *f);

/* Inside a transaction: the certificate that ${serial} became.  A serial that
 * is not reserved, or has an outcome, or is not the one in ${der}, is
 * FAULT_DENIED. */
CHECKED int ledger_commit(struct ledger *l, const char *ca,
    struct wire_bytes serial, struct wire_bytes der, struct fault *f);
CHECKED int ledger_void(struct ledger *l, const char *ca,
    struct wire_bytes serial, struct fault *f);

/* Inside a transaction: revoke a certificate for ${reason} (RFC 5280 5.3.1) as
 * of ${when}; with reason 6 it is only held, until ledger_release or a
 * revocation proper.  FAULT_DENIED for what is not issued or is revoked. */
CHECKED int ledger_revoke(struct ledger *l, const char *ca,
    struct wire_bytes serial, int reason, const char *who, time_t when,
    struct fault *f);
CHECKED int ledger_release(struct ledger *l, const char *ca,
    struct wire_bytes serial, const char *who, struct fault *f);

/* In what state the certificate with this serial is: 1, or 0 if ${ca} never
 * reserved it. */
CHECKED int ledger_state_find(struct ledger *l, const char *ca,
    struct wire_bytes serial, enum ledger_state *state, struct fault *f);

/* Inside a transaction: the next CRL number of ${ca}, taken; and the list that
 * was made with it.  FAULT_DENIED for a number not taken, or filed before. */
CHECKED int ledger_crl_number(struct ledger *l, const char *ca,
    uint64_t *number, struct fault *f);
CHECKED int ledger_crl_filed(struct ledger *l, const char *ca, uint64_t number,
    struct wire_bytes der, struct fault *f);

/*
 * After a restore from a backup, which knows nothing of what came after it:
 * say which serials (of a range) and CRL numbers of ${ca} may have been used.
 * ledger_reserve() and ledger_crl_number() go on above both; 0 says nothing.
 * Several hold together: the highest counts.  ${who} did it; ${note} is for
 * those who read the book.
 */
struct ledger_floor {
	const char *ca;
	uint64_t serial;
	uint64_t crl;
	const char *who;
	const char *note;
};
/* Inside a transaction.  FAULT_INPUT for a CRL number of more than 63 bits. */
CHECKED int ledger_skip(struct ledger *l, const struct ledger_floor *floor,
    struct fault *f);

/* Inside a transaction: a certificate that was issued after the backup was
 * made, and is known from elsewhere: its intent (method "restore", by ${who})
 * and itself.  Before ledger_skip(), which gives its serial away.  FAULT_DENIED
 * if ${ca} reserved its serial before. */
CHECKED int ledger_adopt(struct ledger *l, const struct ledger_intent *intent,
    struct wire_bytes der, struct fault *f);

/* Copy the ledger as it is now, while others may write, to ${path} (mode
 * 0600): one file, opened like any ledger.  A file that is there already is
 * replaced at the end, when the copy is on the disk. */
CHECKED int ledger_copy(struct ledger *l, const char *path, struct fault *f);

/* The last CRL of ${ca} that was filed; ${number} 0 if there is none. */
struct ledger_crl {
	uint64_t number;
	time_t taken; /* when its number was */
	bool stale;   /* revocations or releases have come since */
};
CHECKED int ledger_crl_last(struct ledger *l, const char *ca,
    struct ledger_crl *last, struct fault *f);

/* What to list; NULL and 0 match all.  Texts match as substrings, ${serial}
 * whole (hexadecimal, any leading zeroes). */
struct ledger_filter {
	const char *ca;
	const char *serial;
	const char *text;    /* in subject, principal, username, peer or ref */
	const char *subject; /* whole */
	const char *asker;   /* whole: username, principal, or who asked for
			      * the request that was answered */
	time_t since;
	time_t until;
	bool revoked_only;
	uint64_t after; /* only those reserved after this entry */
	uint64_t limit;
};

/* Call ${fn} for each line, oldest first, until it returns non-zero, which is
 * returned; 0 at the end, -1 after a fault. */
typedef int ledger_line_fn(void *arg, const struct ledger_line *line);
CHECKED int ledger_each(struct ledger *l, const struct ledger_filter *filter,
    ledger_line_fn *fn, void *arg, struct fault *f);

/* How many certificates of ${ca} are in each state, and how many of those that
 * are neither revoked nor held have expired by ${now}. */
struct ledger_counts {
	uint64_t states[LEDGER_HELD + 1];
	uint64_t expired;
	uint64_t requests; /* that are open */
};
CHECKED int ledger_count(struct ledger *l, const char *ca, time_t now,
    struct ledger_counts *counts, struct fault *f);

/* How many serials ${numbering} has left; UINT64_MAX: random. */
CHECKED int ledger_serials_left(struct ledger *l, const char *ca,
    const struct ledger_numbering *numbering, uint64_t *left, struct fault *f);

/* Walk the whole chain, compare every table and index with what the entries
 * say, and the rules that keep it append-only with what they must be.
 * FAULT_LEDGER names the first entry that does not fit.  ${head} gets the
 * last hash in hexadecimal (64 digits), *${entries} the count. */
CHECKED int ledger_check(struct ledger *l, char head[65], uint64_t *entries,
    struct fault *f);

OWN_FREE_STRUCT(ledger, ledger_free)

#endif
