/*
 * watch: what happens in the office, as it happens; and a program for each
 * event, which sends mail, say.  An event counts as told when the program has
 * ended well and that is on the disk: after a crash it is told again, never
 * passed over.
 */
#include "ca_watch.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_desk.h"
#include "office/request.h"
#include "signet-ca/base/ca_args.h"

#include <sys/file.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STATE_SIZE 32
#define WAIT_LEAST_S 1
#define WAIT_MOST_S 60

struct watch {
	const struct ca_args *args;
	struct ca_desk *desk;
	json_t *events; /* of this answer */
	uint64_t told;	/* the last event that was */
	bool begun;	/* ${told} is known */
	int lock;
};

/* ---- what was told */

static int
lock_state(struct watch *w, struct fault *f)
{
	char path[PATH_MAX];

	if (w->args->state == NULL)
		return 0;
	if (text_fmt(path, sizeof(path), "%s.lock", w->args->state) < 0)
		return fault_set(f, FAULT_USAGE, "--state: path too long");
	w->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->lock < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	if (flock(w->lock, LOCK_EX | LOCK_NB) < 0)
		return fault_set(f, FAULT_BUSY,
		    "another watch works with %s, and would tell everything "
		    "twice",
		    w->args->state);
	return 0;
}

static int
load_state(struct watch *w, struct fault *f)
{
	OWN_BUF(text, STATE_SIZE);
	int64_t number;
	char *line;

	if (w->args->state == NULL)
		return 0;
	if (file_read(w->args->state, &text, f) < 0)
		return f->code == FAULT_ABSENT ? 0 : -1;
	if (buf_cstr(&text) == NULL)
		return fault_set(f, FAULT_MEMORY, "state");
	line = text_trim((char *)text.data);
	if (text_number(line, 0, INT64_MAX, &number) < 0)
		return fault_set(f, FAULT_INPUT,
		    "%s does not hold the number of an event: remove it, and "
		    "say with --after which was the last that was told",
		    w->args->state);
	w->told = (uint64_t)number;
	w->begun = true;
	return 0;
}

static int
keep_state(struct watch *w, uint64_t told, struct fault *f)
{
	char text[STATE_SIZE];

	w->told = told;
	w->begun = true;
	if (w->args->state == NULL)
		return 0;
	if (text_fmt(text, sizeof(text), "%llu\n", (unsigned long long)told) <
		0 ||
	    file_write(w->args->state, 0600, text, strlen(text), f) < 0)
		return fault_wrap(f, "what was told cannot be noted");
	return 0;
}

/* ---- one event */

/* Who is to be written to stands in the request; one that cannot be had any
 * more is no reason to keep quiet. */
static void
add_contact(struct watch *w, json_t *event)
{
	struct desk_ask ask = { .verb = DESK_SHOW };
	struct fault ignored = { 0 };
	OWN_STRUCT(request) r = NULL;
	const char *file;
	json_t *body;

	if (*ca_desk_text(event, "request") == '\0' ||
	    text_copy(ask.request, sizeof(ask.request),
		ca_desk_text(event, "request")) < 0 ||
	    text_copy(ask.ca, sizeof(ask.ca), ca_desk_text(event, "ca")) < 0)
		return;
	body = ca_desk_ask(w->desk, &ask, NULL, NULL, &ignored);
	if (body == NULL)
		return;
	file = ca_desk_text(body, "file");
	r = request_read((struct wire_bytes){ (const uint8_t *)file,
			     strlen(file) },
	    &ignored);
	if (r != NULL) {
		desk_put(event, "contact_name", r->contact_name);
		desk_put(event, "contact_mail", r->contact_mail);
		desk_put(event, "purpose", r->purpose);
		desk_put(event, "fingerprint", r->fingerprint);
	}
	json_decref(body);
}

static int
print_event(const struct watch *w, const json_t *event)
{
	if (w->args->json) {
		if (json_dumpf(event, stdout, JSON_COMPACT) < 0)
			return -1;
		putchar('\n');
	} else {
		printf("%s %s %s %s %s by %s\n", ca_desk_text(event, "when"),
		    ca_desk_text(event, "event"),
		    *ca_desk_text(event, "request") != '\0'
			? ca_desk_text(event, "request")
			: ca_desk_text(event, "serial"),
		    ca_desk_text(event, "ca"), ca_desk_text(event, "subject"),
		    *ca_desk_text(event, "who") != '\0'
			? ca_desk_text(event, "who")
			: "the office");
	}
	return fflush(stdout);
}

/* 1 if it was told, 0 if the program failed, -1 after a fault of ours. */
static int
tell(struct watch *w, json_t *event, struct fault *f)
{
	if (w->args->exec == NULL)
		return print_event(w, event) == 0
		    ? 1
		    : fault_set(f, FAULT_SYSTEM, "standard output");
	add_contact(w, event);
	return ca_hook_run(w->args->exec, event, f);
}

static int
gather(void *arg, json_t *item)
{
	struct watch *w = arg;

	return json_array_append(w->events, item);
}

/* All that came, in order; 0 if the program failed at one. */
static int
tell_all(struct watch *w, struct fault *f)
{
	json_t *event;
	size_t i;

	json_array_foreach(w->events, i, event)
	{
		int told = tell(w, event, f);

		if (told <= 0)
			return told;
		if (keep_state(w, (uint64_t)ca_desk_number(event, "entry"), f) <
		    0)
			return -1;
	}
	return 1;
}

