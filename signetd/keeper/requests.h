#ifndef SIGNETD_KEEPER_REQUESTS_H
#define SIGNETD_KEEPER_REQUESTS_H

#include "ipc/msg.h"
#include "ledger/ledger.h"
#include "signetd/keeper/books.h"

#include <stdbool.h>

/*
 * The office's part of the book: requests, decisions, revocations and what is
 * asked about them.  Each change is a transaction of its own, answered when it
 * is on the disk.
 */
typedef void requests_say_fn(void *arg, const struct msg *answer);

struct requests {
	struct ledger *ledger;
	struct books *books;
	requests_say_fn *say;
	void *arg;
};

/* Rows that one question is answered with, at most. */
#define REQUESTS_ROWS_MAX 200

/* Answer ${m}; no transaction may be open.  False if it is none of ours. */
bool requests_take(const struct requests *r, const struct msg *m);

#endif
