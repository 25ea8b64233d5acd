#ifndef SIGNET_CA_CA_LOG_H
#define SIGNET_CA_CA_LOG_H

#include "ledger/checkpoint.h"
#include "signet-ca/base/ca_args.h"

#include <limits.h>

/* What the log commands share: where ledger, key and last head are. */
struct fault;

struct ca_log {
	struct ledger *ledger; /* to read */
	char dir[PATH_MAX];    /* "" if only --ledger was given */
	char name[64];	       /* of the CA, or "ledger" */
	char key[PATH_MAX];    /* the private half; "" if unknown */
	char pub[PATH_MAX];
	char head[PATH_MAX]; /* the last head that was made here */
};

/* From the operand CADIR, --ledger and --log-key; ca_log_close() it. */
CHECKED int ca_log_open(const struct ca_args *args, struct ca_log *log,
    struct fault *f);
void ca_log_close(struct ca_log *log);

/* The log key: of a CADIR it is made if it is not there yet, and so is its
 * public half.  log_key_free() it. */
CHECKED struct log_key *ca_log_key(const struct ca_log *log, struct fault *f);

/* The public half, from --log-key or of CADIR; a private one will do.
 * FAULT_USAGE if neither is there. */
CHECKED int ca_log_pub(const struct ca_log *log, struct log_pub *pub,
    struct fault *f);

/* The public half in the file ${path}, or that of the key in it. */
CHECKED int ca_log_pub_file(const char *path, struct log_pub *pub,
    struct fault *f);

/* The signed head in the file ${path}, checked with ${pub}. */
CHECKED int ca_log_head_file(const char *path, const struct log_pub *pub,
    struct checkpoint *c, struct fault *f);

#endif
