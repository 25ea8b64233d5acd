#include "signetd/keeper/lists.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/keeper/list_file.h"
#include "signetd/revoked.h"
#include "sys/sealed.h"
#include "x509/crl.h"
#include "x509/crl_sum.h"
#include "x509/tbs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 1000
#define SLICE_MS 2 /* of work, and then a pause for others */
#define PAUSE_MS 1
#define VERDICTS 250	 /* read at a time: less than a slice */
#define GAP_MS 5000	 /* a burst of revocations shares a list */
#define RETRY_MS 300000	 /* after a failure */
#define ANSWER_MS 600000 /* what the issuer may take */
#define ENTRIES_MAX (CRL_BYTES_MAX / 2)

/* How one CA stands. */
struct stand {
	struct book *book;
	struct ledger_list last;
	bool stale;
	bool suspended;	    /* its token is away */
	bool asked;	    /* for a new one, though none is due */
	bool failed;	    /* the last one that was begun */
	int64_t wait_until; /* by the steady clock; 0: it need not */
	int told;	    /* of the end of its list, as crl_days_left() */
};

enum phase {
	PHASE_IDLE,
	PHASE_GATHER, /* who is on the list goes into sealed memory */
	PHASE_AWAY,   /* the issuer has it */
	PHASE_FILE    /* what came back is checked and filed */
};

struct lists {
	struct loop *loop;
	struct ledger *ledger;
	const char *dir;
	lists_say_fn *say;
	void *arg;
	struct loop_timer *tick;
	struct loop_timer *work;
	int64_t interval;
	uint64_t seen; /* the entry up to which the book was looked at */
	size_t count;
	struct stand stand[BOOKS_MAX];
	/* The list that is being made. */
	enum phase phase;
	struct stand *at;
	bool asked; /* somebody has asked for it */
	int64_t began;
	int64_t deadline;
	uint64_t number;
	time_t this_update;
	struct ledger_verdicts verdicts;
	struct crl_past past;
	struct crl_sum *sum; /* of what the list is to have; owned */
	struct buf piece;
	size_t entries;
	size_t bytes;
	int fd; /* what is being written; -1: none */
	struct list_file *file;
};

static const char *
name_of(const struct stand *stand)
{
	return stand->book->authority.conf.name;
}

/* No list is being made any more. */
static void
rest(struct lists *l)
{
	loop_timer_stop(l->work);
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	list_file_free(l->file);
	l->file = NULL;
	crl_sum_free(l->sum);
	l->sum = NULL;
	buf_free(&l->piece);
	l->phase = PHASE_IDLE;
	l->at = NULL;
}

static void
give_up(struct lists *l, const struct fault *f)
{
	LOG(CRL_REFUSED, LOG_TEXT("ca", name_of(l->at)),
	    LOG_TEXT("code", fault_name(f->code)), LOG_TEXT("text", f->text));
	l->at->wait_until = clock_mono() + RETRY_MS;
	l->at->failed = true;
	l->at->asked |= l->asked;
	rest(l);
}

bool
lists_due(const struct ledger_list *last, bool stale, int64_t lifetime,
    int64_t interval, time_t now)
{
	return last->number == 0 || stale || now - last->taken >= interval ||
	    now - last->this_update > lifetime / 2 || last->taken > now ||
	    last->this_update > now + TBS_CRL_AHEAD;
}

/* One that is due may have to wait: a burst of revocations shares a list, and
 * a list of a million is not made all the time. */
static bool
is_due(const struct lists *l, const struct stand *stand)
{
	const struct authority *a = &stand->book->authority;

	/* A CA that may not sign CRLs has its lists from elsewhere. */
	if ((a->cert->key_usage & CERT_KU_CRL_SIGN) == 0 || stand->suspended ||
	    clock_mono() < stand->wait_until)
		return false;
	return stand->asked ||
	    lists_due(&stand->last, stand->stale, a->conf.crl_lifetime,
		l->interval, clock_wall()) ||
	    !list_file_there(l->dir, a->conf.name);
}

