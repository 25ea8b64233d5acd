#include "signetd/parent/news.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/parent/crew.h"
#include "signetd/parent/hook.h"
#include "signetd/parent/pin.h"
#include "sys/sandbox.h"
#include "token/token.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *
name_of(const struct process *p)
{
	return p->daemon->gather->ca[p->index];
}

static struct hook_event *
new_event(const char *event, const char *ca)
{
	struct hook_event *e = calloc(1, sizeof(*e));

	if (e == NULL || text_copy(e->event, sizeof(e->event), event) < 0 ||
	    text_copy(e->ca, sizeof(e->ca), ca) < 0) {
		free(e);
		return NULL;
	}
	return e;
}

static void
tell_hook(struct process *p, const char *event, const char *text)
{
	struct hook_event *e = new_event(event, name_of(p));

	if (e == NULL)
		return;
	hook_event_add(e, "SIGNET_TEXT", text);
	hook_event_add(e, "SIGNET_TOKEN", p->token_label);
	hook_event_add(e, "SIGNET_TOKEN_SERIAL", p->token_serial);
	hooks_tell(p->daemon->hooks, HOOK_TOKEN, e);
	free(e);
}

static void
lost(struct process *p, const char *text)
{
	LOG(TOKEN_LOST, LOG_TEXT("ca", name_of(p)),
	    LOG_TEXT("token", p->token_label),
	    LOG_TEXT("serial", p->token_serial), LOG_TEXT("text", text));
	tell_hook(p, "token-lost", text);
}

/* Somebody has to come; after a loss that was said already, unless he is to
 * bring the PIN. */
static void
wanted(struct process *p, enum token_state state, const char *text)
{
	LOG(TOKEN_WANTED, LOG_TEXT("ca", name_of(p)),
	    LOG_TEXT("token", p->token_label),
	    LOG_TEXT("serial", p->token_serial),
	    LOG_TEXT("state", token_state_name(state)), LOG_TEXT("text", text));
	tell_hook(p, "token-wanted", text);
}

static void
ready(struct process *p)
{
	LOG(TOKEN_READY, LOG_TEXT("ca", name_of(p)),
	    LOG_TEXT("token", p->token_label),
	    LOG_TEXT("serial", p->token_serial));
	tell_hook(p, "token-ready", "");
}

static void
changed(struct process *p, enum token_state was, bool known,
    const struct msg_token_news *m)
{
	const enum token_state is = (enum token_state)m->state;
	const bool was_ready = known && was == TOKEN_READY;

	if (was_ready)
		lost(p, m->text);
	memcpy(p->token_label, m->label, sizeof(p->token_label));
	memcpy(p->token_serial, m->serial, sizeof(p->token_serial));
	if (is == TOKEN_READY)
		ready(p);
	else if (!was_ready || is == TOKEN_NEEDS_PIN)
		wanted(p, is, m->text);
}

/* What is wrong is for an operator to mend: a PIN that was right and does not
 * help is not asked for in silence, nor is the right token waited for while
 * there is another.  A wrong PIN is told by who asked. */
static bool
is_of_no_use(const struct msg_token_news *m, uint32_t fault_was)
{
	if (m->fault == fault_was)
		return false;
	if (m->state == TOKEN_ABSENT)
		return m->fault == FAULT_CONFIG;
	return m->state == TOKEN_NEEDS_PIN && m->fault != FAULT_NONE &&
	    m->fault != FAULT_LOGIN;
}

void
news_token(struct process *p, const struct msg_token_news *m)
{
	const enum token_state was = (enum token_state)p->token_state;
	const uint32_t fault_was = p->token_fault;
	const bool known = p->token_known;

	if (p->role != MSG_ROLE_TOKEN || m->state > TOKEN_BROKEN)
		return;
	p->token_state = m->state;
	p->token_fault = m->fault;
	p->token_known = true;
	if (!known || m->state != was)
		changed(p, was, known, m);
	else if (is_of_no_use(m, fault_was))
		wanted(p, (enum token_state)m->state, m->text);
	pins_heard(p->daemon->pins, p->index, name_of(p), m);
}

void
news_token_gone(struct process *p)
{
	if (p->token_known && p->token_state == TOKEN_READY)
		lost(p, "its process has ended");
	p->token_known = false;
	pins_gone(p->daemon->pins, p->index);
}

/* Whose the ledger is, and the lists beside it. */
static uid_t
keeper_of(const struct process *p)
{
	uid_t uid = geteuid();
	struct fault f = { 0 };
	gid_t gid;

	if (uid == 0 &&
	    sandbox_user(p->daemon->gather->conf.user_keeper, &uid, &gid, &f) <
		0)
		return geteuid();
	return uid;
}

void
news_list(struct process *p, const struct msg_list_made *m)
{
	const char *ledger = p->daemon->gather->conf.ledger;
	const char *slash = strrchr(ledger, '/');
	const int len = slash == NULL ? 0 : (int)(slash - ledger);
	struct hook_event *e = new_event("crl", m->ca);
	char text[PATH_MAX];

	if (e == NULL)
		return;
	if (text_fmt(text, sizeof(text), "%.*s/%s.crl", len, ledger, m->ca) ==
	    0)
		hook_event_add(e, "SIGNET_CRL", text);
	if (text_fmt(e->input, sizeof(e->input), "%.*s/%s.r0", len, ledger,
		m->ca) == 0)
		hook_event_add(e, "SIGNET_CRL_PEM", e->input);
	e->owner = keeper_of(p);
	if (text_fmt(text, sizeof(text), "%llu",
		(unsigned long long)m->number) == 0)
		hook_event_add(e, "SIGNET_CRL_NUMBER", text);
	if (text_fmt(text, sizeof(text), "%llu",
		(unsigned long long)m->count) == 0)
		hook_event_add(e, "SIGNET_REVOKED", text);
	hooks_tell(p->daemon->hooks, HOOK_CRL, e);
	free(e);
}
