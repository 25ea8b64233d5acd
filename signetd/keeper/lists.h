#ifndef SIGNETD_KEEPER_LISTS_H
#define SIGNETD_KEEPER_LISTS_H

#include "base/checked.h"
#include "base/own.h"
#include "ipc/msg.h"
#include "ledger/ledger_lists.h"
#include "signetd/keeper/books.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <time.h>

/*
 * Revocation lists: when one is due, who is on it, and where it is filed.
 *
 *	CRL_LIST  -> the issuer writes it, the signer signs it
 *	CRL_FILE  <- and this is what became of it
 *	LIST_MADE -> the parent hears that it is in its place
 *
 * Each second what is new in the book is looked at, whoever wrote it.  A list
 * of a million takes seconds and is worked on for two milliseconds at a time,
 * so that the certificates of others are written down meanwhile; one list is
 * made at a time.  Everything but the taking of a number and the filing is done
 * outside a transaction.
 */
struct fault;
struct lists;

/* Say ${m}, with a copy of ${fd}. */
typedef int lists_say_fn(void *arg, const struct msg *m, int fd,
    struct fault *f);

/**
 * lists_new(loop, ledger, dir, say, arg, f):
 * Lists are filed in ${dir} as CA.crl (DER) and CA.r0 (PEM); those that were
 * there before stay as CA.crl.old and CA.r0.old.  Everything is borrowed.
 */
CHECKED struct lists *lists_new(struct loop *loop, struct ledger *ledger,
    const char *dir, lists_say_fn *say, void *arg, struct fault *f);
void lists_free(struct lists *lists);

/* Take over other CAs and a list at least each ${interval} seconds; a list that
 * is being made is given up, to be begun anew. */
CHECKED int lists_set_books(struct lists *lists, struct books *books,
    int64_t interval, struct fault *f);

/* Make each CA's list anew, due or not, as soon as may be. */
void lists_now(struct lists *lists);

/* The issuer listens from now on. */
void lists_start(struct lists *lists);

/* Whether ${ca} can sign: while it cannot none is begun, and what failed is
 * tried again as soon as it can. */
void lists_can(struct lists *lists, const char *ca, bool can);

/* A list is signed; ${fd}, now ours, is its TBSCertList.  Or it is not. */
void lists_signed(struct lists *lists, const struct msg_crl_file *m, int fd);
void lists_failed(struct lists *lists, const struct msg_crl_failed *m);

/**
 * lists_due(last, stale, lifetime, interval, now):
 * Whether a list is to be made though ${last} is there: revocations or releases
 * have come since (${stale}), half its life or the interval is over, it is for
 * days to come (an office made it before its time), or the clock that it was
 * made by was ahead.
 */
bool lists_due(const struct ledger_list *last, bool stale, int64_t lifetime,
    int64_t interval, time_t now);

OWN_FREE_STRUCT(lists, lists_free)

#endif
