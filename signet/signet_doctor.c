#include "signet_doctor.h"

#include "base/clock.h"
#include "base/text.h"
#include "colour.h"
#include "credential_show.h"
#include "doctor.h"
#include "trust/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKET_SOON 600 /* seconds */
#define MESSAGE 1600

static const struct {
	const char *name;
	enum colour colour;
} levels[DOCTOR_LEVELS] = {
	[DOCTOR_OK] = { "ok", COLOUR_GOOD },
	[DOCTOR_WARN] = { "warn", COLOUR_WARN },
	[DOCTOR_FAIL] = { "fail", COLOUR_BAD },
};

static void
put(const struct doctor *d, enum doctor_level level, const char *check,
    const char *hint, const char *message)
{
	if (d->call->common.quiet && level == DOCTOR_OK)
		return;
	colour_print(stdout, d->colour, levels[level].colour, 6,
	    levels[level].name);
	printf("%-8s%s\n", check, message);
	if (hint != NULL)
		printf("%14s%s\n", "", hint);
	/* A server may keep one waiting: what is known is shown. */
	(void)fflush(stdout);
}

void
doctor_say(struct doctor *d, enum doctor_level level, const char *check,
    const char *hint, const char *fmt, ...)
{
	char message[MESSAGE];
	json_t *entry;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	d->count[level]++;
	if (d->checks == NULL) {
		put(d, level, check, hint, message);
		return;
	}
	entry = json_pack("{s:s,s:s,s:s,s:s?}", "check", check, "level",
	    levels[level].name, "message", message, "hint", hint);
	/* What cannot be said must not look well. */
	if (entry == NULL || json_array_append_new(d->checks, entry) < 0)
		d->count[DOCTOR_FAIL]++;
}

void
doctor_ticket(struct doctor *d)
{
	struct holding_ticket t;
	char left[CREDENTIAL_LEFT_SIZE];

	holding_ticket(&t, d->now);
	if (t.state != HOLDING_GOOD && strcmp(d->conf.auth, "kerberos") != 0) {
		doctor_say(d, DOCTOR_OK, "ticket", NULL,
		    "none, and your site asks for none");
		return;
	}
	if (t.state != HOLDING_GOOD) {
		doctor_say(d, DOCTOR_WARN, "ticket", "run: signet login", "%s",
		    t.state == HOLDING_EXPIRED ? "it has expired" : "none");
		return;
	}
	credential_left(t.ticket.end - d->now, left);
	doctor_say(d,
	    t.ticket.end - d->now < TICKET_SOON ? DOCTOR_WARN : DOCTOR_OK,
	    "ticket",
	    t.ticket.end - d->now < TICKET_SOON ? "run: signet login" : NULL,
	    "%s, for %s", t.ticket.principal, left);
}

void
doctor_proxy(struct doctor *d)
{
	struct holding_credential *p = &d->proxy;
	char left[CREDENTIAL_LEFT_SIZE];

	holding_judge(p, d->store, &d->no_store, d->now);
	credential_left(p->end > d->now ? p->end - d->now : d->now - p->end,
	    left);
	switch (p->state) {
	case HOLDING_NONE:
		doctor_say(d, DOCTOR_WARN, "proxy", "run: signet login",
		    "none in %s", p->path);
		return;
	case HOLDING_BAD:
		doctor_say(d, DOCTOR_FAIL, "proxy", "run: signet login", "%s",
		    p->why.text);
		return;
	case HOLDING_EXPIRED:
		doctor_say(d, DOCTOR_FAIL, "proxy", "run: signet login",
		    "%s expired %s ago", p->path, left);
		return;
	case HOLDING_GOOD:
		break;
	}
	switch (p->verdict) {
	case HOLDING_ACCEPTED:
		doctor_say(d, DOCTOR_OK, "proxy", NULL,
		    "%s is accepted, for %s", p->path, left);
		return;
	case HOLDING_REFUSED:
		doctor_say(d, DOCTOR_FAIL, "proxy",
		    "mend what fails above, or run: signet login",
		    "a service would refuse %s: %s", p->path, p->refusal.text);
		return;
	case HOLDING_UNKNOWN:
		doctor_say(d, DOCTOR_WARN, "proxy", NULL,
		    "%s is there for %s; whether it would be accepted cannot "
		    "be told",
		    p->path, left);
		return;
	}
}

static int
begin(struct doctor *d, struct fault *f)
{
	const char *dir = d->o->certdir;

	if (signet_conf_load(&d->conf, f) < 0)
		return -1;
	if (dir == NULL && getenv("X509_CERT_DIR") == NULL &&
	    *d->conf.trust_dir != '\0')
		dir = d->conf.trust_dir;
	if (trust_default_dir(dir, d->trust_dir, sizeof(d->trust_dir), f) < 0)
		return -1;
	if (d->call->common.json && (d->checks = json_array()) == NULL)
		return fault_set(f, FAULT_MEMORY, "a JSON array");
	holding_proxy(&d->proxy, d->o->file, d->now);
	return 0;
}

static int
finish(struct doctor *d, struct fault *f)
{
	json_t *object;

	if (d->count[DOCTOR_FAIL] > 0)
		d->call->exit_status = 1;
	if (d->checks == NULL)
		return 0;
	object = json_pack("{s:i,s:s,s:i,s:i,s:i,s:O}", "version", 1, "kind",
	    "doctor", "ok", (int)d->count[DOCTOR_OK], "warn",
	    (int)d->count[DOCTOR_WARN], "fail", (int)d->count[DOCTOR_FAIL],
	    "checks", d->checks);
	if (object == NULL)
		return fault_set(f, FAULT_MEMORY, "a JSON object");
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
	return 0;
}

static int
examine(struct doctor *d, struct fault *f)
{
	static void (*const looks[])(struct doctor * d) = { doctor_trust,
		doctor_clock, doctor_files, doctor_ticket, doctor_proxy,
		doctor_server };

	if (begin(d, f) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		looks[i](d);
	return finish(d, f);
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	struct doctor *d = calloc(1, sizeof(*d));
	int result;

	if (d == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	d->call = call;
	d->o = options;
	d->now = clock_wall();
	d->colour = colour_on_stdout(call->common.no_color);
	result = examine(d, f);
	holding_clear(&d->proxy);
	trust_free(d->store);
	json_decref(d->checks);
	free(d);
	return result;
}

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct doctor_options, __VA_ARGS__)
#include "doctor.def"
#undef OPTION
};

const struct command signet_doctor = {
	.verb = "doctor",
	.summary = "Look for what may keep you from working",
	.operands = "",
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct doctor_options) },
	.run = run,
};
