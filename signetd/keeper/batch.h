#ifndef SIGNETD_KEEPER_BATCH_H
#define SIGNETD_KEEPER_BATCH_H

#include "base/checked.h"
#include "base/own.h"
#include "ipc/msg.h"
#include "signetd/keeper/books.h"

/*
 * Group commit: what was asked since the last sync becomes one transaction,
 * and is answered when that is durable, or taken back as a whole.  A sync
 * costs as much as everything else together; who waits for one shares it.
 */
struct fault;
struct batch;

/* Changes in one transaction; more begin the next. */
#define BATCH_MAX 512

typedef void batch_say_fn(void *arg, const struct msg *answer);

/**
 * batch_new(ledger, books, say, arg, f):
 * Answers go to ${say}.  Everything is borrowed.
 */
CHECKED struct batch *batch_new(struct ledger *ledger, struct books *books,
    batch_say_fn *say, void *arg, struct fault *f);
void batch_free(struct batch *batch);

/* Take over other CAs; only between transactions. */
void batch_set_books(struct batch *batch, struct books *books);

/* Renewals end ${limit} seconds after the login; 0, as at first: they do not.
 */
void batch_set_renewal(struct batch *batch, int64_t limit);

/* Write down what the issuer asks; it is answered by batch_end.  If the batch
 * was full that has happened already. */
void batch_take(struct batch *batch, const struct msg *m);

/* Make it durable, and answer.  If that fails all are answered FAULT_LEDGER,
 * and what was to be voided is tried again with the next. */
void batch_end(struct batch *batch);

OWN_FREE_STRUCT(batch, batch_free)

#endif
