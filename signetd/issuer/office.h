#ifndef SIGNETD_ISSUER_OFFICE_H
#define SIGNETD_ISSUER_OFFICE_H

#include "base/checked.h"
#include "ipc/channel.h"
#include "office/office_rules.h"
#include "signetd/issuer/ready.h"

/*
 * From a request that people approved to its certificate:
 *
 *	OFFICE_SIGN  -> OFFICE_FIND   the keeper's copy of request and decisions
 *	OFFICE_FOUND -> RESERVE       judged anew; the intent names the request
 *	RESERVED     -> TBS_ASK
 *	TBS_DONE     -> COMMIT
 *	COMMITTED    -> OFFICE_SIGNED
 *
 * The desk's word is that something is to be looked at, no more.  That nothing
 * is signed twice is the ledger's doing, which reserves one serial a request.
 */
struct fault;
struct office;

/* Ids of the office's jobs have this bit; those of logins and lists have not.
 */
#define OFFICE_ID 0x40000000u

/* ${ready}, borrowed, says which CAs can sign. */
CHECKED struct office *office_new(const struct ready *ready, struct fault *f);
void office_free(struct office *office);
OWN_FREE_STRUCT(office, office_free)

/* What may be issued from now on; taken over. */
void office_set_rules(struct office *office, struct office_rules *rules);
void office_attach(struct office *office, struct channel *keeper,
    struct channel *signer);

void office_sign(struct office *office, struct channel *desk,
    const struct msg_office_sign *m);
void office_found(struct office *office, const struct msg_office_found *m);
void office_reserved(struct office *office, const struct msg_reserved *m);
void office_signed(struct office *office, const struct msg_tbs_done *m);
void office_committed(struct office *office, const struct msg_committed *m);

/* The desk has gone: what is on its way is brought to its end. */
void office_desk_gone(struct office *office, const struct channel *desk);

/* Answer those whose time is over. */
void office_expire(struct office *office, int64_t now);

/* How many are on their way. */
size_t office_count(const struct office *office);

#endif
