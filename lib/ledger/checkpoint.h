#ifndef LEDGER_CHECKPOINT_H
#define LEDGER_CHECKPOINT_H

#include "base/buf.h"
#include "base/checked.h"
#include "ledger/ledger_head.h"
#include "ledger/log_key.h"

#include <stddef.h>

/*
 * A signed head as a file that can be kept elsewhere: a checkpoint as logs of
 * other kinds have it (C2SP tlog-checkpoint, signed-note), so that their tools
 * read it too.
 *
 *	signet/uwm-1/4d0c1f2a
 *	1207
 *	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 *	— signet/uwm-1/4d0c1f2a Az3grl...
 *
 * The name of the log, the number of entries, the root in base64; an empty
 * line; signatures, each of a name and of base64: 4 octets of the key's
 * identifier and the signature of all that is before the empty line.
 */
struct fault;

#define CHECKPOINT_MAX 8192
#define CHECKPOINT_SIGNATURES 16 /* others may have countersigned it */

struct checkpoint {
	char origin[LOG_NAME_SIZE];
	struct ledger_head head;
};

/* Append the head, signed by ${key}, whose name is its origin. */
CHECKED int checkpoint_write(const struct ledger_head *head,
    const struct log_key *key, struct buf *out, struct fault *f);

/* Read one: FAULT_INPUT for what is malformed.  With ${pub} it must be that
 * log's and have its signature: FAULT_UNTRUSTED else.  Signatures of others are
 * passed over.  With NULL no signature is checked. */
CHECKED int checkpoint_read(struct wire_bytes file, const struct log_pub *pub,
    struct checkpoint *c, struct fault *f);

/* Append what is signed. */
CHECKED int checkpoint_text(const struct checkpoint *c, struct buf *out,
    struct fault *f);

#endif
