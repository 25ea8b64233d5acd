#include "roster/roster_search.h"

#include "base/clock.h"
#include "base/fault.h"
#include "ldap/dial.h"
#include "ldap/own_ldap_types.h"
#include "roster/roster_csn.h"
#include "roster/roster_sync.h"

#include <stdlib.h>
#include <string.h>

#define COOKIE_MAX (1u << 17)

typedef LDAPControl *ldap_controls;

static inline void
free_controls(LDAPControl **controls)
{
	ldap_controls_free(controls);
}

OWN_FREE(ldap_controls, free_controls)

void
roster_search_init(struct roster_search *s, struct roster *r, uint32_t source,
    struct roster_plan *plan, struct roster_skips *skips)
{
	*s = (struct roster_search){ .r = r,
		.source = source,
		.plan = plan,
		.skips = skips,
		.draft = ROSTER_DRAFT,
		.id = -1,
		.cookie = BUF(COOKIE_MAX) };
	s->draft.source = (uint16_t)source;
}

static void
forget_page(struct roster_search *s)
{
	ber_memfree(s->page_cookie.bv_val);
	s->page_cookie = (struct berval){ 0, NULL };
}

void
roster_search_free(struct roster_search *s)
{
	roster_plan_free(s->plan);
	roster_stage_free(s->stage);
	roster_draft_free(&s->draft);
	forget_page(s);
	buf_free(&s->cookie);
	*s = (struct roster_search){ .id = -1 };
}

static int
ask(struct roster_search *s, LDAP *ld, LDAPControl *control, struct fault *f)
{
	LDAPControl *controls[2] = { control, NULL };
	int result = ldap_search_ext(ld, s->base, LDAP_SCOPE_SUBTREE, s->filter,
	    roster_plan_attributes(s->plan), 0,
	    control != NULL ? controls : NULL, NULL, NULL, LDAP_NO_LIMIT,
	    &s->id);

	if (result == LDAP_SUCCESS)
		return 0;
	s->id = -1;
	return dial_fault(f, dial_code(result), ld, result, s->base);
}

static int
ask_sync(struct roster_search *s, LDAP *ld, struct fault *f)
{
	OWN_BUF(value, COOKIE_MAX + 64);
	char oid[] = ROSTER_SYNC_REQUEST;
	LDAPControl control = { .ldctl_oid = oid, .ldctl_iscritical = 1 };

	roster_sync_request(s->how == ROSTER_SEARCH_FOLLOW, s->cookie.data,
	    s->cookie.len, &value);
	if (value.failed)
		return fault_set(f, FAULT_MEMORY, "a cookie");
	control.ldctl_value.bv_val = (char *)value.data;
	control.ldctl_value.bv_len = value.len;
	return ask(s, ld, &control, f);
}

static int
ask_dump(struct roster_search *s, LDAP *ld, struct fault *f)
{
	LDAPControl *control = NULL;
	int result;

	if (s->page == 0)
		return ask(s, ld, NULL, f);
	if (ldap_create_page_control(ld, (ber_int_t)s->page,
		s->page_cookie.bv_val != NULL ? &s->page_cookie : NULL, 1,
		&control) != LDAP_SUCCESS)
		return fault_set(f, FAULT_MEMORY, "a page");
	result = ask(s, ld, control, f);
	ldap_control_free(control);
	return result;
}

int
roster_search_next_page(struct roster_search *s, LDAP *ld, struct fault *f)
{
	return ask_dump(s, ld, f);
}

int
roster_search_start(struct roster_search *s, LDAP *ld, bool full,
    struct fault *f)
{
	const struct roster_cookie *cookie =
	    roster_cookie_get(&s->r->sources[s->source], s->server);

	roster_stage_free(s->stage);
	if ((s->stage = roster_stage_new(s->r, s->source, true, f)) == NULL)
		return -1;
	forget_page(s);
	buf_clear(&s->cookie);
	s->refreshed = s->committed = false;
	s->full = full || cookie == NULL || s->how == ROSTER_SEARCH_DUMP;
	if (!s->full)
		buf_put(&s->cookie, cookie->data, cookie->len);
	return s->how == ROSTER_SEARCH_DUMP ? ask_dump(s, ld, f)
					    : ask_sync(s, ld, f);
}

