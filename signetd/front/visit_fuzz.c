/*
 * A client, auth and issuer that say anything at any time.  Whatever happens:
 * answers stay few and well-formed, auth is asked once and told when the
 * client goes, nothing is signed before auth has said yes, and the visit ends
 * after a refusal.
 */
#include "signetd/front/visit.h"

#include "base/log.h"
#include "myproxy/myproxy_text.h"
#include "signetd/front/visit_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct watch {
	struct probe probe;
	unsigned asks;
	bool auth_waits; /* AUTH_ASK was said, and neither answered nor gone */
	bool yes;
};

static int
watch_say(void *arg, const struct msg *m, struct fault *f)
{
	struct watch *w = arg;

	if (probe_say(&w->probe, m, f) < 0)
		abort();
	if (m->type == MSG_AUTH_ASK) {
		if (++w->asks > 1)
			abort();
		w->auth_waits = true;
	}
	if (m->type == MSG_AUTH_STEP && !w->auth_waits)
		abort();
	if (m->type == MSG_AUTH_GONE) {
		if (!w->auth_waits)
			abort();
		w->auth_waits = false;
	}
	if (m->type == MSG_SIGN_ASK && !w->yes)
		abort();
	return 0;
}

/* A record is the byte of TLS 1.3, certificates, or an answer. */
static void
check_record(struct wire_bytes record)
{
	struct myproxy_response r;
	struct fault f = { 0 };

	if (record.len == 0)
		abort();
	if (record.data[0] != 'V')
		return;
	if (record.data[record.len - 1] != '\0' ||
	    myproxy_response_read(&r, (const char *)record.data, record.len - 1,
		&f) < 0)
		abort();
	myproxy_response_clear(&r);
}

static void
hear(struct watch *w, uint8_t kind, struct wire_bytes token)
{
	static const uint8_t ticket[16];
	static const enum msg_type types[] = { MSG_AUTH_OFFER, MSG_AUTH_MORE,
		MSG_AUTH_YES, MSG_AUTH_NO, MSG_SIGN_DONE };
	struct msg m = { .type = types[kind % 5] };
	enum visit_state before = w->probe.visit.state;

	/* Auth and issuer hold to their turns, or the visit ends: both. */
	if (m.type == MSG_AUTH_OFFER) {
		m.auth_offer.methods = (uint32_t)token.len;
	} else if (m.type == MSG_AUTH_MORE) {
		m.auth_more.token = token;
	} else if (m.type == MSG_AUTH_YES) {
		m.auth_yes.ticket = (struct wire_bytes){ ticket, 16 };
		w->yes |= before == VISIT_ASKED || before == VISIT_PROVING;
	} else if (m.type == MSG_AUTH_NO) {
		m.auth_no.fault = (uint32_t)token.len;
	} else {
		m.sign_done.fault = (uint32_t)token.len % 3;
		m.sign_done.certificate = token;
	}
	if (w->auth_waits &&
	    ((m.type == MSG_AUTH_YES &&
		 (before == VISIT_ASKED || before == VISIT_PROVING)) ||
		(m.type == MSG_AUTH_NO && before != VISIT_OVER)))
		w->auth_waits = false;
	visit_heard(&w->probe.visit, &m);
}

static void
step(struct watch *w, uint8_t op, struct wire_bytes bytes)
{
	struct visit *v = &w->probe.visit;
	struct wire_bytes record;

	if (op % 8 < 3 && visit_reads(v))
		visit_bytes(v, bytes.data, bytes.len);
	else if (op % 8 == 3 && visit_out(v, &record))
		visit_sent(v);
	else if (op % 8 == 4)
		visit_quiet(v);
	else if (op == 253)
		visit_refuse(v, FAULT_TIMEOUT);
	else if (op % 8 > 4)
		hear(w, op / 8, bytes);
	if (v->out_count > VISIT_OUT_MAX || v->in.len > VISIT_IN_MAX ||
	    (v->refused && v->state != VISIT_OVER))
		abort();
	if (visit_out(v, &record))
		check_record(record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct watch w = { 0 };

	log_open("fuzz", 0);
	probe_begin(&w.probe);
	w.probe.house.say = watch_say;
	w.probe.house.arg = &w;
	/* The probe is first in the watch, and hears as such. */
	visit_greet(&w.probe.visit, size % 2 == 0);
	while (size >= 2) {
		uint8_t op = data[0];
		size_t len = data[1];

		data += 2;
		size -= 2;
		/* Long runs are worth having: requests do not fit in 255. */
		if (len == 255)
			len = 4096;
		if (len > size)
			len = size;
		step(&w, op, (struct wire_bytes){ data, len });
		data += len;
		size -= len;
	}
	visit_end(&w.probe.visit);
	if (w.auth_waits)
		abort();
	reply_drop(w.probe.roots);
	for (size_t i = 0; i < PROBE_SAID; i++)
		free(w.probe.frame[i].bytes);
	return 0;
}
