#ifndef SIGNETD_ISSUER_JOB_H
#define SIGNETD_ISSUER_JOB_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "ipc/msg.h"
#include "signetd/issuer/policy.h"
#include "x509/csr.h"
#include "x509/mint.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One certificate on its way: what was asked, by whom, and how far it is.
 * What it decides by itself, without a word to another process, is here; who
 * is told what and when is issue.c.
 */
struct fault;

enum job_state {
	JOB_RESERVING,	/* the keeper takes a serial */
	JOB_SIGNING,	/* the signer signs */
	JOB_COMMITTING, /* the keeper makes it durable */
};

struct job {
	uint32_t id;
	enum job_state state;
	struct channel *front; /* NULL: gone, or answered already */
	uint32_t connection;
	bool call;     /* a call-out's: the front is the intake */
	bool refused;  /* it was too late, and has been answered so */
	bool withheld; /* signed in the shadow of a token's removal */
	int64_t deadline;
	struct msg_vouch who;
	struct policy *policy;
	const struct profile *profile;
	const struct catalog_ca *ca;
	struct buf request; /* what csr borrows from */
	struct csr csr;
	struct dn subject;
	time_t not_before;
	time_t not_after;
	uint8_t serial[MINT_SERIAL_SIZE];
	size_t serial_len;
	struct buf tbs;
	struct buf certificate;
};

/**
 * job_check(job, ask, now, f):
 * Whether the policy lets ${job->who} have what ${ask} asks for: the request's
 * signature, its key, the name space, the lifetime.  Nothing that is in the
 * request but its key goes into the certificate.
 */
CHECKED int job_check(struct job *job, const struct msg_sign_ask *ask,
    time_t now, struct fault *f);

/* Make job->tbs; the serial is known by now. */
CHECKED int job_mint(struct job *job, struct fault *f);

/**
 * job_finish(job, signature, f):
 * Make job->certificate, and read it back: it must have the request's key, the
 * subject that was vouched for and the serial that was reserved, or it is
 * FAULT_INTERNAL.
 */
CHECKED int job_finish(struct job *job, struct wire_bytes signature,
    struct fault *f);

/*
 * The jobs under way, at most ${most}.  An id is never used for two jobs that
 * could be mistaken for one another: a late answer finds nothing.
 */
struct job_table;

#define JOBS_MAX 1024
#define JOB_ID_MAX 0x3fffffffu /* ids above are not jobs' */

CHECKED struct job_table *job_table_new(size_t most, struct fault *f);
void job_table_free(struct job_table *table);

/* A new job, empty but for its id; FAULT_BUSY if there are too many. */
CHECKED struct job *job_new(struct job_table *table, struct fault *f);
struct job *job_find(struct job_table *table, uint32_t id);
void job_end(struct job_table *table, struct job *job);

size_t job_count(const struct job_table *table);

/* Call ${fn} for each job; it may end that one. */
typedef void job_each_fn(void *arg, struct job *job);
void job_each(struct job_table *table, job_each_fn *fn, void *arg);

OWN_FREE_STRUCT(job_table, job_table_free)

#endif
