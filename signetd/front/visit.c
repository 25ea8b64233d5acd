#include "signetd/front/visit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "myproxy/myproxy_text.h"
#include "signetd/front/command.h"
#include "signetd/front/issued.h"
#include "signetd/front/proof.h"
#include "signetd/front/reply.h"
#include "x509/csr.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 4096u
#define ISSUED_MAX 65536u
#define FLAG_NO_DELEGATION '0'

int
visit_begin(struct visit *v, const struct visit_house *house, uint32_t id,
    const char *peer, struct fault *f)
{
	memset(v, 0, sizeof(*v));
	v->house = house;
	v->id = id;
	v->in = BUF(VISIT_IN_MAX);
	rand_ref(v->ref);
	if ((v->peer = strdup(peer)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a visit");
	return 0;
}

void
visit_end(struct visit *v)
{
	struct msg m = { .type = MSG_AUTH_GONE };
	struct fault f = { 0 };

	/* If auth cannot be told, it has gone itself. */
	m.auth_gone.connection = v->id;
	if (v->auth_open && v->house->say(v->house->arg, &m, &f) < 0)
		v->auth_open = false;
	v->state = VISIT_OVER; /* nothing that has come is looked at now */
	while (v->out_count > 0)
		visit_sent(v);
	buf_free(&v->in);
	free(v->peer);
	free(v->identity);
	free(v->username);
	secret_wipe(v, sizeof(*v));
}

int
visit_identify(struct visit *v, const char *identity, bool limited,
    struct fault *f)
{
	free(v->identity);
	v->limited = limited;
	if ((v->identity = strdup(identity)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a client's identity");
	return 0;
}

static void
put(struct visit *v, struct buf own, struct reply *shared)
{
	struct visit_record *record = &v->out[v->out_count];

	/* What a client sends is not looked at while answers wait, so they
	 * cannot become more; and an answer that is cut short is none. */
	if (v->out_count == VISIT_OUT_MAX || own.failed) {
		buf_free(&own);
		reply_drop(shared);
		v->state = VISIT_OVER;
		return;
	}
	record->own = own;
	record->shared = shared;
	v->out_count++;
}

void
visit_put(struct visit *v, struct buf *record)
{
	put(v, *record, NULL);
	*record = BUF(0);
}

void
visit_put_shared(struct visit *v, struct reply *shared)
{
	put(v, BUF(0), shared);
}

void
visit_put_ok(struct visit *v)
{
	struct buf out = BUF(ANSWER_MAX);

	myproxy_write_ok(&out);
	visit_put(v, &out);
}

bool
visit_out(const struct visit *v, struct wire_bytes *record)
{
	const struct buf *b;

	if (v->out_count == 0)
		return false;
	b = v->out[0].shared != NULL ? &v->out[0].shared->data : &v->out[0].own;
	*record = (struct wire_bytes){ b->data, b->len };
	return true;
}

void
visit_refuse_saying(struct visit *v, enum fault_code code, const char *text)
{
	struct msg gone = { .type = MSG_AUTH_GONE };
	struct buf out = BUF(ANSWER_MAX);
	struct fault f = { 0 };
	char line[512];

	if (v->state == VISIT_OVER)
		return;
	LOG(REQUEST_REFUSED, LOG_TEXT("ref", v->ref), LOG_TEXT("peer", v->peer),
	    LOG_TEXT("user", v->username), LOG_TEXT("code", fault_name(code)),
	    LOG_TEXT("text", text));
	gone.auth_gone.connection = v->id;
	if (v->auth_open && v->house->say(v->house->arg, &gone, &f) < 0)
		log_fault(&f, v->ref);
	v->auth_open = false;
	v->refused = true;
	v->in_clear = v->state == VISIT_FLAG;
	if (!v->in_clear) {
		if (text_fmt(line, sizeof(line), "%s (reference %s)", text,
			v->ref) < 0)
			text = "the request was refused";
		myproxy_write_error(&out, line[0] != '\0' ? line : text);
		if (v->tells_time)
			myproxy_write_time(&out, clock_wall());
		visit_put(v, &out);
	}
	v->state = VISIT_OVER;
}

void
visit_refuse(struct visit *v, enum fault_code code)
{
	visit_refuse_saying(v, code, fault_sentence(code));
}

int
visit_say(struct visit *v, const struct msg *m)
{
	struct fault f = { 0 };

	if (v->house->say(v->house->arg, m, &f) == 0)
		return 0;
	log_fault(&f, v->ref);
	visit_refuse(v, FAULT_BUSY);
	return -1;
}

void
visit_greet(struct visit *v, bool tls_13)
{
	struct buf out = BUF(1);

	if (!tls_13)
		return;
	/* PROTOCOL 1.1: with TLS 1.3 the server speaks first, one zero byte. */
	buf_put_u8(&out, 0);
	visit_put(v, &out);
}

static bool
step_flag(struct visit *v)
{
	if (v->in.len == 0)
		return false;
	if (v->in.data[0] != FLAG_NO_DELEGATION) {
		visit_refuse_saying(v, FAULT_INPUT, "authentication failed");
		return true;
	}
	buf_eat(&v->in, 1);
	v->records = v->in.len > 0;
	v->state = VISIT_REQUEST;
	return true;
}

/* The first ${len} unread bytes are a request; ${skip} follow that are not. */
static void
take_request(struct visit *v, size_t len, size_t skip)
{
	struct myproxy_request r;
	struct fault f = { 0 };
	int result =
	    myproxy_request_read(&r, (const char *)v->in.data, len, &f);

	/* The pass phrase goes no further than auth. */
	secret_wipe(v->in.data, len);
	buf_eat(&v->in, len + skip);
	if (result < 0) {
		visit_refuse_saying(v, f.code, f.text);
		return;
	}
	command_run(v, &r);
	myproxy_request_wipe(&r);
}

static bool
step_request(struct visit *v)
{
	const uint8_t *nul =
	    v->in.len > 0 ? memchr(v->in.data, '\0', v->in.len) : NULL;

	if (nul != NULL) {
		take_request(v, (size_t)(nul - v->in.data), 1);
		return true;
	}
	if (v->in.len <= MYPROXY_REQUEST_MAX)
		return false;
	take_request(v, v->in.len, 0);
	return true;
}

bool
visit_minds_quiet(const struct visit *v)
{
	return v->state == VISIT_REQUEST && v->records == 1 && v->in.len > 0;
}

/*
 * PROTOCOL 3: some clients send neither the NUL nor the last newline.  They
 * write the request as one record, so a request in several is waited for.
 */
void
visit_quiet(struct visit *v)
{
	if (visit_minds_quiet(v) &&
	    myproxy_request_whole((const char *)v->in.data, v->in.len))
		take_request(v, v->in.len, 0);
}

static bool
step_csr(struct visit *v)
{
	struct msg m = { .type = MSG_SIGN_ASK };
	long len = csr_length(v->in.data, v->in.len, CSR_MAX);

	if (len < 0) {
		visit_refuse_saying(v, FAULT_INPUT,
		    "what came is no certificate request");
		return true;
	}
	if (len == 0 || (size_t)len > v->in.len)
		return false;
	m.sign_ask.connection = v->id;
	m.sign_ask.ticket = (struct wire_bytes){ v->ticket, sizeof(v->ticket) };
	m.sign_ask.lifetime = v->lifetime;
	m.sign_ask.csr = (struct wire_bytes){ v->in.data, (size_t)len };
	v->state = VISIT_SIGNING;
	if (visit_say(v, &m) < 0)
		return true;
	buf_eat(&v->in, (size_t)len);
	return true;
}

/* What the client's bytes mean in each state; NULL: it is not his turn. */
static bool (*const steps[VISIT_STATES])(struct visit *v) = {
	[VISIT_FLAG] = step_flag,
	[VISIT_REQUEST] = step_request,
	[VISIT_CHOICE] = proof_step,
	[VISIT_CSR] = step_csr,
};

/* Go on as far as what has come allows, while there is room for answers. */
static void
advance(struct visit *v)
{
	while (v->out_count + 2 <= VISIT_OUT_MAX && steps[v->state] != NULL &&
	    steps[v->state](v))
		continue;
}

void
visit_sent(struct visit *v)
{
	buf_free(&v->out[0].own);
	reply_drop(v->out[0].shared);
	v->out_count--;
	memmove(&v->out[0], &v->out[1], v->out_count * sizeof(v->out[0]));
	memset(&v->out[v->out_count], 0, sizeof(v->out[0]));
	advance(v);
}

void
visit_bytes(struct visit *v, const void *data, size_t len)
{
	if (v->state == VISIT_OVER)
		return;
	buf_put(&v->in, data, len);
	v->records += v->state == VISIT_REQUEST;
	if (v->in.failed) {
		visit_refuse(v, FAULT_INPUT);
		return;
	}
	advance(v);
}

bool
visit_reads(const struct visit *v)
{
	/* Half of it is kept for the record that is on its way. */
	return v->state != VISIT_OVER && v->in.len <= VISIT_IN_MAX / 2;
}

/* The answers of auth and issuer. */

static void
heard_offer(struct visit *v, const struct msg *m)
{
	proof_offer(v, &m->auth_offer);
}

static void
heard_more(struct visit *v, const struct msg *m)
{
	proof_more(v, m->auth_more.token);
}

static void
heard_yes(struct visit *v, const struct msg *m)
{
	v->auth_open = false;
	if (m->auth_yes.ticket.len != sizeof(v->ticket)) {
		visit_refuse(v, FAULT_INTERNAL);
		return;
	}
	memcpy(v->ticket, m->auth_yes.ticket.data, sizeof(v->ticket));
	if (v->trusted_certs)
		command_put_trustroots(v);
	else
		visit_put_ok(v);
	v->state = VISIT_CSR;
}

static void
refuse_as(struct visit *v, uint32_t fault)
{
	visit_refuse(v,
	    fault > FAULT_NONE && fault < FAULT_COUNT ? (enum fault_code)fault
						      : FAULT_INTERNAL);
}

static void
heard_no(struct visit *v, const struct msg *m)
{
	v->auth_open = false;
	refuse_as(v, m->auth_no.fault);
}

static void
heard_done(struct visit *v, const struct msg *m)
{
	const struct msg_sign_done *done = &m->sign_done;
	struct buf out = BUF(ISSUED_MAX);
	struct fault f = { 0 };

	if (done->fault != FAULT_NONE) {
		refuse_as(v, done->fault);
		return;
	}
	if (issued_write(done->certificate, done->chain, &out, &f) < 0) {
		log_fault(&f, v->ref);
		buf_free(&out);
		visit_refuse(v, f.code);
		return;
	}
	/* One record, then the last OK in the next: PROTOCOL 2. */
	visit_put(v, &out);
	visit_put_ok(v);
	v->house->served(v->house->arg);
	v->state = VISIT_OVER;
}

/* Which answer is due in which state. */
static const struct {
	enum msg_type type;
	unsigned states; /* bits 1 << enum visit_state */
	void (*heard)(struct visit *v, const struct msg *m);
} answers[] = {
	{ MSG_AUTH_OFFER, 1u << VISIT_ASKED, heard_offer },
	{ MSG_AUTH_MORE, 1u << VISIT_PROVING, heard_more },
	{ MSG_AUTH_YES, 1u << VISIT_ASKED | 1u << VISIT_PROVING, heard_yes },
	{ MSG_AUTH_NO,
	    1u << VISIT_ASKED | 1u << VISIT_CHOICE | 1u << VISIT_PROVING,
	    heard_no },
	{ MSG_SIGN_DONE, 1u << VISIT_SIGNING, heard_done },
};

void
visit_heard(struct visit *v, const struct msg *m)
{
	/* We have given up already: the answer comes too late. */
	if (v->state == VISIT_OVER)
		return;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].type != m->type ||
		    (answers[i].states & 1u << v->state) == 0)
			continue;
		answers[i].heard(v, m);
		advance(v);
		return;
	}
	LOG(ROLE_REFUSED, LOG_TEXT("ref", v->ref),
	    LOG_TEXT("text", msg_name(m->type)));
	visit_refuse(v, FAULT_INTERNAL);
}
