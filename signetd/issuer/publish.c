#include "signetd/issuer/publish.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "signetd/revoked.h"
#include "sys/sealed.h"
#include "x509/crl_list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE_MS 2
#define PAUSE_MS 1
#define ENTRIES 500 /* at a time: less than a slice */
#define PIECE_MAX ((size_t)1 << 20)

enum phase {
	PHASE_IDLE,
	PHASE_READ,  /* the keeper's list is read, and sorted by the way */
	PHASE_WRITE, /* the TBSCertList goes into sealed memory */
	PHASE_AWAY   /* the signer has it */
};

struct publish {
	struct loop *loop;
	struct policy *policy;
	struct channel *keeper;
	struct channel *signer;
	struct loop_timer *work;
	/* The list that is being made. */
	enum phase phase;
	const struct authority *authority;
	struct crl_span span;
	uint64_t count;
	struct sealed sealed; /* from the keeper */
	struct wire_in in;
	struct crl_list *list;
	struct buf piece;
	int fd; /* the TBSCertList; -1: none */
};

/* No list is being made any more. */
static void
rest(struct publish *p)
{
	loop_timer_stop(p->work);
	sealed_unmap(&p->sealed);
	crl_list_free(p->list);
	p->list = NULL;
	buf_free(&p->piece);
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
	p->phase = PHASE_IDLE;
}

/* What went wrong is logged here; the keeper decides when to try again. */
static void
refuse(struct publish *p, const char *ca, uint64_t number,
    const struct fault *cause)
{
	struct msg m = { .type = MSG_CRL_FAILED };
	struct fault f = { 0 };

	log_fault(cause, NULL);
	memcpy(m.crl_failed.ca, ca, strlen(ca) + 1);
	m.crl_failed.number = number;
	m.crl_failed.fault = cause->code;
	if (channel_say(p->keeper, &m, &f) < 0)
		log_fault(&f, NULL);
}

static void
give_up(struct publish *p, const struct fault *f)
{
	refuse(p, p->authority->conf.name, p->span.number, f);
	rest(p);
}

static int
open_tbs(struct publish *p, struct fault *f)
{
	if (crl_list_count(p->list) != p->count)
		return fault_set(f, FAULT_INTERNAL,
		    "the keeper's list is not of the length it says");
	sealed_unmap(&p->sealed);
	p->piece = BUF(PIECE_MAX);
	p->phase = PHASE_WRITE;
	if ((p->fd = sealed_new(f)) < 0)
		return -1;
	return crl_list_open(p->list, p->authority, &p->span, &p->piece, f);
}

static int
read_some(struct publish *p, struct fault *f)
{
	struct revoked r;
	int more = 1;

	for (int i = 0; i < ENTRIES && (more = revoked_next(&p->in, &r)) == 1;
	     i++) {
		struct crl_entry e = { .serial_len = r.serial_len,
			.reason = r.reason,
			.when = r.when };

		memcpy(e.serial, r.serial, sizeof(r.serial));
		if (crl_list_add(p->list, &e, f) < 0)
			return -1;
	}
	if (more < 0)
		return fault_set(f, FAULT_INTERNAL,
		    "the keeper's list is malformed");
	return more == 1 ? 0 : open_tbs(p, f);
}

static int
ask_signer(struct publish *p, struct fault *f)
{
	const char *name = p->authority->conf.name;
	struct msg m = { .type = MSG_CRL_SIGN };

	crl_list_free(p->list);
	p->list = NULL;
	if (sealed_close(p->fd, f) < 0)
		return -1;
	memcpy(m.crl_sign.ca, name, sizeof(m.crl_sign.ca));
	m.crl_sign.number = p->span.number;
	p->phase = PHASE_AWAY;
	return channel_say_fd(p->signer, &m, p->fd, f);
}

static int
write_some(struct publish *p, struct fault *f)
{
	int more = crl_list_write(p->list, ENTRIES, &p->piece, f);

	if (more < 0 ||
	    sealed_put(p->fd,
		(struct wire_bytes){ p->piece.data, p->piece.len }, f) < 0)
		return -1;
	p->piece.len = 0;
	return more == 1 ? 0 : ask_signer(p, f);
}

