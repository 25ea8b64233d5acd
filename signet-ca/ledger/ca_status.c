/* status: how a CA is, for people and for a monitor. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ca_book.h"
#include "ca_log.h"
#include "ledger/ledger_lists.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"

#include <sys/stat.h>

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define DAY INT64_C(86400)
#define CA_WARN (90 * DAY)
#define CA_BAD (30 * DAY)

enum level {
	LEVEL_OK,
	LEVEL_NOTICE,
	LEVEL_WARNING,
	LEVEL_CRITICAL
};
static const char *const level_words[] = { "ok", "notice", "warning",
	"critical" };

struct status {
	const struct ca_dir *d;
	time_t now;
	struct ledger_list list;
	struct ledger_crl last;
	struct ledger_counts counts;
	uint64_t left; /* UINT64_MAX: random */
	bool has_head;
	struct checkpoint head;
	time_t head_when;
	/* What there is to say, the worst of it, and how bad that is. */
	struct buf said;
	enum level level;
};

static void say(struct status *s, enum level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(struct status *s, enum level level, const char *fmt, ...)
{
	char text[240];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_fmt(&s->said, "%s%s", s->said.len > 0 ? "; " : "", text);
	if (level > s->level)
		s->level = level;
}

static void
say_left(struct status *s, enum level level, const char *what, time_t left)
{
	if (left <= 0)
		say(s, level, "%s has expired", what);
	else if (left < 2 * DAY)
		say(s, level, "%s expires in %lld hours", what,
		    (long long)(left / 3600));
	else
		say(s, level, "%s expires in %lld days", what,
		    (long long)(left / DAY));
}

static void
judge_ca(struct status *s)
{
	time_t left = s->d->authority.cert->not_after - s->now;

	if (left < CA_BAD)
		say_left(s, LEVEL_CRITICAL, "the CA", left);
	else if (left < CA_WARN)
		say_left(s, LEVEL_WARNING, "the CA", left);
}

/* Fourteen, seven and three days before a list's end; of a list that lives for
 * less than four weeks, a half, a quarter and an eighth of its life. */
static enum level
crl_level(time_t left, time_t life)
{
	static const struct {
		int days;
		int part;
		enum level level;
	} steps[] = {
		{ 3, 8, LEVEL_CRITICAL },
		{ 7, 4, LEVEL_WARNING },
		{ 14, 2, LEVEL_NOTICE },
	};

	if (left <= 0)
		return LEVEL_CRITICAL;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (left < steps[i].days * DAY && left < life / steps[i].part)
			return steps[i].level;
	return LEVEL_OK;
}

static time_t
crl_end(const struct status *s)
{
	if (s->list.next_update > 0)
		return s->list.next_update;
	return s->list.taken + (time_t)s->d->authority.conf.crl_lifetime;
}

static void
judge_crl(struct status *s)
{
	time_t begin =
	    s->list.this_update > 0 ? s->list.this_update : s->list.taken;
	time_t left = crl_end(s) - s->now;
	enum level level = crl_level(left, crl_end(s) - begin);

	if (s->list.number == 0) {
		say(s, LEVEL_WARNING, "no CRL was made yet");
		return;
	}
	if (level != LEVEL_OK)
		say_left(s, level, "the CRL", left);
	if (s->last.stale)
		say(s, LEVEL_WARNING,
		    "there are revocations that are on no CRL yet");
}

static void
judge_rest(struct status *s)
{
	uint64_t span = s->d->authority.serial_span;

	if (s->left < span / 100)
		say(s, LEVEL_CRITICAL, "%" PRIu64 " serials are left", s->left);
	else if (s->left < span / 10)
		say(s, LEVEL_WARNING, "%" PRIu64 " serials are left", s->left);
	if (s->counts.requests > 0)
		say(s, LEVEL_NOTICE, "%" PRIu64 " requests wait",
		    s->counts.requests);
}

/* The last head that was made here; that there is none is no fault. */
static int
load_head(struct status *s, const struct ca_log *log, struct fault *f)
{
	struct log_pub pub;
	struct stat st;

	if (log->head[0] == '\0' || stat(log->head, &st) < 0)
		return 0;
	if (ca_log_pub(log, &pub, f) < 0 ||
	    ca_log_head_file(log->head, &pub, &s->head, f) < 0)
		return -1;
	s->has_head = true;
	s->head_when = st.st_mtime;
	return 0;
}

static int
load(struct status *s, const struct ca_log *log, struct fault *f)
{
	const struct authority *a = &s->d->authority;
	const struct ledger_numbering numbering = { a->serial_random,
		a->serial_start, a->serial_span };

	/* A list that was made for later is not the one that counts now. */
	if (ledger_list_last(log->ledger, a->conf.name, s->now, &s->list, f) <
		0 ||
	    ledger_crl_last(log->ledger, a->conf.name, &s->last, f) < 0 ||
	    ledger_count(log->ledger, a->conf.name, s->now, &s->counts, f) <
		0 ||
	    ledger_serials_left(log->ledger, a->conf.name, &numbering, &s->left,
		f) < 0)
		return -1;
	return load_head(s, log, f);
}

static void print_line(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
print_line(const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("%-12s", name);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void
print_crl(const struct status *s)
{
	char made[CLOCK_TEXT_SIZE], end[CLOCK_TEXT_SIZE];

	if (s->list.number == 0) {
		print_line("crl", "none");
		return;
	}
	clock_text(s->list.taken, made);
	clock_text(crl_end(s), end);
	print_line("crl", "number %" PRIu64 ", made %s, until %s",
	    s->list.number, made, end);
}

static void
print_text(struct status *s)
{
	const struct ledger_counts *n = &s->counts;
	char when[CLOCK_TEXT_SIZE];

	print_line("ca", "%s", s->d->authority.conf.name);
	clock_text(s->d->authority.cert->not_after, when);
	print_line("until", "%s", when);
	if (ca_dir_in_token(s->d))
		print_line("key", "in a token: %s", s->d->authority.conf.key);
	print_crl(s);
	print_line("valid", "%" PRIu64, n->states[LEDGER_ISSUED] - n->expired);
	print_line("expired", "%" PRIu64, n->expired);
	print_line("revoked", "%" PRIu64, n->states[LEDGER_REVOKED]);
	print_line("held", "%" PRIu64, n->states[LEDGER_HELD]);
	print_line("void", "%" PRIu64, n->states[LEDGER_VOID]);
	print_line("reserved", "%" PRIu64, n->states[LEDGER_RESERVED]);
	print_line("requests", "%" PRIu64, n->requests);
	if (s->left == UINT64_MAX)
		print_line("serials", "random");
	else
		print_line("serials", "%" PRIu64 " left", s->left);
	clock_text(s->head_when, when);
	if (s->has_head)
		print_line("head", "%" PRIu64 " entries, %s", s->head.head.size,
		    when);
	else
		print_line("head", "none");
	print_line("state", "%s%s%s", level_words[s->level],
	    s->said.len > 0 ? ": " : "", buf_cstr(&s->said));
}

static void
set_time(json_t *out, const char *key, time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(when, text);
	(void)json_object_set_new(out, key, json_string(text));
}

static json_t *
as_json(struct status *s)
{
	const struct ledger_counts *n = &s->counts;
	json_t *crl = json_pack("{s:I, s:b}", "number",
	    (json_int_t)s->list.number, "stale", s->last.stale);
	json_t *out = json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, "
				"s:I, s:I}",
	    "ca", s->d->authority.conf.name, "state", level_words[s->level],
	    "says", buf_cstr(&s->said), "crl", crl, "valid",
	    (json_int_t)(n->states[LEDGER_ISSUED] - n->expired), "expired",
	    (json_int_t)n->expired, "revoked",
	    (json_int_t)n->states[LEDGER_REVOKED], "held",
	    (json_int_t)n->states[LEDGER_HELD], "void",
	    (json_int_t)n->states[LEDGER_VOID], "reserved",
	    (json_int_t)n->states[LEDGER_RESERVED], "requests",
	    (json_int_t)n->requests);

	if (out == NULL)
		return NULL;
	set_time(out, "not_after", s->d->authority.cert->not_after);
	if (s->list.number > 0) {
		set_time(crl, "made", s->list.taken);
		set_time(crl, "until", crl_end(s));
	}
	(void)json_object_set_new(out, "key",
	    json_string(s->d->authority.conf.key));
	(void)json_object_set_new(out, "key_in_token",
	    json_boolean(ca_dir_in_token(s->d)));
	(void)json_object_set_new(out, "serials_left",
	    s->left == UINT64_MAX ? json_null()
				  : json_integer((json_int_t)s->left));
	if (s->has_head) {
		(void)json_object_set_new(out, "head_entries",
		    json_integer((json_int_t)s->head.head.size));
		set_time(out, "head_made", s->head_when);
	}
	return out;
}

/* One line as Nagios and its like want it, and their status. */
static int
print_plugin(struct status *s)
{
	static const struct {
		const char *word;
		int status;
	} levels[] = { { "OK", 0 }, { "OK", 0 }, { "WARNING", 1 },
		{ "CRITICAL", 2 } };
	const struct ledger_counts *n = &s->counts;

	printf("CA %s - %s: %s | valid=%" PRIu64 " revoked=%" PRIu64
	       " requests=%" PRIu64 " crl_left=%llds\n",
	    levels[s->level].word, s->d->authority.conf.name,
	    s->said.len > 0 ? buf_cstr(&s->said) : "all is well",
	    n->states[LEDGER_ISSUED] - n->expired,
	    n->states[LEDGER_REVOKED] + n->states[LEDGER_HELD], n->requests,
	    s->list.number == 0 ? 0LL : (long long)(crl_end(s) - s->now));
	return levels[s->level].status;
}

static int
print(struct status *s, const struct ca_args *args, struct fault *f)
{
	json_t *out;
	int result;

	if (s->said.failed)
		return fault_set(f, FAULT_MEMORY, "status");
	if (args->plugin)
		return print_plugin(s);
	if (!args->json) {
		print_text(s);
	} else {
		out = as_json(s);
		result = out == NULL
		    ? -1
		    : json_dumpf(out, stdout, JSON_PRESERVE_ORDER);
		json_decref(out);
		putchar('\n');
		if (result < 0)
			return fault_set(f, FAULT_MEMORY, "JSON");
	}
	return s->level >= LEVEL_WARNING ? 1 : 0;
}

static int
show(const struct ca_args *args, struct status *s, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(args->operand[0], f);
	struct ca_log log;
	int result;

	if (d == NULL || ca_log_open(args, &log, f) < 0)
		return -1;
	s->d = d;
	s->now = clock_wall();
	result = load(s, &log, f);
	ca_log_close(&log);
	if (result < 0)
		return -1;
	judge_ca(s);
	judge_crl(s);
	judge_rest(s);
	return print(s, args, f);
}

int
ca_status(const struct ca_args *args, struct fault *f)
{
	struct status s = { .said = BUF(4096) };
	int result = show(args, &s, f);

	buf_free(&s.said);
	/* What cannot be looked at is UNKNOWN to a monitor. */
	if (result < 0 && args->plugin) {
		printf("CA UNKNOWN - %s\n", f->text);
		return 3;
	}
	return result;
}
