#include "signetd/issuer/issue.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"

#include <string.h>

int
issue_open(struct issue *is, struct fault *f)
{
	is->tickets = ticket_table_new(TICKETS_MAX, f);
	if (is->tickets == NULL)
		return -1;
	is->jobs = job_table_new(JOBS_MAX, f);
	return is->jobs != NULL ? 0 : -1;
}

void
issue_close(struct issue *is)
{
	job_table_free(is->jobs);
	ticket_table_free(is->tickets);
	policy_free(is->policy);
}

/* A code that came from another process. */
static enum fault_code
code_of(uint32_t fault)
{
	return fault < FAULT_COUNT ? (enum fault_code)fault : FAULT_INTERNAL;
}

/* What is asked for, and of whom the answer is awaited. */
struct asked {
	struct channel *front;
	bool call;
	struct msg_sign_ask ask;
};

/* Answer in the words of whoever asked. */
static int
answer(struct channel *front, bool call, const struct msg_sign_done *done,
    struct fault *f)
{
	struct msg m = { .type = MSG_SIGN_DONE, .sign_done = *done };

	if (call) {
		m.type = MSG_CALL_SIGNED;
		m.call_signed = (struct msg_call_signed){
			.connection = done->connection,
			.fault = done->fault,
			.certificate = done->certificate,
			.chain = done->chain,
		};
	}
	return channel_say(front, &m, f);
}

static void
answer_fault(struct channel *front, bool call, uint32_t connection,
    enum fault_code code, const char *ref)
{
	const struct msg_sign_done done = { .connection = connection,
		.fault = code };
	struct fault f = { 0 };

	if (front != NULL && answer(front, call, &done, &f) < 0)
		log_fault(&f, ref);
}

/* Tell the front end and the log that nothing comes of ${job}. */
static void
refuse(const struct fault *f, struct job *job)
{
	LOG(ISSUE_REFUSED, LOG_TEXT("ref", job->who.ref),
	    LOG_TEXT("code", fault_name(f->code)), LOG_TEXT("text", f->text));
	/* That one of us has gone is not that we cannot be reached. */
	if (!job->refused)
		answer_fault(job->front, job->call, job->connection,
		    f->code == FAULT_UNREACHABLE ? FAULT_BUSY : f->code,
		    job->who.ref);
	job->front = NULL;
	job->refused = true;
}

static void
refuse_and_end(struct issue *is, const struct fault *f, struct job *job)
{
	refuse(f, job);
	job_end(is->jobs, job);
}

/* The serial is used, and nothing came of it. */
static void
void_and_end(struct issue *is, const struct fault *cause, struct job *job)
{
	struct msg m = { .type = MSG_VOID };
	struct fault f = { 0 };

	memcpy(m.void_.ca, job->ca->authority.conf.name, sizeof(m.void_.ca));
	m.void_.serial = (struct wire_bytes){ job->serial, job->serial_len };
	m.void_.fault = cause->code;
	/* If this is lost, the next start finds the intent and voids it. */
	if (channel_say(is->keeper, &m, &f) < 0 && f.code != FAULT_UNREACHABLE)
		log_fault(&f, job->who.ref);
	refuse_and_end(is, cause, job);
}

void
issue_vouch(struct issue *is, const struct msg_vouch *vouch)
{
	struct fault f = { 0 };

	if (ticket_put(is->tickets, vouch, clock_mono(), &f) < 0)
		log_fault(&f, vouch->ref);
}

/* Auth says VOUCH before it says AUTH_YES, but on another channel: what it has
 * said must be heard before its ticket is called unknown. */
static bool
take_ticket(struct issue *is, struct wire_bytes ticket, struct msg_vouch *who)
{
	if (ticket_take(is->tickets, ticket, clock_mono(), who))
		return true;
	if (is->auth == NULL)
		return false;
	channel_drain(is->auth);
	return ticket_take(is->tickets, ticket, clock_mono(), who);
}

static int
ask_keeper(struct issue *is, const struct job *job, struct fault *f)
{
	const struct msg_vouch *who = &job->who;
	struct msg m = { .type = MSG_RESERVE };
	struct msg_reserve *r = &m.reserve;

	r->id = job->id;
	memcpy(r->ca, job->ca->authority.conf.name, sizeof(r->ca));
	memcpy(r->ref, who->ref, sizeof(r->ref));
	memcpy(r->peer, who->peer, sizeof(r->peer));
	memcpy(r->username, who->username, sizeof(r->username));
	memcpy(r->principal, who->principal, sizeof(r->principal));
	memcpy(r->method, who->method, sizeof(r->method));
	memcpy(r->subject, who->subject, sizeof(r->subject));
	memcpy(r->shown_issuer, who->shown_issuer, sizeof(r->shown_issuer));
	memcpy(r->shown_serial, who->shown_serial, sizeof(r->shown_serial));
	memcpy(r->profile, job->profile->name, sizeof(r->profile));
	r->not_before = (uint64_t)job->not_before;
	r->not_after = (uint64_t)job->not_after;
	return channel_say(is->keeper, &m, f);
}

