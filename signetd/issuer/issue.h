#ifndef SIGNETD_ISSUER_ISSUE_H
#define SIGNETD_ISSUER_ISSUE_H

#include "base/checked.h"
#include "ipc/channel.h"
#include "signetd/issuer/job.h"
#include "signetd/issuer/policy.h"
#include "signetd/issuer/ready.h"
#include "signetd/issuer/ticket.h"

/*
 * From ticket and request to certificate:
 *
 *	SIGN_ASK  -> RESERVE   the serial and the intent become durable
 *	RESERVED  -> TBS_ASK   the signer reads and signs
 *	TBS_DONE  -> COMMIT    the certificate becomes durable
 *	COMMITTED -> SIGN_DONE and only now leaves this process
 *
 * Many at once; each step is one message in, one message out.  What was signed
 * when the CA's token may have been away is recorded as revoked, and refused.
 */
struct fault;

struct issue {
	struct ticket_table *tickets;
	struct job_table *jobs;
	struct policy *policy;
	struct ready ready;
	struct channel *auth;
	struct channel *keeper;
	struct channel *signer;
	uint32_t *served; /* certificates that went out */
};

/* A request is answered by then, one way or the other. */
#define ISSUE_TIMEOUT_MS 30000

CHECKED int issue_open(struct issue *issue, struct fault *f);
void issue_close(struct issue *issue);

void issue_vouch(struct issue *issue, const struct msg_vouch *vouch);
void issue_ask(struct issue *issue, struct channel *front,
    const struct msg_sign_ask *ask);
/* The same for a call-out, which is answered by CALL_SIGNED. */
void issue_call(struct issue *issue, struct channel *intake,
    const struct msg_call_sign *ask);
void issue_reserved(struct issue *issue, const struct msg_reserved *m);
void issue_signed(struct issue *issue, const struct msg_tbs_done *m);
void issue_committed(struct issue *issue, const struct msg_committed *m);

/* A front has gone: what is on its way for it is brought to its end. */
void issue_front_gone(struct issue *issue, struct channel *front);

/* Answer those whose time is over; when an answer comes for them after all,
 * their serial is voided. */
void issue_expire(struct issue *issue, int64_t now);

#endif