/* The server said that this is how far we are now. */
static int
keep_cookie(struct roster_search *s, struct wire_bytes said, struct fault *f)
{
	OWN_BUF(joined, COOKIE_MAX);

	if (said.data == NULL)
		return 0;
	roster_csn_join(s->cookie.data, s->cookie.len, said.data, said.len,
	    &joined);
	buf_clear(&s->cookie);
	buf_put(&s->cookie, joined.data, joined.len);
	if (joined.failed || s->cookie.failed)
		return fault_set(f, FAULT_INPUT, "a cookie of %zu bytes",
		    said.len);
	return 0;
}

static int
take_entry(struct roster_search *s, LDAP *ld, LDAPMessage *m,
    const uint8_t *uuid, struct fault *f)
{
	int read = roster_entry_read(s->plan, s->r, ld, m, uuid, &s->draft,
	    s->skips, f);

	if (read < 0)
		return -1;
	/* Of no use any more, though it was before. */
	if (read == 0)
		return roster_stage_delete(s->stage, s->draft.uuid, f);
	return roster_stage_put(s->stage, &s->draft, f);
}

static int
take_state(struct roster_search *s, LDAP *ld, LDAPMessage *m,
    const struct roster_sync_state *state, struct fault *f)
{
	switch (state->what) {
	case ROSTER_SYNC_PRESENT:
		roster_stage_present(s->stage, state->uuid);
		break;
	case ROSTER_SYNC_ADD:
	case ROSTER_SYNC_MODIFY:
		if (take_entry(s, ld, m, state->uuid, f) < 0)
			return -1;
		break;
	case ROSTER_SYNC_DELETE:
		if (roster_stage_delete(s->stage, state->uuid, f) < 0)
			return -1;
		break;
	}
	return keep_cookie(s, state->cookie, f);
}

/* The value of the control ${oid}; data NULL if it is not there. */
static struct wire_bytes
value_of(LDAPControl **controls, const char *oid)
{
	LDAPControl *found =
	    controls == NULL ? NULL : ldap_control_find(oid, controls, NULL);
	struct wire_bytes value = { NULL, 0 };

	if (found != NULL && found->ldctl_value.bv_val != NULL)
		value = (struct wire_bytes){
			(const uint8_t *)found->ldctl_value.bv_val,
			found->ldctl_value.bv_len
		};
	return value;
}

static enum roster_heard
heard(const struct roster_search *s)
{
	return s->committed ? ROSTER_HEARD_CHANGE : ROSTER_HEARD_MORE;
}

static enum roster_heard
hear_entry(struct roster_search *s, LDAP *ld, LDAPMessage *m, struct fault *f)
{
	OWN(ldap_controls) controls = NULL;
	struct roster_sync_state state;
	struct wire_bytes value;

	if (s->how == ROSTER_SEARCH_DUMP)
		return take_entry(s, ld, m, NULL, f) < 0 ? ROSTER_HEARD_FAULT
							 : heard(s);
	if (ldap_get_entry_controls(ld, m, &controls) != LDAP_SUCCESS) {
		(void)fault_set(f, FAULT_INPUT, "an entry cannot be read");
		return ROSTER_HEARD_FAULT;
	}
	value = value_of(controls, ROSTER_SYNC_STATE);
	if (value.data == NULL) {
		(void)fault_set(f, FAULT_INPUT,
		    "RFC 4533 3.3.1: an entry without its state");
		return ROSTER_HEARD_FAULT;
	}
	if (roster_sync_state_read(value, &state, f) < 0 ||
	    take_state(s, ld, m, &state, f) < 0)
		return ROSTER_HEARD_FAULT;
	return heard(s);
}

static int
take_set(struct roster_search *s, const struct roster_sync_info *info,
    struct fault *f)
{
	struct wire_bytes left = info->uuids;
	const uint8_t *uuid;

	while ((uuid = roster_sync_uuid(&left)) != NULL) {
		if (!info->deletes)
			roster_stage_present(s->stage, uuid);
		else if (roster_stage_delete(s->stage, uuid, f) < 0)
			return -1;
	}
	return 0;
}

