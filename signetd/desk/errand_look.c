/* Looking: who am I, requests, certificates, what happens. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "office/request.h"
#include "signetd/desk/desk.h"
#include "x509/cert.h"
#include "x509/pem.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define PAGE 100
#define WATCH_MS 30000	    /* an answer comes by then, if an empty one */
#define WATCH_AGAIN_MS 2000 /* others write to the ledger, too */

static const char *const states[] = { "open", "rejected", "withdrawn",
	"signing", "issued" };
static const char *const cert_states[] = { "reserved", "issued", "void",
	"revoked", "held" };

#define CERT_REVOKED 3 /* in these */
#define CERT_HELD 4

#define NAMED(names, n) \
	((n) < sizeof(names) / sizeof((names)[0]) ? (names)[n] : "?")

void
errand_put_time(struct json_t *object, const char *name, uint64_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text((time_t)when, text);
	desk_put(object, name, text);
}

/* Whether he sees what others asked for. */
static bool
sees_all(const struct errand *e)
{
	return (e->roles & (STAFF_APPROVER | STAFF_AUDITOR | STAFF_REVOKER)) !=
	    0;
}

void
errand_whoami(struct errand *e)
{
	static const struct {
		unsigned bit;
		const char *name;
	} roles[] = {
		{ STAFF_REQUESTER, "requester" },
		{ STAFF_APPROVER, "approver" },
		{ STAFF_REVOKER, "revoker" },
		{ STAFF_AUDITOR, "auditor" },
	};
	json_t *body = json_object();
	json_t *list = json_array();

	desk_put(body, "who", e->who);
	desk_put(body, "method", e->method);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if ((e->roles & roles[i].bit) != 0)
			(void)json_array_append_new(list,
			    json_string(roles[i].name));
	(void)json_object_set_new(body, "roles", list);
	errand_answer(e, body);
}

struct json_t *
errand_request_json(const struct errand *e, const struct msg_request_row *row)
{
	const struct profile *p =
	    office_rules_find_profile(e->desk->rules, row->profile);
	json_t *body = json_object();

	desk_put(body, "request", row->request);
	desk_put(body, "ca", row->ca);
	desk_put(body, "state", NAMED(states, row->state));
	desk_put(body, "profile", row->profile);
	desk_put(body, "subject", row->subject);
	desk_put(body, "who", row->who);
	desk_put(body, "method", row->method);
	desk_put(body, "peer", row->peer);
	desk_put(body, "serial", row->serial);
	errand_put_time(body, "when", row->when);
	(void)json_object_set_new(body, "entry",
	    json_integer((json_int_t)row->entry));
	(void)json_object_set_new(body, "approvals",
	    json_integer((json_int_t)row->approvals));
	if (p != NULL)
		(void)json_object_set_new(body, "needed",
		    json_integer((json_int_t)p->conf.approvals));
	return body;
}

/* ---- list */

/* A CA that is served no more may be looked up in the ledger; one of which
 * nothing is known is a slip of the pen, not an empty list. */
static int
check_ca(const struct errand *e, struct fault *f)
{
	const struct office_rules *rules = e->desk->rules;
	char names[256] = "";
	size_t len = 0;

	if (e->told > 0 || e->ask.after > 0 || *e->ask.ca == '\0' ||
	    office_rules_find_ca(rules, e->ask.ca) != NULL)
		return 0;
	for (size_t i = 0; i < office_rules_cas(rules); i++) {
		const struct authority *ca = office_rules_ca(rules, i);

		if (ca->signs_ca || len + strlen(ca->conf.name) + 2 >= 200)
			continue;
		len += (size_t)snprintf(names + len, sizeof(names) - len, " %s",
		    ca->conf.name);
	}
	return fault_set(f, FAULT_ABSENT,
	    "no CA \"%s\" is served here, and nothing of it is on record; "
	    "those served:%s",
	    e->ask.ca, names);
}

/* The end of a list: where it ended, and whether there is more. */
static void
listed(struct errand *e)
{
	json_t *body;

	if (e->fault.code == FAULT_NONE)
		(void)check_ca(e, &e->fault);
	if (e->fault.code != FAULT_NONE) {
		errand_fail(e, &e->fault);
		return;
	}
	body = json_pack("{s:b, s:I}", "more", (int)(e->kept.more != 0), "last",
	    (json_int_t)e->kept.last);
	errand_answer(e, body);
}

/* As many rows as he wants, or as there are on a page. */
static uint32_t
page_of(const struct errand *e)
{
	return e->ask.limit == 0 || e->ask.limit > PAGE
	    ? PAGE
	    : (uint32_t)e->ask.limit;
}

void
errand_list(struct errand *e)
{
	struct msg m = { .type = MSG_REQUEST_LIST };
	struct msg_request_list *list = &m.request_list;

	list->id = e->id;
	memcpy(list->ca, e->ask.ca, sizeof(list->ca));
	memcpy(list->who, sees_all(e) ? e->ask.who : e->who, sizeof(list->who));
	memcpy(list->text, e->ask.text, sizeof(list->text));
	list->open_only = e->ask.open;
	list->after = e->ask.after;
	list->limit = page_of(e);
	errand_ask(e, e->desk->keeper, &m, listed);
}

void
errand_list_row(struct errand *e, const struct msg_request_row *row)
{
	e->told++;
	errand_item(e, errand_request_json(e, row));
}

/* ---- show */