static void
work(void *arg)
{
	struct publish *p = arg;
	int64_t until = clock_mono() + SLICE_MS;
	struct fault f = { 0 };
	int result = 0;

	while (result == 0 && clock_mono() < until) {
		if (p->phase == PHASE_READ)
			result = read_some(p, &f);
		else if (p->phase == PHASE_WRITE)
			result = write_some(p, &f);
		else
			return;
	}
	if (result < 0)
		give_up(p, &f);
	else
		loop_timer_set(p->work, PAUSE_MS);
}

struct publish *
publish_new(struct loop *loop, struct policy *policy, struct fault *f)
{
	struct publish *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for CRLs");
		return NULL;
	}
	p->loop = loop;
	p->fd = -1;
	p->policy = policy_hold(policy);
	if ((p->work = loop_timer_new(loop, work, p, f)) == NULL) {
		publish_free(p);
		return NULL;
	}
	return p;
}

void
publish_free(struct publish *p)
{
	if (p == NULL)
		return;
	if (p->work != NULL)
		rest(p);
	loop_timer_free(p->work);
	policy_free(p->policy);
	free(p);
}

void
publish_attach(struct publish *p, struct channel *keeper,
    struct channel *signer)
{
	p->keeper = keeper;
	p->signer = signer;
}

void
publish_reload(struct publish *p, struct policy *policy)
{
	rest(p);
	policy_free(p->policy);
	p->policy = policy_hold(policy);
}

static const struct authority *
find_authority(struct publish *p, const char *ca)
{
	for (size_t i = 0; i < policy_cas(p->policy); i++) {
		const struct authority *a = &policy_ca(p->policy, i)->authority;

		if (strcmp(a->conf.name, ca) == 0)
			return a;
	}
	return NULL;
}

static int
begin(struct publish *p, const struct msg_crl_list *m, int fd, struct fault *f)
{
	if ((p->authority = find_authority(p, m->ca)) == NULL)
		return fault_set(f, FAULT_DENIED, "no CA is called %s", m->ca);
	if (p->signer == NULL)
		return fault_set(f, FAULT_BUSY, "there is no signer yet");
	p->span.number = m->number;
	p->count = m->count;
	crl_span_set(&p->span, p->authority,
	    (time_t)m->this_update + CRL_BACKDATE, 0);
	if ((p->list = crl_list_new(f)) == NULL ||
	    sealed_map(&p->sealed, fd, CRL_BYTES_MAX, f) < 0)
		return -1;
	p->in = (struct wire_in){ .at = p->sealed.bytes.data,
		.left = p->sealed.bytes.len };
	p->phase = PHASE_READ;
	loop_timer_set(p->work, PAUSE_MS);
	return 0;
}

void
publish_listed(struct publish *p, const struct msg_crl_list *m, int fd)
{
	struct fault f = { 0 };

	/* The keeper makes one at a time: what we have, it has given up. */
	rest(p);
	if (begin(p, m, fd, &f) < 0) {
		refuse(p, m->ca, m->number, &f);
		rest(p);
	}
	(void)close(fd);
}

static int
file_list(struct publish *p, const struct msg_crl_signed *m, struct fault *f)
{
	struct msg file = { .type = MSG_CRL_FILE };

	if (m->fault != FAULT_NONE)
		return fault_set(f,
		    m->fault < FAULT_COUNT ? (enum fault_code)m->fault
					   : FAULT_INTERNAL,
		    "the signer refused the CRL");
	memcpy(file.crl_file.ca, m->ca, sizeof(file.crl_file.ca));
	file.crl_file.number = m->number;
	file.crl_file.signature = m->signature;
	return channel_say_fd(p->keeper, &file, p->fd, f);
}

void
publish_signed(struct publish *p, const struct msg_crl_signed *m)
{
	struct fault f = { 0 };

	if (p->phase != PHASE_AWAY || m->number != p->span.number ||
	    strcmp(m->ca, p->authority->conf.name) != 0)
		return;
	if (file_list(p, m, &f) < 0)
		give_up(p, &f);
	else
		rest(p);
}