/* The refresh is over.  One that was asked for everything has said everything:
 * who was not mentioned is not there. */
static enum roster_heard
refreshed(struct roster_search *s, struct fault *f)
{
	if (s->full && roster_stage_only(s->stage, f) < 0)
		return ROSTER_HEARD_FAULT;
	s->refreshed = true;
	return ROSTER_HEARD_REFRESHED;
}

static enum roster_heard
take_info(struct roster_search *s, const struct roster_sync_info *info,
    struct fault *f)
{
	if (keep_cookie(s, info->cookie, f) < 0)
		return ROSTER_HEARD_FAULT;
	switch (info->kind) {
	case ROSTER_SYNC_NEW_COOKIE:
		return heard(s);
	case ROSTER_SYNC_ID_SET:
		return take_set(s, info, f) < 0 ? ROSTER_HEARD_FAULT : heard(s);
	case ROSTER_SYNC_REFRESH_PRESENT:
		if (!s->refreshed && roster_stage_only(s->stage, f) < 0)
			return ROSTER_HEARD_FAULT;
		break;
	case ROSTER_SYNC_REFRESH_DELETE:
		break;
	}
	if (!info->done || s->refreshed)
		return heard(s);
	return refreshed(s, f);
}

static enum roster_heard
hear_info(struct roster_search *s, LDAP *ld, LDAPMessage *m, struct fault *f)
{
	char *oid = NULL;
	struct berval *data = NULL;
	struct roster_sync_info info;
	enum roster_heard result = heard(s);
	int parsed = ldap_parse_intermediate(ld, m, &oid, &data, NULL, 0);

	if (parsed != LDAP_SUCCESS) {
		(void)fault_set(f, FAULT_INPUT, "a message cannot be read");
		return ROSTER_HEARD_FAULT;
	}
	/* Others may come, and say nothing to us. */
	if (s->how != ROSTER_SEARCH_DUMP && oid != NULL && data != NULL &&
	    strcmp(oid, ROSTER_SYNC_INFO) == 0)
		result =
		    roster_sync_info_read((struct wire_bytes){ (const uint8_t *)
								   data->bv_val,
					      data->bv_len },
			&info, f) < 0
		    ? ROSTER_HEARD_FAULT
		    : take_info(s, &info, f);
	ldap_memfree(oid);
	ber_bvfree(data);
	return result;
}

/* What a result other than success asks us to do, before it is a fault. */
static enum roster_heard
hear_refusal(const struct roster_search *s, int result)
{
	if (s->how == ROSTER_SEARCH_DUMP)
		return result == LDAP_SIZELIMIT_EXCEEDED && s->page == 0
		    ? ROSTER_HEARD_LIMITED
		    : ROSTER_HEARD_FAULT;
	if (result == ROSTER_SYNC_REFRESH_REQUIRED)
		/* A server that asks for that again and again has nothing. */
		return s->full && !s->refreshed ? ROSTER_HEARD_FAULT
						: ROSTER_HEARD_STALE;
	if (result == LDAP_SIZELIMIT_EXCEEDED)
		return ROSTER_HEARD_LIMITED;
	if (result == LDAP_UNAVAILABLE_CRITICAL_EXTENSION)
		return ROSTER_HEARD_NO_SYNC;
	/*
	 * OpenLDAP says this to a cookie that is newer than its own contents:
	 * it was restored from a backup, or is another server.
	 */
	if (!s->full && !s->refreshed &&
	    (result == LDAP_UNWILLING_TO_PERFORM ||
		result == LDAP_PROTOCOL_ERROR || result == LDAP_OTHER))
		return ROSTER_HEARD_STALE;
	return ROSTER_HEARD_FAULT;
}

static enum roster_heard
end_of_page(struct roster_search *s, LDAP *ld, LDAPControl **controls,
    struct fault *f)
{
	LDAPControl *found = controls == NULL
	    ? NULL
	    : ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);

	forget_page(s);
	if (s->page > 0 && found == NULL) {
		(void)fault_set(f, FAULT_INPUT,
		    "RFC 2696: the end of a page is not told");
		return ROSTER_HEARD_FAULT;
	}
	if (found != NULL &&
	    ldap_parse_pageresponse_control(ld, found, NULL, &s->page_cookie) !=
		LDAP_SUCCESS) {
		(void)fault_set(f, FAULT_INPUT, "RFC 2696: malformed");
		return ROSTER_HEARD_FAULT;
	}
	if (s->page_cookie.bv_len > 0)
		return ROSTER_HEARD_NEXT_PAGE;
	return refreshed(s, f);
}