/* Take a number: the list is as of that entry. */
static int
take_number(struct lists *l, struct fault *f)
{
	if (ledger_begin(l->ledger, f) < 0)
		return -1;
	if (ledger_crl_number(l->ledger, name_of(l->at), &l->number, f) < 0 ||
	    ledger_end(l->ledger, f) < 0) {
		ledger_cancel(l->ledger);
		return -1;
	}
	l->verdicts = (struct ledger_verdicts){ .ca = name_of(l->at),
		.until = ledger_entries(l->ledger) };
	return 0;
}

static int
find_times(struct lists *l, struct fault *f)
{
	const char *ca = name_of(l->at);
	struct crl_span span = { .number = 0 };
	struct ledger_list past;
	time_t floor, now = clock_wall();

	if (ledger_list_floor(l->ledger, ca, now + TBS_CRL_AHEAD, &floor, f) <
	    0)
		return -1;
	crl_span_set(&span, &l->at->book->authority, now, floor);
	l->this_update = span.this_update;
	if (ledger_list_last(l->ledger, ca, span.this_update, &past, f) < 0)
		return -1;
	l->past = (struct crl_past){ past.entry, past.this_update };
	return 0;
}

static int
begin(struct lists *l, struct fault *f)
{
	l->entries = l->bytes = 0;
	l->began = clock_mono();
	l->piece = BUF(1u << 20);
	if ((l->sum = crl_sum_new(f)) == NULL || take_number(l, f) < 0 ||
	    find_times(l, f) < 0 || (l->fd = sealed_new(f)) < 0)
		return -1;
	/* What comes from here on is for the list after this one. */
	l->at->stale = false;
	l->asked = l->at->asked;
	l->at->asked = false;
	l->phase = PHASE_GATHER;
	loop_timer_set(l->work, PAUSE_MS);
	return 0;
}

static int
gather(void *arg, const struct ledger_verdict *v, struct fault *f)
{
	struct lists *l = arg;
	struct revoked r = { .reason = (uint8_t)v->reason,
		.when = v->revoked,
		.serial_len = (uint8_t)v->serial.len };

	if (crl_outlived(v->not_after, v->entry, &l->past))
		return 0;
	if (v->serial.len > sizeof(r.serial) || v->reason < 0 || v->reason > 10)
		return fault_set(f, FAULT_LEDGER, "entry %llu is no revocation",
		    (unsigned long long)v->entry);
	memcpy(r.serial, v->serial.data, v->serial.len);
	revoked_put(&l->piece, &r);
	crl_sum_add(l->sum, v->serial, v->reason, v->revoked);
	l->entries++;
	return 0;
}

static int
send_list(struct lists *l, struct fault *f)
{
	struct msg m = { .type = MSG_CRL_LIST };

	if (sealed_close(l->fd, f) < 0)
		return -1;
	memcpy(m.crl_list.ca, name_of(l->at), sizeof(m.crl_list.ca));
	m.crl_list.number = l->number;
	m.crl_list.this_update = (uint64_t)l->this_update;
	m.crl_list.count = l->entries;
	if (l->say(l->arg, &m, l->fd, f) < 0)
		return -1;
	(void)close(l->fd);
	l->fd = -1;
	l->phase = PHASE_AWAY;
	l->deadline = clock_mono() + ANSWER_MS;
	return 0;
}

static int
gather_some(struct lists *l, struct fault *f)
{
	int more =
	    ledger_verdicts(l->ledger, &l->verdicts, VERDICTS, gather, l, f);

	if (more < 0)
		return -1;
	l->bytes += l->piece.len;
	if (l->piece.failed || l->bytes > ENTRIES_MAX)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "more are revoked than one CRL can hold");
	if (sealed_put(l->fd,
		(struct wire_bytes){ l->piece.data, l->piece.len }, f) < 0)
		return -1;
	l->piece.len = 0;
	return more == 1 ? 0 : send_list(l, f);
}

