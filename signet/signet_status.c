#include "signet_status.h"

#include "base/clock.h"
#include "base/text.h"
#include "colour.h"
#include "credential_json.h"
#include "credential_show.h"
#include "holding.h"
#include "signet_conf.h"
#include "trust/store.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct status_options {
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "status.def"
#undef OPTION
};

struct status {
	struct call *call;
	const struct status_options *o;
	time_t now;
	bool colour;
	char trust_dir[PLACE_SIZE];
	struct trust_store *store; /* NULL: there is none to ask */
	struct holding_credential proxy;
	struct holding_credential own;
	struct holding_ticket ticket;
};

#define LABEL 13 /* columns */

static void
put_line(const struct status *s, const char *label, enum colour colour,
    const char *text)
{
	printf("%-*s", LABEL, label);
	colour_print(stdout, s->colour, colour, 0, text);
	putchar('\n');
}

/* "11:59:58 left, until Sun Nov 22 14:37:19 2026", or since when not. */
static void
put_time(const struct status *s, time_t end)
{
	char left[CREDENTIAL_LEFT_SIZE], when[CREDENTIAL_WHEN_SIZE];
	char line[CREDENTIAL_LEFT_SIZE + CREDENTIAL_WHEN_SIZE + 32];
	const bool over = end <= s->now;

	credential_left(over ? s->now - end : end - s->now, left);
	credential_when(end, when);
	(void)snprintf(line, sizeof(line),
	    over ? "expired %s ago, on %s" : "%s left, until %s", left, when);
	put_line(s, "", over ? COLOUR_BAD : COLOUR_GOOD, line);
}

static void
put_verdict(const struct status *s, const struct holding_credential *h)
{
	static const struct {
		enum colour colour;
		const char *text;
	} verdicts[] = {
		[HOLDING_ACCEPTED] = { COLOUR_GOOD,
		    "a service would accept it" },
		[HOLDING_REFUSED] = { COLOUR_BAD, "a service would refuse it" },
		[HOLDING_UNKNOWN] = { COLOUR_WARN,
		    "whether a service would accept it cannot be told here" },
	};
	const bool good = h->verdict == HOLDING_ACCEPTED;
	char line[sizeof(h->refusal.text) + 80];

	(void)snprintf(line, sizeof(line), "%s%s%s", verdicts[h->verdict].text,
	    good ? "" : ": ", good ? "" : h->refusal.text);
	put_line(s, "", verdicts[h->verdict].colour, line);
}

static int
put_credential(const struct status *s, const char *label,
    const struct holding_credential *h, struct fault *f)
{
	struct credential_names names;
	const struct cert *leaf;
	char line[PLACE_SIZE + 120];

	if (h->state == HOLDING_NONE || h->state == HOLDING_BAD) {
		put_line(s, label,
		    h->state == HOLDING_BAD ? COLOUR_BAD : COLOUR_PLAIN,
		    h->state == HOLDING_BAD ? h->why.text : "none");
		return 0;
	}
	if (credential_names(&h->credential, false, &names, f) < 0)
		return -1;
	leaf = h->credential.chain.cert[0];
	put_line(s, label, COLOUR_PLAIN, names.identity);
	(void)snprintf(line, sizeof(line), "%s, %s %u bits, %s",
	    cert_kind_text(leaf->kind),
	    leaf->spki.kind == KEY_RSA ? "RSA" : "EC", leaf->spki.size,
	    h->path);
	put_line(s, "", COLOUR_PLAIN, line);
	put_time(s, h->end);
	put_verdict(s, h);
	return 0;
}

static void
put_ticket(const struct status *s)
{
	const struct holding_ticket *t = &s->ticket;

	if (t->state == HOLDING_NONE) {
		put_line(s, "ticket", COLOUR_PLAIN, "none");
		return;
	}
	if (*t->ticket.principal == '\0') {
		put_line(s, "ticket", COLOUR_WARN, t->why.text);
		return;
	}
	put_line(s, "ticket", COLOUR_PLAIN, t->ticket.principal);
	put_time(s, t->ticket.end);
}

static int
print(const struct status *s, struct fault *f)
{
	if (put_credential(s, "proxy", &s->proxy, f) < 0)
		return -1;
	put_ticket(s);
	return put_credential(s, "certificate", &s->own, f);
}

/* null if there is none; what is there and no good says why. */
static json_t *
credential_object(const struct status *s, const struct holding_credential *h,
    struct fault *f)
{
	json_t *object;

	if (h->state == HOLDING_NONE)
		return json_null();
	if (h->state == HOLDING_BAD)
		return json_pack("{s:s,s:s}", "path", h->path, "error",
		    h->why.text);
	object = credential_json(h->path, &h->credential, s->store, s->now, f);
	if (object != NULL && h->verdict != HOLDING_ACCEPTED &&
	    json_object_set_new(object, "reason",
		json_string(h->refusal.text)) < 0) {
		json_decref(object);
		object = NULL;
	}
	return object;
}

