#include "signetd/issuer/publish.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "signetd/revoked.h"
#include "x509/crl.h"
#include "x509/mint.h"

#include <stdlib.h>
#include <string.h>

#define CRL_BYTES_MAX 61440
#define ENTRY_LEAST 11 /* octets of the shortest entry of a CRL_LIST */
#define RETRY_MS 300000
#define TURN_SHIFT 8 /* an id says which turn, and which CA */

/* The list of one CA. */
struct sheet {
	struct publish *publish;
	size_t index;
	struct loop_timer *timer;
	uint64_t number;
	struct buf tbs; /* empty unless the signer has it */
};

struct publish {
	struct loop *loop;
	struct policy *policy;
	int64_t interval;
	struct channel *keeper;
	struct channel *signer;
	uint32_t turn;
	struct sheet sheet[POLICY_CAS_MAX];
};

static const struct authority *
authority_of(const struct sheet *sheet)
{
	return &policy_ca(sheet->publish->policy, sheet->index)->authority;
}

static void
refuse(const struct fault *f, struct sheet *sheet)
{
	LOG(CRL_REFUSED, LOG_TEXT("ca", authority_of(sheet)->conf.name),
	    LOG_TEXT("code", fault_name(f->code)), LOG_TEXT("text", f->text));
	buf_free(&sheet->tbs);
	loop_timer_set(sheet->timer, RETRY_MS);
}

/* A CA whose certificate does not say cRLSign has its lists from elsewhere. */
static bool
makes_lists(const struct authority *a)
{
	return (a->cert->key_usage & CERT_KU_CRL_SIGN) != 0;
}

static void
ask(struct sheet *sheet, bool if_due)
{
	struct publish *p = sheet->publish;
	const struct authority *a = authority_of(sheet);
	struct msg m = { .type = MSG_CRL_ASK };
	struct fault f = { 0 };

	if (!makes_lists(a))
		return;
	memcpy(m.crl_ask.ca, a->conf.name, sizeof(m.crl_ask.ca));
	m.crl_ask.if_due = if_due;
	loop_timer_set(sheet->timer, p->interval * 1000);
	if (channel_say(p->keeper, &m, &f) < 0)
		refuse(&f, sheet);
}

static void
timer_fired(void *arg)
{
	ask(arg, false);
}

static void
ask_all(struct publish *p)
{
	if (p->keeper == NULL || p->signer == NULL)
		return;
	for (size_t i = 0; i < policy_cas(p->policy); i++)
		ask(&p->sheet[i], true);
}

struct publish *
publish_new(struct loop *loop, struct policy *policy, int64_t interval,
    struct fault *f)
{
	struct publish *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for CRLs");
		return NULL;
	}
	p->loop = loop;
	p->policy = policy_hold(policy);
	p->interval = interval;
	for (size_t i = 0; i < POLICY_CAS_MAX; i++) {
		struct sheet *sheet = &p->sheet[i];

		sheet->publish = p;
		sheet->index = i;
		sheet->timer = loop_timer_new(loop, timer_fired, sheet, f);
		if (sheet->timer == NULL) {
			publish_free(p);
			return NULL;
		}
	}
	return p;
}

void
publish_free(struct publish *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < POLICY_CAS_MAX; i++) {
		loop_timer_free(p->sheet[i].timer);
		buf_free(&p->sheet[i].tbs);
	}
	policy_free(p->policy);
	free(p);
}

void
publish_attach(struct publish *p, struct channel *keeper,
    struct channel *signer)
{
	p->keeper = keeper;
	p->signer = signer;
	ask_all(p);
}

void
publish_reload(struct publish *p, struct policy *policy, int64_t interval)
{
	for (size_t i = 0; i < POLICY_CAS_MAX; i++) {
		loop_timer_stop(p->sheet[i].timer);
		buf_free(&p->sheet[i].tbs);
	}
	policy_free(p->policy);
	p->policy = policy_hold(policy);
	p->interval = interval;
	p->turn++;
	ask_all(p);
}

static struct sheet *
find_sheet(struct publish *p, const char *ca)
{
	for (size_t i = 0; i < policy_cas(p->policy); i++)
		if (strcmp(authority_of(&p->sheet[i])->conf.name, ca) == 0)
			return &p->sheet[i];
	return NULL;
}

/* The keeper's list as crl_tbs wants it; ${entries} has room for all. */
static int
read_entries(struct wire_bytes list, struct crl_entry *entries, size_t *count,
    struct fault *f)
{
	struct wire_in in = { .at = list.data, .left = list.len };
	struct revoked r;
	int more;