/* It is in its place: now the book says so, and it is the last. */
static int
enter(struct lists *l, struct fault *f)
{
	struct wire_bytes content = list_file_content(l->file);
	struct ledger_list list = list_file_list(l->file);

	list.entry = l->verdicts.until;
	list.taken = clock_wall();
	if (ledger_begin(l->ledger, f) < 0)
		return -1;
	if (ledger_list_file(l->ledger, name_of(l->at), &list, content, f) <
		0 ||
	    ledger_end(l->ledger, f) < 0) {
		ledger_cancel(l->ledger);
		return -1;
	}
	l->at->last = list;
	l->at->told = -1;
	return 0;
}

static void
tell_made(struct lists *l)
{
	struct msg m = { .type = MSG_LIST_MADE };
	struct fault f = { 0 };

	memcpy(m.list_made.ca, name_of(l->at), sizeof(m.list_made.ca));
	m.list_made.number = l->number;
	m.list_made.count = l->entries;
	if (l->say(l->arg, &m, -1, &f) < 0)
		log_fault(&f, NULL);
}

static int
file_some(struct lists *l, struct fault *f)
{
	int more = list_file_step(l->file, f);
	int64_t took;

	if (more != 0)
		return more < 0 ? -1 : 0;
	if (enter(l, f) < 0)
		return -1;
	took = clock_mono() - l->began;
	LOG(CRL_FILED, LOG_TEXT("ca", name_of(l->at)),
	    LOG_NUMBER("number", l->number),
	    LOG_TEXT("path", list_file_path(l->file)),
	    LOG_NUMBER("entries", l->entries),
	    LOG_NUMBER("bytes", list_file_size(l->file)),
	    LOG_NUMBER("ms", (uint64_t)took));
	l->at->wait_until =
	    clock_mono() + (4 * took > GAP_MS ? 4 * took : GAP_MS);
	l->at->failed = false;
	tell_made(l);
	rest(l);
	return 0;
}

static void
work(void *arg)
{
	struct lists *l = arg;
	int64_t until = clock_mono() + SLICE_MS;
	struct fault f = { 0 };
	int result = 0;

	while (result == 0 && clock_mono() < until) {
		if (l->phase == PHASE_GATHER)
			result = gather_some(l, &f);
		else if (l->phase == PHASE_FILE)
			result = file_some(l, &f);
		else
			return;
	}
	if (result < 0)
		give_up(l, &f);
	else
		loop_timer_set(l->work, PAUSE_MS);
}

static void
note_news(void *arg, const char *ca, uint64_t entry)
{
	struct lists *l = arg;

	for (size_t i = 0; i < l->count; i++)
		if (strcmp(name_of(&l->stand[i]), ca) == 0 &&
		    entry > l->stand[i].last.entry)
			l->stand[i].stale = true;
}

/* Once a step: a list that nobody manages to replace is about to end. */
static void
warn(struct stand *stand)
{
	const struct authority *a = &stand->book->authority;
	int left;

	if (stand->last.number == 0)
		return;
	left = crl_days_left(stand->last.next_update, a->conf.crl_lifetime,
	    clock_wall());
	if (left >= 0 && left != stand->told)
		LOG(CRL_ENDS, LOG_TEXT("ca", name_of(stand)),
		    LOG_NUMBER("number", stand->last.number),
		    LOG_NUMBER("days", (uint64_t)left));
	stand->told = left;
}

static void
look(struct lists *l)
{
	struct fault f = { 0 };

	if (ledger_news(l->ledger, &l->seen, note_news, l, &f) < 0)
		LOG(LEDGER_FAULT, LOG_TEXT("text", f.text));
	if (l->phase == PHASE_AWAY && clock_mono() > l->deadline) {
		(void)fault_set(&f, FAULT_BUSY, "the issuer gave no answer");
		give_up(l, &f);
	}
	for (size_t i = 0; i < l->count; i++)
		warn(&l->stand[i]);
	for (size_t i = 0; i < l->count && l->phase == PHASE_IDLE; i++) {
		if (!is_due(l, &l->stand[i]))
			continue;
		l->at = &l->stand[i];
		if (begin(l, &f) < 0)
			give_up(l, &f);
	}
}