static json_t *
ticket_object(const struct status *s)
{
	const struct holding_ticket *t = &s->ticket;
	char end[CLOCK_TEXT_SIZE];

	if (t->state == HOLDING_NONE || *t->ticket.principal == '\0')
		return json_null();
	clock_text(t->ticket.end, end);
	return json_pack("{s:s,s:s,s:I}", "principal", t->ticket.principal,
	    "not_after", end, "seconds_left",
	    (json_int_t)(t->ticket.end > s->now ? t->ticket.end - s->now : 0));
}

static json_t *
error_object(const struct fault *why, int status)
{
	char code[32] = "";

	if (status == 0)
		return json_null();
	for (size_t i = 0; i < sizeof(code) - 1 && fault_name(why->code)[i];
	     i++)
		code[i] = (char)(fault_name(why->code)[i] | 0x20);
	return json_pack("{s:s,s:i,s:s,s:s}", "code", code, "exit", status,
	    "message", why->text, "hint",
	    status == 7 ? "run: signet doctor" : "run: signet login");
}

static int
print_json(const struct status *s, const struct fault *why, int status,
    struct fault *f)
{
	json_t *proxy = credential_object(s, &s->proxy, f);
	json_t *own = credential_object(s, &s->own, f);
	/* json_pack's "o*" would hide a failure; "o" frees all and says it. */
	json_t *object = json_pack("{s:i,s:s,s:o,s:o,s:o,s:b,s:o}", "version",
	    1, "kind", "status", "proxy", proxy, "ticket", ticket_object(s),
	    "certificate", own, "usable", status == 0, "error",
	    error_object(why, status));

	if (object == NULL)
		return fault_set(f, FAULT_MEMORY, "a JSON object");
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
	return 0;
}

/* What is wrong with the proxy, if anything: the answer to "can I work?" */
static int
conclude(const struct status *s, struct fault *why)
{
	const struct holding_credential *p = &s->proxy;
	int64_t wanted = s->o->valid == OPTION_UNSET ? 0 : s->o->valid;
	char left[CREDENTIAL_LEFT_SIZE];

	if (p->state == HOLDING_NONE)
		return fault_set(why, FAULT_ABSENT, "you have no proxy (%s)",
		    p->path);
	if (p->state == HOLDING_BAD) {
		*why = p->why;
		return -1;
	}
	if (p->state == HOLDING_EXPIRED) {
		credential_left(s->now - p->end, left);
		return fault_set(why, FAULT_EXPIRED,
		    "your proxy expired %s ago (%s)", left, p->path);
	}
	if (p->end - s->now < wanted) {
		credential_left(p->end - s->now, left);
		return fault_set(why, FAULT_EXPIRED,
		    "your proxy ends in %s (%s)", left, p->path);
	}
	if (p->verdict == HOLDING_REFUSED) {
		*why = p->refusal;
		why->code = FAULT_UNTRUSTED;
		return -1;
	}
	return 0;
}

static int
look(struct status *s, struct fault *f)
{
	struct signet_conf conf;
	const char *dir = s->o->certdir;
	struct fault why = { .code = FAULT_ABSENT };

	if (signet_conf_load(&conf, f) < 0)
		return -1;
	if (dir == NULL && getenv("X509_CERT_DIR") == NULL &&
	    *conf.trust_dir != '\0')
		dir = conf.trust_dir;
	if (trust_default_dir(dir, s->trust_dir, sizeof(s->trust_dir), f) < 0)
		return -1;
	s->store = trust_load(s->trust_dir, false, NULL, NULL, &why);
	if (s->store != NULL)
		trust_demand(s->store, signet_conf_trust(&conf));
	holding_proxy(&s->proxy, s->o->file, s->now);
	holding_certificate(&s->own, s->now);
	holding_ticket(&s->ticket, s->now);
	holding_judge(&s->proxy, s->store, &why, s->now);
	holding_judge(&s->own, s->store, &why, s->now);
	return 0;
}

/* The state is the answer, so that it goes to standard output; what is wrong
 * follows on standard error, as errors do. */
static int
answer(struct status *s, struct fault *f)
{
	struct fault why = { .code = FAULT_NONE };
	int status = conclude(s, &why) < 0 ? fault_exit_status(why.code) : 0;

	if (s->call->common.json) {
		s->call->exit_status = status;
		return print_json(s, &why, status, f);
	}
	if (!s->call->common.quiet && print(s, f) < 0)
		return -1;
	if (status == 0)
		return 0;
	*f = why;
	return -1;
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	struct status *s = calloc(1, sizeof(*s));
	int result;

	if (s == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	s->call = call;
	s->o = options;
	s->now = clock_wall();
	s->colour = colour_on_stdout(call->common.no_color);
	result = look(s, f);
	if (result == 0)
		result = answer(s, f);
	holding_clear(&s->proxy);
	holding_clear(&s->own);
	trust_free(s->store);
	free(s);
	return result;
}

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct status_options, __VA_ARGS__)
#include "status.def"
#undef OPTION
};

const struct command signet_status = {
	.verb = "status",
	.summary = "Show what you hold, for how long, and whether it would do",
	.operands = "",
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct status_options) },
	.run = run,
};
