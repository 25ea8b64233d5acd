#ifndef SIGNETD_KEEPER_HEADS_H
#define SIGNETD_KEEPER_HEADS_H

#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"
#include "ledger/ledger.h"
#include "sys/loop.h"

#include <stdint.h>

/*
 * Heads of the ledger's log, signed by the log key: log.head beside the
 * ledger, for who comes and keeps it elsewhere, and log.pub, the key's public
 * half.  Made at the start and each interval, a few entries at a time, so that
 * certificates are written down meanwhile.  None is made while the ledger is
 * not what the last one said: that is logged each minute.
 */
struct fault;
struct heads;

/* ${pem} is the log key; what else is given is borrowed. */
CHECKED struct heads *heads_new(struct loop *loop, struct ledger *ledger,
    const char *dir, struct wire_bytes pem, int64_t interval, struct fault *f);
void heads_set_interval(struct heads *heads, int64_t interval);
void heads_free(struct heads *heads);
OWN_FREE_STRUCT(heads, heads_free)

#endif
