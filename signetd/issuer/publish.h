#ifndef SIGNETD_ISSUER_PUBLISH_H
#define SIGNETD_ISSUER_PUBLISH_H

#include "base/checked.h"
#include "ipc/channel.h"
#include "signetd/issuer/policy.h"
#include "sys/loop.h"

/*
 * Revocation lists, in time: CRL_ASK to the keeper, who is on it; TBS_ASK to
 * the signer; CRL_FILE to the keeper.  At the start and at a reload if one is
 * due, then each crl-interval; after a failure sooner.
 */
struct fault;
struct publish;

/* Ids of TBS_ASKs for lists have this bit; jobs' have not. */
#define PUBLISH_ID 0x80000000u

/* ${interval} in seconds. */
CHECKED struct publish *publish_new(struct loop *loop, struct policy *policy,
    int64_t interval, struct fault *f);
void publish_free(struct publish *publish);

void publish_attach(struct publish *publish, struct channel *keeper,
    struct channel *signer);

/* Take over a new policy and interval; lists under way are forgotten. */
void publish_reload(struct publish *publish, struct policy *policy,
    int64_t interval);

void publish_listed(struct publish *publish, const struct msg_crl_list *m);
void publish_signed(struct publish *publish, const struct msg_tbs_done *m);

#endif