static enum roster_heard
end_of_refresh(struct roster_search *s, LDAPControl **controls, struct fault *f)
{
	struct roster_sync_done done = { { NULL, 0 }, false };
	struct wire_bytes value = value_of(controls, ROSTER_SYNC_DONE);

	if (s->how == ROSTER_SEARCH_FOLLOW) {
		/* 3.4: it ends only with an error, or if we end it. */
		(void)fault_set(f, FAULT_UNREACHABLE,
		    "the server ended the search");
		return ROSTER_HEARD_FAULT;
	}
	if (value.data == NULL) {
		(void)fault_set(f, FAULT_INPUT,
		    "RFC 4533 3.3: the end of the refresh is not told");
		return ROSTER_HEARD_FAULT;
	}
	if (roster_sync_done_read(value, &done, f) < 0 ||
	    keep_cookie(s, done.cookie, f) < 0 ||
	    (!done.deletes && roster_stage_only(s->stage, f) < 0))
		return ROSTER_HEARD_FAULT;
	return refreshed(s, f);
}

static enum roster_heard
hear_result(struct roster_search *s, LDAP *ld, LDAPMessage *m, struct fault *f)
{
	OWN(ldap_controls) controls = NULL;
	enum roster_heard answer;
	char *text = NULL;
	int result = LDAP_OTHER;

	s->id = -1;
	if (ldap_parse_result(ld, m, &result, NULL, &text, NULL, &controls,
		0) != LDAP_SUCCESS) {
		(void)fault_set(f, FAULT_INPUT, "a result cannot be read");
		return ROSTER_HEARD_FAULT;
	}
	ldap_memfree(text); /* libldap kept it as the diagnostic message too */
	if (result == LDAP_SUCCESS)
		return s->how == ROSTER_SEARCH_DUMP
		    ? end_of_page(s, ld, controls, f)
		    : end_of_refresh(s, controls, f);
	answer = hear_refusal(s, result);
	if (answer == ROSTER_HEARD_FAULT)
		(void)dial_fault(f,
		    result == LDAP_REFERRAL ? FAULT_UNREACHABLE
					    : dial_code(result),
		    ld, result,
		    result == LDAP_REFERRAL
			? "the server sends us elsewhere, which is not followed"
			: s->base);
	return answer;
}

enum roster_heard
roster_search_hear(struct roster_search *s, LDAP *ld, LDAPMessage *m,
    struct fault *f)
{
	switch (ldap_msgtype(m)) {
	case LDAP_RES_SEARCH_ENTRY:
		return hear_entry(s, ld, m, f);
	case LDAP_RES_SEARCH_REFERENCE:
		roster_skip(s->skips, s->base,
		    "a referral to another server is not followed");
		return s->committed ? ROSTER_HEARD_NOTHING : ROSTER_HEARD_MORE;
	case LDAP_RES_INTERMEDIATE:
		return hear_info(s, ld, m, f);
	case LDAP_RES_SEARCH_RESULT:
		return hear_result(s, ld, m, f);
	default:
		(void)fault_set(f, FAULT_INPUT, "an answer of another kind");
		return ROSTER_HEARD_FAULT;
	}
}

int
roster_search_commit(struct roster_search *s, struct fault *f)
{
	struct roster_source *source = &s->r->sources[s->source];
	bool sync = s->how != ROSTER_SEARCH_DUMP && s->cookie.len > 0;
	const struct roster_cookie *had = roster_cookie_get(source, s->server);

	if (roster_stage_commit(s->stage, f) < 0)
		return -1;
	s->committed = true;
	source->fresh = clock_wall();
	if (sync && had != NULL && had->len == s->cookie.len &&
	    memcmp(had->data, s->cookie.data, had->len) == 0)
		return 0;
	return roster_cookie_set(source, s->server,
	    sync ? s->cookie.data : NULL, s->cookie.len, f);
}
