#include "signetd/parent/pin.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/parent/credential.h"
#include "signetd/token_told.h"
#include "sys/console.h"
#include "sys/loop.h"
#include "token/token.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 10000 /* after a terminal that could not be had */
#define CREDENTIAL "credential:"
#define HELD (TOKEN_TOLD_PIN_FINAL | TOKEN_TOLD_PIN_LOCKED)

enum want {
	WANT_NOTHING,
	WANT_PIN,    /* somebody is to be asked */
	WANT_ANSWER, /* it was told, and has not said what it thinks of it */
	WANT_LATER   /* a pause first, since nobody else makes one */
};

/* One token, as it was last heard of. */
struct asker {
	enum want want;
	bool spent; /* the credential is wrong: it is not tried again */
	uint32_t flags;
	char ca[64];
	char label[40];
	char serial[20];
	char why[240];
	char said[240]; /* the last reason that was logged for not asking */
};

struct pins {
	struct pins_wish wish;
	struct console *console; /* at which ${at} is asked */
	size_t at;
	struct loop_timer *again;
	bool stopped;
	struct asker asker[CONF_LIST_MAX];
};

static void serve(struct pins *p);

static enum console_kind
kind_of(const struct signetd_conf *conf)
{
	return strcmp(conf->pin_from, "terminal") == 0 ? CONSOLE_TERMINAL
						       : CONSOLE_VIRTUAL;
}

static bool
has_pad(const struct asker *a)
{
	return (a->flags & TOKEN_TOLD_PIN_PAD) != 0;
}

/* ---- what is shown */

static void
describe(const struct asker *a, struct buf *out)
{
	buf_fmt(out, "\nSignet CA %s: the PIN of its token is needed.\n\n",
	    a->ca);
	buf_fmt(out, "  Token   %s\n", a->label);
	if (*a->serial != '\0')
		buf_fmt(out, "  Serial  %s\n", a->serial);
	if (*a->why != '\0')
		buf_fmt(out, "  Reason  %s\n", a->why);
	if ((a->flags & TOKEN_TOLD_PIN_LOW) != 0)
		buf_text(out,
		    "\nA wrong PIN was given before, and tries are few. The "
		    "last one is never used here.\n");
	buf_text(out, "\n");
}

static const char *
prompt_for(const struct asker *a)
{
	return has_pad(a) ? "Press Return, and enter the PIN at the reader. "
			  : "PIN: ";
}

static void
clean_copy(char *to, size_t size, const char *from)
{
	if (text_copy(to, size, from) < 0)
		to[0] = '\0';
	text_clean(to);
}

/* ---- one question */

static void
close_console(struct pins *p)
{
	console_free(p->console);
	p->console = NULL;
}

static void
later(struct pins *p, struct asker *a, const struct fault *f)
{
	if (strcmp(a->said, f->text) != 0)
		LOG(PIN_FAILED, LOG_TEXT("ca", a->ca),
		    LOG_TEXT("text", f->text));
	clean_copy(a->said, sizeof(a->said), f->text);
	loop_timer_set(p->again, AGAIN_MS);
}

/* One try for one answer; what becomes of it is heard. */
static void
pass_on(struct pins *p, struct asker *a, const struct secret *pin)
{
	struct fault f = { 0 };

	a->want = WANT_ANSWER;
	a->said[0] = '\0';
	/* A token that has gone meanwhile comes again, and asks again. */
	if (p->wish.tell(p->wish.arg, (size_t)(a - p->asker), pin, &f) < 0) {
		a->want = WANT_NOTHING;
		close_console(p);
	}
}

static void
console_heard(void *arg, struct secret *answer, const struct fault *f)
{
	struct pins *p = arg;
	struct asker *a = &p->asker[p->at];
	OWN_STRUCT(secret) pin = answer;

	if (pin == NULL) {
		close_console(p);
		later(p, a, f);
		return;
	}
	console_ask(p->console,
	    has_pad(a) ? "Enter the PIN at the reader now.\n"
		       : "One moment ...\n",
	    NULL, false);
	pass_on(p, a, pin);
}