static void
tick(void *arg)
{
	struct lists *l = arg;

	look(l);
	loop_timer_set(l->tick, TICK_MS);
}

struct lists *
lists_new(struct loop *loop, struct ledger *ledger, const char *dir,
    lists_say_fn *say, void *arg, struct fault *f)
{
	struct lists *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for CRLs");
		return NULL;
	}
	l->loop = loop;
	l->ledger = ledger;
	l->dir = dir;
	l->say = say;
	l->arg = arg;
	l->fd = -1;
	if ((l->tick = loop_timer_new(loop, tick, l, f)) == NULL ||
	    (l->work = loop_timer_new(loop, work, l, f)) == NULL) {
		lists_free(l);
		return NULL;
	}
	return l;
}

void
lists_free(struct lists *l)
{
	if (l == NULL)
		return;
	if (l->work != NULL)
		rest(l);
	loop_timer_free(l->tick);
	loop_timer_free(l->work);
	free(l);
}

int
lists_set_books(struct lists *l, struct books *books, int64_t interval,
    struct fault *f)
{
	/* A reload forgets nothing that somebody has asked for. */
	if (l->at != NULL)
		l->at->asked |= l->asked;
	rest(l);
	l->interval = interval;
	l->count = 0;
	l->seen = ledger_entries(l->ledger);
	for (size_t i = 0; i < books_count(books); i++) {
		struct stand *stand = &l->stand[i];
		const bool suspended = stand->suspended, asked = stand->asked;
		const char *ca;

		/* CAs stay as they are numbered until a restart. */
		*stand = (struct stand){ .book = books_at(books, i),
			.suspended = suspended,
			.asked = asked,
			.told = -1 };
		ca = name_of(stand);
		if (ledger_list_last(l->ledger, ca, 0, &stand->last, f) < 0)
			return -1;
		list_file_tidy(l->dir, ca);
		l->count++;
		/* One without a list has one made anyway. */
		if (stand->last.number != 0 && stand->last.entry < l->seen)
			l->seen = stand->last.entry;
	}
	return 0;
}

/* What has failed a moment ago may be tried again at once. */
void
lists_now(struct lists *l)
{
	for (size_t i = 0; i < l->count; i++) {
		l->stand[i].asked = true;
		if (l->stand[i].failed)
			l->stand[i].wait_until = 0;
	}
	loop_timer_set(l->tick, 0);
}

void
lists_start(struct lists *l)
{
	loop_timer_set(l->tick, 0);
}

void
lists_can(struct lists *l, const char *ca, bool can)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(name_of(&l->stand[i]), ca) == 0) {
			l->stand[i].suspended = !can;
			l->stand[i].wait_until = 0;
		}
}

/* Whether it is about the list that the issuer has. */
static bool
is_awaited(const struct lists *l, const char *ca, uint64_t number)
{
	return l->phase == PHASE_AWAY && strcmp(name_of(l->at), ca) == 0 &&
	    l->number == number;
}

void
lists_signed(struct lists *l, const struct msg_crl_file *m, int fd)
{
	const struct list_want want = { .number = m->number,
		.this_update = l->this_update,
		.count = l->entries,
		.sum = l->sum,
		.now = clock_wall() };
	struct fault f = { 0 };

	if (is_awaited(l, m->ca, m->number)) {
		l->file = list_file_new(l->dir, &l->at->book->authority, &want,
		    m->signature, fd, &f);
		if (l->file != NULL) {
			l->phase = PHASE_FILE;
			loop_timer_set(l->work, PAUSE_MS);
		} else {
			give_up(l, &f);
		}
	}
	(void)close(fd);
}

void
lists_failed(struct lists *l, const struct msg_crl_failed *m)
{
	struct fault f = { 0 };

	if (!is_awaited(l, m->ca, m->number))
		return;
	(void)fault_set(&f,
	    m->fault > FAULT_NONE && m->fault < FAULT_COUNT
		? (enum fault_code)m->fault
		: FAULT_INTERNAL,
	    "issuer or signer made no list");
	give_up(l, &f);
}