	for (*count = 0; (more = revoked_next(&in, &r)) == 1; ++*count) {
		struct crl_entry *e = &entries[*count];

		memcpy(e->serial, r.serial, sizeof(r.serial));
		e->serial_len = r.serial_len;
		e->reason = r.reason;
		e->when = r.when;
	}
	if (more < 0)
		return fault_set(f, FAULT_INTERNAL,
		    "the keeper's list is malformed");
	return 0;
}

static int
write_tbs(struct sheet *sheet, const struct msg_crl_list *m, struct fault *f)
{
	struct crl_entry *entries =
	    calloc(m->entries.len / ENTRY_LEAST + 1, sizeof(*entries));
	const struct authority *a = authority_of(sheet);
	time_t now = clock_wall();
	size_t count;
	int result;

	if (entries == NULL)
		return fault_set(f, FAULT_MEMORY, "CRL");
	buf_free(&sheet->tbs);
	sheet->tbs = BUF(CRL_BYTES_MAX);
	sheet->number = m->number;
	result = read_entries(m->entries, entries, &count, f);
	if (result == 0)
		result =
		    crl_tbs(a, entries, count, m->number, now, &sheet->tbs, f);
	free(entries);
	return result;
}

static int
ask_signer(struct sheet *sheet, struct fault *f)
{
	struct publish *p = sheet->publish;
	struct msg m = { .type = MSG_TBS_ASK };

	m.tbs_ask.id = PUBLISH_ID |
	    ((p->turn << TURN_SHIFT | (uint32_t)sheet->index) & ~PUBLISH_ID);
	m.tbs_ask.crl = 1;
	memcpy(m.tbs_ask.ca, authority_of(sheet)->conf.name,
	    sizeof(m.tbs_ask.ca));
	m.tbs_ask.tbs = (struct wire_bytes){ sheet->tbs.data, sheet->tbs.len };
	return channel_say(p->signer, &m, f);
}

void
publish_listed(struct publish *p, const struct msg_crl_list *m)
{
	struct sheet *sheet = find_sheet(p, m->ca);
	struct fault f = { 0 };
	int result = 0;

	if (sheet == NULL || (m->fault == FAULT_NONE && m->number == 0))
		return;
	if (m->fault != FAULT_NONE)
		result = fault_set(&f,
		    m->fault < FAULT_COUNT ? (enum fault_code)m->fault
					   : FAULT_INTERNAL,
		    "the keeper gave no list");
	if (result == 0)
		result = write_tbs(sheet, m, &f);
	if (result == 0)
		result = ask_signer(sheet, &f);
	if (result < 0)
		refuse(&f, sheet);
}

static int
file_list(struct sheet *sheet, struct wire_bytes signature, struct fault *f)
{
	const struct authority *a = authority_of(sheet);
	struct wire_bytes tbs = { sheet->tbs.data, sheet->tbs.len };
	struct msg m = { .type = MSG_CRL_FILE };
	OWN_BUF(der, CRL_BYTES_MAX);

	if (mint_finish(tbs, a->cert->spki.kind, signature, &der, f) < 0)
		return -1;
	memcpy(m.crl_file.ca, a->conf.name, sizeof(m.crl_file.ca));
	m.crl_file.number = sheet->number;
	m.crl_file.der = (struct wire_bytes){ der.data, der.len };
	return channel_say(sheet->publish->keeper, &m, f);
}

void
publish_signed(struct publish *p, const struct msg_tbs_done *m)
{
	uint32_t turn = (m->id & ~PUBLISH_ID) >> TURN_SHIFT;
	size_t index = m->id & ((1u << TURN_SHIFT) - 1);
	struct fault f = { 0 };
	struct sheet *sheet;
	int result;

	if (turn != (p->turn & (~PUBLISH_ID >> TURN_SHIFT)) ||
	    index >= policy_cas(p->policy) || p->sheet[index].tbs.len == 0)
		return;
	sheet = &p->sheet[index];
	if (m->fault != FAULT_NONE)
		result = fault_set(&f,
		    m->fault < FAULT_COUNT ? (enum fault_code)m->fault
					   : FAULT_INTERNAL,
		    "the signer refused");
	else
		result = file_list(sheet, m->signature, &f);
	if (result < 0)
		refuse(&f, sheet);
	buf_free(&sheet->tbs);
}