static void
begin(struct issue *is, const struct asked *asked)
{
	const struct msg_sign_ask *ask = &asked->ask;
	struct fault f = { 0 };
	struct job *job = job_new(is->jobs, &f);

	if (job == NULL) {
		LOG(ISSUE_REFUSED, LOG_TEXT("code", fault_name(f.code)),
		    LOG_TEXT("text", f.text));
		answer_fault(asked->front, asked->call, ask->connection, f.code,
		    NULL);
		return;
	}
	job->front = asked->front;
	job->call = asked->call;
	job->connection = ask->connection;
	job->deadline = clock_mono() + ISSUE_TIMEOUT_MS;
	job->policy = policy_hold(is->policy);
	if (!take_ticket(is, ask->ticket, &job->who)) {
		(void)fault_set(&f, FAULT_DENIED,
		    "nobody has vouched for this ticket");
		refuse_and_end(is, &f, job);
		return;
	}
	if (job_check(job, ask, clock_wall(), &f) < 0 ||
	    ready_check(&is->ready, &job->ca->authority, &f) < 0 ||
	    ask_keeper(is, job, &f) < 0) {
		refuse_and_end(is, &f, job);
		return;
	}
	job->state = JOB_RESERVING;
}

void
issue_ask(struct issue *is, struct channel *front,
    const struct msg_sign_ask *ask)
{
	begin(is, &(struct asked){ .front = front, .ask = *ask });
}

void
issue_call(struct issue *is, struct channel *intake,
    const struct msg_call_sign *ask)
{
	begin(is,
	    &(struct asked){ .front = intake,
		.call = true,
		.ask = { .connection = ask->connection,
		    .ticket = ask->ticket,
		    .lifetime = ask->lifetime,
		    .csr = ask->csr } });
}

static int
ask_signer(struct issue *is, struct job *job, struct fault *f)
{
	struct msg m = { .type = MSG_TBS_ASK };

	if (job_mint(job, f) < 0)
		return -1;
	m.tbs_ask.id = job->id;
	memcpy(m.tbs_ask.ref, job->who.ref, sizeof(m.tbs_ask.ref));
	memcpy(m.tbs_ask.ca, job->ca->authority.conf.name,
	    sizeof(m.tbs_ask.ca));
	m.tbs_ask.tbs = (struct wire_bytes){ job->tbs.data, job->tbs.len };
	return channel_say(is->signer, &m, f);
}

/* The job that an answer is for, if it waits for such a one. */
static struct job *
find(struct issue *is, uint32_t id, enum job_state state)
{
	struct job *job = job_find(is->jobs, id);

	return job != NULL && job->state == state ? job : NULL;
}

void
issue_reserved(struct issue *is, const struct msg_reserved *m)
{
	struct job *job = find(is, m->id, JOB_RESERVING);
	struct fault f = { 0 };

	if (job == NULL)
		return;
	if (m->fault != FAULT_NONE || m->serial.len == 0 ||
	    m->serial.len > sizeof(job->serial)) {
		(void)fault_set(&f,
		    m->fault != FAULT_NONE ? code_of(m->fault) : FAULT_INTERNAL,
		    "the keeper reserved no serial");
		refuse_and_end(is, &f, job);
		return;
	}
	memcpy(job->serial, m->serial.data, m->serial.len);
	job->serial_len = m->serial.len;
	if (job->refused)
		(void)fault_set(&f, FAULT_BUSY, "a serial came too late");
	if (job->refused || ask_signer(is, job, &f) < 0) {
		void_and_end(is, &f, job);
		return;
	}
	job->state = JOB_SIGNING;
}

static int
ask_to_commit(struct issue *is, struct job *job, struct fault *f)
{
	struct msg m = { .type = MSG_COMMIT };

	m.commit.id = job->id;
	memcpy(m.commit.ca, job->ca->authority.conf.name, sizeof(m.commit.ca));
	m.commit.serial = (struct wire_bytes){ job->serial, job->serial_len };
	m.commit.der =
	    (struct wire_bytes){ job->certificate.data, job->certificate.len };
	m.commit.withheld = job->withheld;
	return channel_say(is->keeper, &m, f);
}