static int
ask_person(struct pins *p, struct asker *a, struct fault *f)
{
	OWN_BUF(text, CONSOLE_TEXT_MAX);
	struct console_wish wish = {
		.kind = kind_of(p->wish.conf),
		.prompt = prompt_for(a),
		.empty = has_pad(a),
		.heard = console_heard,
		.arg = p,
		.device = p->wish.device,
	};

	describe(a, &text);
	if ((wish.text = buf_cstr(&text)) == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for a question");
	if ((p->console = console_open(p->wish.loop, &wish, f)) == NULL)
		return -1;
	p->at = (size_t)(a - p->asker);
	LOG(PIN_ASKED, LOG_TEXT("ca", a->ca),
	    LOG_TEXT("where", console_name(p->console)));
	return 0;
}

/* A wrong one stays wrong: it is read once, and again only if it was right. */
static int
ask_credential(struct pins *p, struct asker *a, struct fault *f)
{
	OWN_STRUCT(secret) pin =
	    credential_read(p->wish.conf->pin_from + strlen(CREDENTIAL), f);

	if (pin == NULL)
		return -1;
	if (secret_len(pin) == 0 || secret_len(pin) > CONSOLE_ANSWER_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "the credential is empty or too long");
	LOG(PIN_ASKED, LOG_TEXT("ca", a->ca), LOG_TEXT("where", "credential"));
	pass_on(p, a, pin);
	return 0;
}

static bool
from_credential(const struct pins *p)
{
	return text_starts(p->wish.conf->pin_from, CREDENTIAL);
}

static void
serve_one(struct pins *p, struct asker *a)
{
	struct fault f = { 0 };
	int result = from_credential(p) ? ask_credential(p, a, &f)
					: ask_person(p, a, &f);

	if (result < 0)
		later(p, a, &f);
}

/* Whose turn it is; at a console only one at a time. */
static void
serve(struct pins *p)
{
	for (size_t i = 1; i <= CONF_LIST_MAX; i++) {
		struct asker *a = &p->asker[(p->at + i) % CONF_LIST_MAX];

		if (p->stopped || p->console != NULL)
			return;
		if (a->want != WANT_PIN || (from_credential(p) && a->spent))
			continue;
		serve_one(p, a);
		if (!from_credential(p))
			return;
	}
}

static void
again(void *arg)
{
	struct pins *p = arg;

	for (size_t i = 0; i < CONF_LIST_MAX; i++)
		if (p->asker[i].want == WANT_LATER)
			p->asker[i].want = WANT_PIN;
	serve(p);
}

/* ---- what tokens say */

static void
keep(struct asker *a, const char *ca, const struct msg_token_news *m)
{
	a->flags = m->flags;
	clean_copy(a->ca, sizeof(a->ca), ca);
	clean_copy(a->label, sizeof(a->label), m->label);
	clean_copy(a->serial, sizeof(a->serial), m->serial);
	clean_copy(a->why, sizeof(a->why), m->text);
}

static bool
is_asked(const struct pins *p, const struct asker *a)
{
	return p->console != NULL && a == &p->asker[p->at];
}

/* It has one try left, or none: those are the operator's. */
static void
hold(struct pins *p, struct asker *a)
{
	const bool locked = (a->flags & TOKEN_TOLD_PIN_LOCKED) != 0;
	char why[240], line[512];

	if (text_fmt(why, sizeof(why),
		locked ? "its PIN is locked: unlock it with the vendor's tool"
		       : "one more wrong PIN would lock it: log in with the "
			 "vendor's tool, which resets the count") < 0 ||
	    strcmp(a->said, why) == 0)
		return;
	memcpy(a->said, why, sizeof(a->said));
	LOG(PIN_WITHHELD, LOG_TEXT("ca", a->ca), LOG_TEXT("token", a->label),
	    LOG_TEXT("serial", a->serial), LOG_TEXT("text", why));
	if (text_fmt(line, sizeof(line),
		"signetd: CA %s cannot sign: token %s, serial %s: %s", a->ca,
		a->label, a->serial, why) == 0 &&
	    !from_credential(p))
		console_tell(kind_of(p->wish.conf), p->wish.device, line);
}

static void
no_question(struct pins *p, struct asker *a)
{
	a->want = WANT_NOTHING;
	if (is_asked(p, a))
		close_console(p);
}

/* The answer was wrong: the next one is another try. */
static void
was_wrong(struct pins *p, struct asker *a)
{
	LOG(PIN_WRONG, LOG_TEXT("ca", a->ca), LOG_TEXT("text", a->why));
	if (from_credential(p)) {
		struct fault f = { 0 };

		a->spent = true;
		(void)fault_set(&f, FAULT_LOGIN,
		    "the credential is wrong, and is not tried again: mend it "
		    "and start signetd anew");
		LOG(PIN_FAILED, LOG_TEXT("ca", a->ca),
		    LOG_TEXT("text", f.text));
	}
}

static void
ask_again(struct pins *p, struct asker *a)
{
	OWN_BUF(text, CONSOLE_TEXT_MAX);

	describe(a, &text);
	console_ask(p->console, buf_cstr(&text) == NULL ? "" : buf_cstr(&text),
	    prompt_for(a), has_pad(a));
}

static void
needs_pin(struct pins *p, struct asker *a, enum fault_code fault)
{
	const bool told = a->want == WANT_ANSWER;

	if (told && fault == FAULT_LOGIN)
		was_wrong(p, a);
	if ((a->flags & HELD) != 0) {
		no_question(p, a);
		hold(p, a);
		return;
	}
	/* A credential that is right, and still does not do. */
	if (told && from_credential(p)) {
		a->want = WANT_LATER;
		loop_timer_set(p->again, AGAIN_MS);
		return;
	}
	a->want = WANT_PIN;
	/* Who is being asked already hears no more, unless he has answered. */
	if (is_asked(p, a) && told)
		ask_again(p, a);
}

void
pins_heard(struct pins *p, size_t n, const char *ca,
    const struct msg_token_news *m)
{
	struct asker *a;

	if (n >= CONF_LIST_MAX)
		return;
	a = &p->asker[n];
	keep(a, ca, m);
	if (m->state == TOKEN_NEEDS_PIN) {
		needs_pin(p, a,
		    m->fault < FAULT_COUNT ? (enum fault_code)m->fault
					   : FAULT_INTERNAL);
	} else {
		if (a->want == WANT_ANSWER && m->fault == FAULT_LOGIN)
			was_wrong(p, a);
		no_question(p, a);
		if (m->state == TOKEN_BROKEN && (m->flags & HELD) != 0)
			hold(p, a);
		else
			a->said[0] = '\0';
	}
	serve(p);
}

void
pins_gone(struct pins *p, size_t n)
{
	if (p == NULL || n >= CONF_LIST_MAX)
		return;
	no_question(p, &p->asker[n]);
	serve(p);
}

void
pins_stop(struct pins *p)
{
	if (p == NULL)
		return;
	p->stopped = true;
	loop_timer_stop(p->again);
	close_console(p);
}

struct pins *
pins_new(const struct pins_wish *wish, struct fault *f)
{
	OWN_STRUCT(pins) p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for PINs");
		return NULL;
	}
	p->wish = *wish;
	p->at = CONF_LIST_MAX - 1;
	if ((p->again = loop_timer_new(wish->loop, again, p, f)) == NULL)
		return NULL;
	return TAKE(p);
}

void
pins_free(struct pins *p)
{
	if (p == NULL)
		return;
	close_console(p);
	loop_timer_free(p->again);
	free(p);
}

int
pins_check(const struct signetd_conf *conf, const struct console_device *device,
    struct fault *f)
{
	if (text_starts(conf->pin_from, CREDENTIAL))
		return credential_check(conf->pin_from + strlen(CREDENTIAL), f);
	if (console_check(kind_of(conf), device, f) < 0)
		return fault_wrap(f, "pin-from %s", conf->pin_from);
	return 0;
}