/* Ask once, and tell what came: 1, and *${more} whether to ask at once again;
 * 0 if the program failed; -1 after a fault. */
static int
step(struct watch *w, bool *more, struct fault *f)
{
	struct desk_ask ask = {
		.verb = DESK_WATCH, .after = w->told, .limit = w->begun ? 50 : 0
	};
	json_t *end;
	int result;

	json_decref(w->events);
	if ((w->events = json_array()) == NULL)
		return fault_set(f, FAULT_MEMORY, "events");
	if ((end = ca_desk_ask(w->desk, &ask, gather, w, f)) == NULL)
		return -1;
	*more = json_is_true(json_object_get(end, "more"));
	result = tell_all(w, f);
	/* What is not for us is passed over, but not asked for again. */
	if (result > 0 &&
	    (!w->begun || (uint64_t)ca_desk_number(end, "last") > w->told) &&
	    keep_state(w, (uint64_t)ca_desk_number(end, "last"), f) < 0)
		result = -1;
	json_decref(end);
	return result;
}

/* The number of the last event there is; and one that was told is among them,
 * or the ledger is not the one it was: what it has anew under numbers that were
 * used would never be told. */
static int
find_last(struct watch *w, uint64_t *last, struct fault *f)
{
	struct desk_ask ask = { .verb = DESK_WATCH };
	json_t *end = ca_desk_ask(w->desk, &ask, NULL, NULL, f);

	if (end == NULL)
		return -1;
	*last = (uint64_t)ca_desk_number(end, "last");
	json_decref(end);
	if (w->args->state == NULL || !w->begun || w->told <= *last)
		return 0;
	return fault_set(f, FAULT_INPUT,
	    "event %llu was told, and the last of the office is %llu; was its "
	    "ledger restored from a backup? Remove %s, and say with --after "
	    "which was the last that is so",
	    (unsigned long long)w->told, (unsigned long long)*last,
	    w->args->state);
}

/* ---- on and on */

static void
rest(unsigned *wait)
{
	(void)sleep(*wait);
	*wait = *wait * 2 < WAIT_MOST_S ? *wait * 2 : WAIT_MOST_S;
}

/* Whether it may pass if one waits. */
static bool
is_passing(const struct fault *f)
{
	return f->code == FAULT_UNREACHABLE || f->code == FAULT_TIMEOUT ||
	    f->code == FAULT_BUSY;
}

static int
open_desk(struct watch *w, struct fault *f)
{
	uint64_t last;

	w->desk = ca_desk_open(w->args->office, f);
	return w->desk == NULL ? -1 : find_last(w, &last, f);
}

static int
go_on(struct watch *w, struct fault *f)
{
	unsigned wait = WAIT_LEAST_S;

	for (;;) {
		bool more = false;
		int result = 0;

		if (w->desk == NULL)
			result = open_desk(w, f);
		if (result == 0)
			result = step(w, &more, f);
		if (result > 0) {
			wait = WAIT_LEAST_S;
			continue;
		}
		if (result < 0 && !is_passing(f))
			return -1;
		if (result < 0) {
			fprintf(stderr, "signet-ca: %s; going on\n", f->text);
			ca_desk_free(w->desk);
			w->desk = NULL;
		}
		memset(f, 0, sizeof(*f));
		rest(&wait);
	}
}

/* What there is by now, and no more. */
static int
go_once(struct watch *w, struct fault *f)
{
	bool more = true;

	if ((w->desk = ca_desk_open(w->args->office, f)) == NULL)
		return -1;
	for (bool first = true; more || first; first = false) {
		uint64_t last;
		int result;

		if (find_last(w, &last, f) < 0)
			return -1;
		if (w->begun && w->told >= last)
			return keep_state(w, w->told, f);
		result = step(w, &more, f);
		if (result == 0)
			return fault_set(f, FAULT_FAILED,
			    "%s failed; the event is told again the next "
			    "time",
			    w->args->exec);
		if (result < 0)
			return -1;
	}
	return 0;
}

int
ca_watch(const struct ca_args *args, struct fault *f)
{
	struct watch w = { .args = args, .lock = -1 };
	int64_t after = 0;
	int result;

	(void)signal(SIGPIPE, SIG_IGN);
	/* The program may want to ask for more. */
	if (args->office != NULL)
		(void)setenv("SIGNET_OFFICE", args->office, 1);
	if (args->exec != NULL && args->state == NULL)
		return fault_set(f, FAULT_USAGE,
		    "--exec needs --state: where to note what was told");
	if (cmd_number(args->after, "--after", 0, INT64_MAX, -1, &after, f) <
		0 ||
	    lock_state(&w, f) < 0 || load_state(&w, f) < 0)
		return -1;
	if (after >= 0 && !w.begun) {
		w.told = (uint64_t)after;
		w.begun = true;
	}
	result = args->once ? go_once(&w, f) : go_on(&w, f);
	ca_desk_free(w.desk);
	json_decref(w.events);
	if (w.lock >= 0)
		(void)close(w.lock);
	return result;
}
