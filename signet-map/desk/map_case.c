#include "map_case.h"

#include "base/fault.h"
#include "base/text.h"
#include "map/map_name.h"

#include <stdlib.h>
#include <string.h>

const char *
map_case_word(enum map_case_state state)
{
	static const char *const words[] = {
		[MAP_CASE_WAITING] = "waiting",
		[MAP_CASE_ADDED] = "added",
		[MAP_CASE_REFUSED] = "refused",
		[MAP_CASE_REMOVED] = "removed",
	};

	return words[state];
}

static void
clear(struct map_case *c)
{
	free(c->account);
	free(c->name);
	free(c->by);
	free(c->reason);
	free(c->decided_by);
	free(c->decided_reason);
}

void
map_cases_free(struct map_cases *cases)
{
	for (size_t i = 0; i < cases->count; i++)
		clear(&cases->at[i]);
	free(cases->at);
	*cases = (struct map_cases){ 0 };
}

struct map_case *
map_cases_find(const struct map_cases *cases, const char *id)
{
	for (size_t i = cases->count; i-- > 0;)
		if (strcmp(cases->at[i].id, id) == 0)
			return &cases->at[i];
	return NULL;
}

struct map_case *
map_cases_of(const struct map_cases *cases, enum map_case_state state,
    const char *name, const char *account)
{
	for (size_t i = cases->count; i-- > 0;) {
		struct map_case *c = &cases->at[i];

		if (c->state == state && strcmp(c->account, account) == 0 &&
		    map_name_equal(c->name, name))
			return c;
	}
	return NULL;
}

static int
grow(struct map_cases *cases, struct fault *f)
{
	size_t room = cases->room == 0 ? 16 : 2 * cases->room;
	struct map_case *at;

	if (cases->count < cases->room)
		return 0;
	if ((at = realloc(cases->at, room * sizeof(*at))) == NULL)
		return fault_set(f, FAULT_MEMORY, "requests");
	cases->at = at;
	cases->room = room;
	return 0;
}

static int
begin(struct map_cases *cases, const struct map_request *r,
    enum map_case_state state, struct fault *f)
{
	struct map_case c = { .state = state,
		.asked = r->when,
		.changed = r->when,
		.account = strdup(r->account),
		.name = strdup(r->name),
		.by = strdup(r->by),
		.reason = strdup(r->reason) };

	if (c.account == NULL || c.name == NULL || c.by == NULL ||
	    c.reason == NULL || grow(cases, f) < 0 ||
	    text_copy(c.id, sizeof(c.id), r->id) < 0) {
		clear(&c);
		return fault_set(f, FAULT_MEMORY, "requests");
	}
	cases->at[cases->count++] = c;
	return 0;
}

static int
end(struct map_case *c, const struct map_request *r, enum map_case_state state,
    struct fault *f)
{
	char *by = strdup(r->by), *reason = strdup(r->reason);

	if (by == NULL || reason == NULL) {
		free(by);
		free(reason);
		return fault_set(f, FAULT_MEMORY, "requests");
	}
	free(c->decided_by);
	free(c->decided_reason);
	c->decided_by = by;
	c->decided_reason = reason;
	c->changed = r->when;
	c->state = state;
	return 0;
}

static int
decide(struct map_cases *cases, const struct map_request *r, struct fault *f)
{
	struct map_case *c = map_cases_find(cases, r->id);

	if (c == NULL || c->state != MAP_CASE_WAITING ||
	    strcmp(c->name, r->name) != 0 ||
	    strcmp(c->account, r->account) != 0)
		return fault_set(f, FAULT_INPUT,
		    "%s of %s, which was not asked so",
		    map_request_word(r->verb), r->id);
	return end(c, r,
	    r->verb == MAP_REQUEST_APPROVE ? MAP_CASE_ADDED : MAP_CASE_REFUSED,
	    f);
}

/* All that are under way or in force and that ${r} takes off. */
static int
take_off(struct map_cases *cases, const struct map_request *r, struct fault *f)
{
	for (size_t i = 0; i < cases->count; i++) {
		struct map_case *c = &cases->at[i];

		if (c->state != MAP_CASE_WAITING && c->state != MAP_CASE_ADDED)
			continue;
		if (*r->account != '\0' && strcmp(c->account, r->account) != 0)
			continue;
		if (*r->name != '\0' && !map_name_equal(c->name, r->name))
			continue;
		if (end(c, r, MAP_CASE_REMOVED, f) < 0)
			return -1;
	}
	return 0;
}

int
map_cases_do(struct map_cases *cases, const struct map_request *r,
    struct fault *f)
{
	switch (r->verb) {
	case MAP_REQUEST_ASK:
		return begin(cases, r, MAP_CASE_WAITING, f);
	case MAP_REQUEST_ADD:
		return begin(cases, r, MAP_CASE_ADDED, f);
	case MAP_REQUEST_APPROVE:
	case MAP_REQUEST_REFUSE:
		return decide(cases, r, f);
	case MAP_REQUEST_REMOVE:
	case MAP_REQUEST_REMOVE_NAME:
	case MAP_REQUEST_REMOVE_ACCOUNT:
		return take_off(cases, r, f);
	case MAP_REQUEST_VERBS:
		break;
	}
	return fault_set(f, FAULT_INTERNAL, "a request of no kind");
}