static void
put_renewed(const struct errand *e, json_t *body)
{
	OWN_BUF(pem, (size_t)2 * CERT_MAX);

	if (e->certificate.len == 0)
		return;
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ e->certificate.data, e->certificate.len });
	(void)json_object_set_new(body, "renewed",
	    json_pack("{s:s#, s:s, s:b}", "certificate", (const char *)pem.data,
		(int)pem.len, "profile", e->cert_profile, "revoked",
		(int)e->gone));
}

static void
show_whole(struct errand *e)
{
	json_t *body;

	if (e->fault.code != FAULT_NONE) {
		errand_fail(e, &e->fault);
		return;
	}
	body = errand_request_json(e, &e->row);
	put_renewed(e, body);
	(void)json_object_set_new(body, "file",
	    json_stringn((const char *)e->file.data, e->file.len));
	if (e->decisions != NULL)
		(void)json_object_set(body, "decisions", e->decisions);
	errand_answer(e, body);
}

static void
show_found(struct errand *e)
{
	struct fault f = e->fault;
	OWN_STRUCT(request) r = NULL;

	if (f.code == FAULT_NONE && !sees_all(e) &&
	    strcmp(e->row.who, e->who) != 0)
		(void)fault_set(&f, FAULT_DENIED, "%s asked for it, not %s",
		    e->row.who, e->who);
	if (f.code != FAULT_NONE || (r = request_read(e->row.file, &f)) == NULL)
		errand_fail(e, &f);
	else if (*r->renews != '\0')
		errand_find_cert(e, r->renews, show_whole);
	else
		show_whole(e);
}

void
errand_show(struct errand *e)
{
	errand_find(e, show_found);
}

/* ---- search */

void
errand_search(struct errand *e)
{
	struct msg m = { .type = MSG_CERT_LIST };
	struct msg_cert_list *list = &m.cert_list;

	list->id = e->id;
	memcpy(list->ca, e->ask.ca, sizeof(list->ca));
	memcpy(list->serial, e->ask.serial, sizeof(list->serial));
	memcpy(list->text, e->ask.text, sizeof(list->text));
	list->revoked_only = e->ask.open;
	list->after = e->ask.after;
	list->limit = page_of(e);
	errand_ask(e, e->desk->keeper, &m, listed);
}

void
errand_cert_row(struct errand *e, const struct msg_cert_row *row)
{
	json_t *body;

	if (e->ask.verb != DESK_SEARCH) {
		buf_free(&e->certificate);
		e->certificate = BUF(row->der.len + 1);
		buf_put(&e->certificate, row->der.data, row->der.len);
		e->gone = row->state == CERT_REVOKED || row->state == CERT_HELD;
		memcpy(e->cert_profile, row->profile, sizeof(e->cert_profile));
		return;
	}
	body = json_object();
	desk_put(body, "ca", row->ca);
	desk_put(body, "serial", row->serial);
	desk_put(body, "state", NAMED(cert_states, row->state));
	desk_put(body, "subject", row->subject);
	desk_put(body, "profile", row->profile);
	desk_put(body, "who", row->who);
	desk_put(body, "method", row->method);
	errand_put_time(body, "when", row->when);
	errand_put_time(body, "not_before", row->not_before);
	errand_put_time(body, "not_after", row->not_after);
	if (row->revoked != 0) {
		errand_put_time(body, "revoked", row->revoked);
		(void)json_object_set_new(body, "reason",
		    json_integer((json_int_t)row->reason));
	}
	e->told++;
	(void)json_object_set_new(body, "entry",
	    json_integer((json_int_t)row->entry));
	errand_item(e, body);
}

/* ---- watch */

static void
watch_end(struct errand *e, bool more)
{
	errand_answer(e,
	    json_pack("{s:b, s:I}", "more", (int)more, "last",
		(json_int_t)e->after));
}

static void
watched(struct errand *e)
{
	int64_t now = clock_mono();

	if (e->fault.code != FAULT_NONE) {
		errand_fail(e, &e->fault);
		return;
	}
	if (e->kept.last > e->after)
		e->after = e->kept.last;
	if (e->told > 0 || e->ask.limit == 0 || now >= e->deadline ||
	    e->kept.more != 0) {
		watch_end(e, e->kept.more != 0);
		return;
	}
	if (e->visitor == NULL) {
		errand_end(e);
		return;
	}
	e->parked = true;
	e->ask_at = now + WATCH_AGAIN_MS;
}

void
errand_watch_again(struct errand *e)
{
	struct msg m = { .type = MSG_EVENT_LIST };

	e->parked = false;
	m.event_list.id = e->id;
	m.event_list.after = e->after;
	m.event_list.limit =
	    e->ask.limit > PAGE ? PAGE : (uint32_t)e->ask.limit;
	errand_ask(e, e->desk->keeper, &m, watched);
}

void
errand_watch(struct errand *e)
{
	e->after = e->ask.after;
	e->deadline = clock_mono() + WATCH_MS;
	errand_watch_again(e);
}

void
errand_event_row(struct errand *e, const struct msg_event_row *row)
{
	json_t *body;

	if (!sees_all(e) && strcmp(row->asked, e->who) != 0)
		return;
	e->told++;
	body = json_object();
	(void)json_object_set_new(body, "entry",
	    json_integer((json_int_t)row->entry));
	errand_put_time(body, "when", row->when);
	desk_put(body, "event", row->kind);
	desk_put(body, "ca", row->ca);
	desk_put(body, "request", row->request);
	desk_put(body, "who", row->who);
	desk_put(body, "asked", row->asked);
	desk_put(body, "subject", row->subject);
	desk_put(body, "profile", row->profile);
	desk_put(body, "serial", row->serial);
	desk_put(body, "text", row->text);
	errand_item(e, body);
}