void
issue_signed(struct issue *is, const struct msg_tbs_done *m)
{
	struct job *job = find(is, m->id, JOB_SIGNING);
	struct fault f = { 0 };
	int result;

	if (job == NULL)
		return;
	job->withheld = m->fault != FAULT_NONE && m->signature.len > 0;
	if (m->fault != FAULT_NONE && !job->withheld)
		result = fault_set(&f, code_of(m->fault), "%s",
		    m->fault == FAULT_SUSPENDED
			? "signing is suspended: the token was lost"
			: "the signer refused");
	else if (job->refused && !job->withheld)
		result = fault_set(&f, FAULT_BUSY, "a signature came too late");
	else
		result = job_finish(job, m->signature, &f);
	/* What is signed is recorded, whether or not the front end waits. */
	if (result == 0)
		result = ask_to_commit(is, job, &f);
	if (result < 0) {
		void_and_end(is, &f, job);
		return;
	}
	job->state = JOB_COMMITTING;
}

static void
log_issued(const struct job *job, bool handed_out)
{
	const struct msg_vouch *who = &job->who;
	char serial[2 * MINT_SERIAL_SIZE + 1];

	text_hex(job->serial, job->serial_len, serial);
	LOG(ISSUED, LOG_TEXT("ref", who->ref), LOG_TEXT("serial", serial),
	    LOG_TEXT("subject", who->subject),
	    LOG_TEXT("profile", job->profile->name),
	    LOG_NUMBER("lifetime", job->not_after - job->not_before),
	    LOG_TEXT("principal", who->principal),
	    LOG_TEXT("method", who->method), LOG_TEXT("peer", who->peer),
	    LOG_TEXT("handed-out", handed_out ? NULL : "no"));
}

/* It is durable: now, and not before, may the user have it. */
static void
hand_out(struct issue *is, struct job *job)
{
	const struct msg_sign_done done = { .connection = job->connection,
		.certificate = { job->certificate.data, job->certificate.len },
		.chain = { job->ca->chain.data, job->ca->chain.len } };
	struct fault f = { 0 };
	bool handed_out = false;

	if (job->front != NULL) {
		handed_out = answer(job->front, job->call, &done, &f) == 0;
		if (!handed_out)
			log_fault(&f, job->who.ref);
	}
	if (handed_out)
		++*is->served;
	log_issued(job, handed_out);
	job_end(is->jobs, job);
}

/* It is in the book, revoked: nobody has it, and nobody gets it. */
static void
withhold(struct issue *is, struct job *job)
{
	char serial[2 * MINT_SERIAL_SIZE + 1];
	struct fault f = { 0 };

	text_hex(job->serial, job->serial_len, serial);
	LOG(WITHHELD, LOG_TEXT("ref", job->who.ref), LOG_TEXT("serial", serial),
	    LOG_TEXT("subject", job->who.subject));
	(void)fault_set(&f, FAULT_SUSPENDED,
	    "signing is suspended: the token was lost while it signed");
	refuse_and_end(is, &f, job);
}

void
issue_committed(struct issue *is, const struct msg_committed *m)
{
	struct job *job = find(is, m->id, JOB_COMMITTING);
	struct fault f = { 0 };

	if (job == NULL)
		return;
	if (m->fault == FAULT_NONE) {
		if (job->withheld)
			withhold(is, job);
		else
			hand_out(is, job);
		return;
	}
	(void)fault_set(&f, code_of(m->fault),
	    "the keeper did not record the certificate");
	void_and_end(is, &f, job);
}

struct gone {
	const struct channel *front;
};

static void
forget_front(void *arg, struct job *job)
{
	const struct gone *gone = arg;

	if (job->front == gone->front)
		job->front = NULL;
}

void
issue_front_gone(struct issue *is, struct channel *front)
{
	struct gone gone = { front };

	job_each(is->jobs, forget_front, &gone);
}

static void
expire_one(void *arg, struct job *job)
{
	const int64_t *now = arg;
	struct fault f = { 0 };

	if (job->refused || job->deadline > *now)
		return;
	(void)fault_set(&f,
	    job->state == JOB_SIGNING ? FAULT_BUSY : FAULT_LEDGER,
	    "no answer from the %s in time",
	    job->state == JOB_SIGNING ? "signer" : "keeper");
	refuse(&f, job);
}

void
issue_expire(struct issue *is, int64_t now)
{
	job_each(is->jobs, expire_one, &now);
}
