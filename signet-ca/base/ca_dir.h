#ifndef SIGNET_CA_CA_DIR_H
#define SIGNET_CA_CA_DIR_H

#include "base/checked.h"
#include "base/own.h"
#include "base/secret.h"
#include "signet-ca/token/ca_token.h"
#include "x509/authority.h"
#include "x509/key.h"

#include <limits.h>

/*
 * The directory of a CA: ca.conf, ca.pem, ca.key, chain.pem, ledger.db.  One
 * without ca.pem, but with request.txt, waits for what a root will reply.
 */
struct fault;

#define CA_DIR_REQUEST "request.txt"

struct ca_dir {
	char path[PATH_MAX];
	struct authority authority;
	struct buf pem;		/* its certificate as it stands in the file */
	struct key *key;	/* NULL until ca_dir_unlock() */
	bool lent;		/* the key is another's */
	struct ca_token *token; /* owned; where the key is, if it is in one */
};

/* Read what describes the CA in ${path}.  FAULT_ABSENT says so if an init of
 * it was interrupted, or it waits for its certificate.  ca_dir_free() the
 * result. */
CHECKED struct ca_dir *ca_dir_open(const char *path, struct fault *f);
void ca_dir_free(struct ca_dir *d);
OWN_FREE_STRUCT(ca_dir, ca_dir_free)

/* Load its key, which must belong to its certificate.  An encrypted one's pass
 * phrase comes from descriptor ${fd} (a number as text), or is asked for.  The
 * PIN of a key in a token is asked for at the terminal, whatever ${fd} is. */
CHECKED int ca_dir_unlock(struct ca_dir *d, const char *fd, struct fault *f);
/* The same with the pass phrase at hand, NULL for none. */
CHECKED int ca_dir_unlock_with(struct ca_dir *d, const struct secret *phrase,
    struct fault *f);

/* The same with the key itself, which is borrowed. */
CHECKED int ca_dir_lend_key(struct ca_dir *d, struct key *key, struct fault *f);

/* Whether its key is in a token. */
bool ca_dir_in_token(const struct ca_dir *d);

/* Log in to its token (what ca_dir_unlock() does for such a key), and keep the
 * PIN for ca_dir_settle(): that puts the certificate beside the key.  A token
 * that does not take it is told of on standard error, and no fault: nothing
 * needs it there. */
CHECKED int ca_dir_unlock_token(struct ca_dir *d, bool keep, struct fault *f);
void ca_dir_settle(struct ca_dir *d);

/* Put ${der} beside its key in ${token}, as ca_dir_settle() does. */
void ca_dir_put_beside(struct ca_token *token, struct wire_bytes der);

/* Append the certificates above the CA, if it is no root. */
CHECKED int ca_dir_chain(const struct ca_dir *d, struct buf *pem,
    struct fault *f);

/* The path of ${file} in it; and of its ledger, which is ${given} if not
 * NULL.  FAULT_USAGE if it must be given, because signetd keeps it;
 * FAULT_ABSENT if it is empty, or not there though signetd does not keep it:
 * init makes it, and nothing else may begin one. */
CHECKED int ca_dir_path(const struct ca_dir *d, const char *file, char *path,
    size_t size, struct fault *f);
CHECKED int ca_dir_ledger(const struct ca_dir *d, const char *given, char *path,
    size_t size, struct fault *f);

#endif
