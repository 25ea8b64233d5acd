#ifndef SIGNET_CA_CA_SINCE_H
#define SIGNET_CA_CA_SINCE_H

#include "base/checked.h"
#include "ledger/ledger.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"

/*
 * A backup knows nothing of what came after it.  What the CA did since is
 * gathered from what others have: its newest lists, its newest certificates, a
 * head of its ledger that was kept elsewhere.
 */
struct fault;

/* What was told, and what the book is to be told. */
struct ca_since {
	uint64_t serial;  /* pass over serials up to this one; 0: none */
	uint64_t crl;	  /* and CRL numbers */
	uint64_t missing; /* entries that a head has and the ledger lacks */
	size_t adopted;	  /* certificates that the ledger lacked */
	size_t revoked;	  /* revocations that it lacked */
	size_t lost;	  /* of certificates that nobody has shown */
};

/* FAULT_USAGE, which says what is needed and why, unless ${args} say what came
 * after the backup of a CA that numbers in a range or at ${random}. */
CHECKED int ca_since_given(const struct ca_args *args, bool random,
    struct fault *f);

/**
 * ca_since_apply(args, d, l, log_key, since, f):
 * Compare what ${args} name with the restored ledger ${l} of ${d}, and write
 * into it what it lacks, in one transaction.  ${log_key}: path of the private
 * log key that the backup held, with whose public half heads are checked.
 */
CHECKED int ca_since_apply(const struct ca_args *args, const struct ca_dir *d,
    struct ledger *l, const char *log_key, struct ca_since *since,
    struct fault *f);

#endif
