#ifndef SIGNETD_KEEPER_QUEUE_H
#define SIGNETD_KEEPER_QUEUE_H

#include "base/checked.h"
#include "base/own.h"
#include "ledger/ledger.h"
#include "signetd/keeper/books.h"
#include "sys/loop.h"

/*
 * Revocations that wait in files (ledger/queue_note.h) in the directory
 * "queue" beside the ledger, where revoke-cert puts them.
 *
 * What a file asks for is in the ledger, durable, before the file goes; a crash
 * between the two costs nothing, since who is revoked already is passed over.
 * A file that asks for what cannot be done (an unknown serial, one of two CAs,
 * not of this form, no regular file) is logged and gets a name with "refused-"
 * before it, or goes if it is no file; what else it asks for is done.  When the
 * ledger cannot be written (a full disk) the file stays, for the next time.
 *
 * The directory is made at the start if it is not there, for this user alone:
 * whoever may write into it may revoke.
 */
struct fault;
struct queue;

/* Looked into this often, besides queue_run(). */
#define QUEUE_EACH_MS 60000

/* For the ledger in ${dir}.  Everything is borrowed.  queue_free() it. */
CHECKED struct queue *queue_new(struct loop *loop, struct ledger *ledger,
    struct books *books, const char *dir, struct fault *f);
void queue_free(struct queue *queue);

/* Take over other CAs. */
void queue_set_books(struct queue *queue, struct books *books);

/**
 * queue_run(queue):
 * Carry out what waits, now; outside a transaction of others (batch_end()
 * first, in a handler of the issuer's channel).  When it returns all of it is
 * in the ledger; only what takes longer than a tenth of a second goes on by the
 * loop.  What fails is logged.  Nothing happens if ${queue} is NULL.
 */
void queue_run(struct queue *queue);

OWN_FREE_STRUCT(queue, queue_free)

#endif
