#include "roster/roster_requests.h"

#include "base/fault.h"
#include "map/map_book.h"
#include "map/map_name.h"
#include "roster/roster_entry.h"
#include "roster/roster_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX (1u << 16)

/* One name, and what it may use: the latest first. */
struct granted {
	char *name;
	char *where;
	uint32_t *accounts;
	size_t count;
};

struct replay {
	const char *path;
	struct roster_skips *skips;
	struct roster_intern keys; /* of names; number: index of all */
	struct roster_intern accounts;
	struct granted *all;
	size_t room;
	struct buf key;
	struct fault *f;
};

static void
take_away(struct granted *g, uint32_t account)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->count; i++)
		if (g->accounts[i] != account)
			g->accounts[kept++] = g->accounts[i];
	g->count = kept;
}

static int
make_room(struct replay *r, size_t count)
{
	size_t room = r->room == 0 ? 64 : r->room * 2;
	struct granted *all;

	if (count <= r->room)
		return 0;
	if ((all = reallocarray(r->all, room, sizeof(*all))) == NULL)
		return fault_set(r->f, FAULT_MEMORY, "%zu requests", room);
	memset(all + r->room, 0, (room - r->room) * sizeof(*all));
	r->all = all;
	r->room = room;
	return 0;
}

/* What is known of ${name}; NULL and a fault if memory is out. */
static struct granted *
granted_of(struct replay *r, const char *name)
{
	uint32_t number;

	buf_clear(&r->key);
	map_name_key(name, strlen(name), &r->key);
	if (r->key.failed) {
		(void)fault_set(r->f, FAULT_MEMORY, "a name");
		return NULL;
	}
	number = roster_intern_add(&r->keys, 0, (const char *)r->key.data,
	    r->key.len, r->f);
	if (number == ROSTER_NONE || make_room(r, (size_t)number + 1) < 0)
		return NULL;
	return &r->all[number];
}

static int
set_text(struct replay *r, char **to, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return fault_set(r->f, FAULT_MEMORY, "a request");
	free(*to);
	*to = copy;
	return 0;
}

static int
grant(struct replay *r, struct granted *g, const char *name,
    const struct map_book_entry *e)
{
	char where[256];
	uint32_t *accounts,
	    account = roster_intern_add(&r->accounts, 0, e->account,
		strlen(e->account), r->f);

	if (account == ROSTER_NONE)
		return -1;
	take_away(g, account);
	accounts = reallocarray(g->accounts, g->count + 1, sizeof(*accounts));
	if (accounts == NULL)
		return fault_set(r->f, FAULT_MEMORY, "a request");
	g->accounts = accounts;
	memmove(accounts + 1, accounts, g->count * sizeof(*accounts));
	accounts[0] = account;
	g->count++;
	(void)snprintf(where, sizeof(where), "%s: %s", r->path,
	    e->entry != NULL ? e->entry : "");
	return set_text(r, &g->name, name) < 0 ||
		set_text(r, &g->where, where) < 0
	    ? -1
	    : 0;
}

/* Nobody may use it. */
static void
take_from_all(struct replay *r, const char *account)
{
	uint32_t number =
	    roster_intern_find(&r->accounts, 0, account, strlen(account));

	for (uint32_t i = 0; number != ROSTER_NONE && i < r->keys.count; i++)
		take_away(&r->all[i], number);
}

static int
take_back(struct replay *r, struct granted *g, const char *account)
{
	if (account[0] == '\0')
		g->count = 0;
	else
		take_away(g,
		    roster_intern_find(&r->accounts, 0, account,
			strlen(account)));
	(void)r;
	return 0;
}

static int
refuse(struct replay *r, const struct map_book_entry *e, const char *why)
{
	roster_skip(r->skips, e->entry != NULL ? e->entry : r->path, "%s", why);
	return 0;
}

static int
take_entry(void *arg, const struct map_book_entry *e)
{
	struct replay *r = arg;
	const char *account = e->account != NULL ? e->account : "";
	const char *given = e->name != NULL ? e->name : "";
	char name[ROSTER_NAME_SIZE];
	struct granted *g;
	struct fault why = { 0 };

	if (e->sign == '-' && given[0] == '\0') {
		take_from_all(r, account);
		return 0;
	}
	if (roster_value_name(given, strlen(given), name, &why) != 1)
		return refuse(r, e, "not the name of a certificate");
	if (e->sign == '+' &&
	    !roster_value_account(account, strlen(account), false))
		return refuse(r, e, "not an account");
	if ((g = granted_of(r, name)) == NULL)
		return -1;
	return e->sign == '+' ? grant(r, g, name, e)
	    : e->sign == '-'  ? take_back(r, g, account)
			      : 0;
}

static int
stage_one(struct replay *r, struct roster_stage *st, struct roster_draft *d,
    const struct granted *g)
{
	roster_draft_begin(d);
	roster_uuid_of(g->name, strlen(g->name), d->uuid);
	buf_text(&d->where, g->where);
	for (size_t i = 0; i < g->count; i++) {
		const char *account =
		    roster_intern_text(&r->accounts, g->accounts[i]);

		buf_put(&d->lists, account, strlen(account) + 1);
		d->accounts++;
	}
	buf_put(&d->lists, g->name, strlen(g->name) + 1);
	d->names = 1;
	return roster_stage_put(st, d, r->f);
}

static int
replay(struct replay *r, struct roster_stage *st, struct roster_draft *d)
{
	const struct map_book_filter filter = { .service =
						    ROSTER_REQUESTS_SERVICE };
	struct map_book_sum sum;

	if (map_book_check(r->path, &sum, r->f) < 0 ||
	    map_book_each(r->path, &filter, take_entry, r, r->f) < 0)
		return -1;
	for (uint32_t i = 0; i < r->keys.count; i++)
		if (r->all[i].count > 0 && stage_one(r, st, d, &r->all[i]) < 0)
			return -1;
	return 0;
}

int
roster_requests_read(const char *path, struct roster_stage *st,
    struct roster_draft *d, struct roster_skips *skips, struct fault *f)
{
	struct replay r = {
		.path = path, .skips = skips, .key = BUF(KEY_MAX), .f = f
	};
	int result;

	roster_intern_init(&r.keys);
	roster_intern_init(&r.accounts);
	result = replay(&r, st, d);
	for (size_t i = 0; i < r.room; i++) {
		free(r.all[i].name);
		free(r.all[i].where);
		free(r.all[i].accounts);
	}
	free(r.all);
	roster_intern_free(&r.keys);
	roster_intern_free(&r.accounts);
	buf_free(&r.key);
	return result;
}
