#ifndef INTAKE_CALL_H
#define INTAKE_CALL_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/fault.h"
#include "base/own.h"
#include "ipc/channel.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The call-outs under way, at most so many, however they came:
 *
 *	CALL_ASK    -> CALL_YES     auth knows him, and has vouched to the
 *issuer CALL_SIGN   -> CALL_SIGNED  the certificate is in the ledger
 *
 * Each that begins is answered once and not again: with a certificate or with a
 * fault, and in either case with the reference that the log has.
 */
struct call_table;

#define CALL_ACCOUNT_SIZE 48
#define CALL_PEER_SIZE 64

/* The answer, in the form of callout_form.h; it may come before call_begin
 * returns. */
typedef void call_answer_fn(void *arg, const struct buf *answer);

/* Who calls: the account, as issue-from has it, and whom to tell. */
struct call_from {
	const char *account;
	call_answer_fn *answer;
	void *arg;
};

/* At most ${most} calls, of ${timeout_ms} each. */
CHECKED struct call_table *call_table_new(size_t most, int64_t timeout_ms,
    struct fault *f);
void call_table_free(struct call_table *t);

/* Whom to ask; NULL while there is none. */
void call_table_attach(struct call_table *t, struct channel *auth,
    struct channel *issuer);

/* The ${len} bytes at ${data} are a request, read here. */
void call_begin(struct call_table *t, const struct call_from *from,
    const void *data, size_t len, int64_t now);

/* One that does not begin: log why, and answer ${f}'s code. */
void call_refuse(const struct call_from *from, const struct fault *f);

void call_yes(struct call_table *t, const struct msg_call_yes *m);
void call_no(struct call_table *t, const struct msg_call_no *m);
void call_signed(struct call_table *t, const struct msg_call_signed *m);

/* Answer those whose time is over; what comes for them later finds nothing. */
void call_expire(struct call_table *t, int64_t now);

size_t call_count(const struct call_table *t);

/* Whether there is room for another. */
bool call_room(const struct call_table *t);

OWN_FREE_STRUCT(call_table, call_table_free)

#endif
