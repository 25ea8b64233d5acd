#ifndef SIGNETD_ISSUER_PUBLISH_H
#define SIGNETD_ISSUER_PUBLISH_H

#include "base/checked.h"
#include "ipc/channel.h"
#include "signetd/issuer/policy.h"
#include "sys/loop.h"

/*
 * Revocation lists are written here: CRL_LIST from the keeper says who is on
 * one; it is sorted and written as a TBSCertList, which the signer signs
 * (CRL_SIGN) and the keeper files (CRL_FILE, or CRL_FAILED).  Two milliseconds
 * at a time, between the certificates of others; one list at a time.
 */
struct fault;
struct publish;

/* Ids of TBS_ASKs that are neither a job's nor the office's have this bit. */
#define PUBLISH_ID 0x80000000u

CHECKED struct publish *publish_new(struct loop *loop, struct policy *policy,
    struct fault *f);
void publish_free(struct publish *publish);

void publish_attach(struct publish *publish, struct channel *keeper,
    struct channel *signer);

/* Take over a new policy; a list under way is forgotten, as the keeper does. */
void publish_reload(struct publish *publish, struct policy *policy);

/* ${fd} is ours now. */
void publish_listed(struct publish *publish, const struct msg_crl_list *m,
    int fd);
void publish_signed(struct publish *publish, const struct msg_crl_signed *m);

#endif
