#include "roster/roster_stage.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

struct roster_stage {
	struct roster *r;
	uint32_t source;
	bool refresh;
	struct roster_table put;
	/* By id in the roster. */
	uint8_t *marks;
	uint32_t marks_size;
	uint32_t *gone; /* ids, which may come twice or have come back */
	size_t gone_count;
	size_t gone_room;
	size_t mentioned;
};

enum {
	MARK_PRESENT = 1,
	MARK_GONE = 2
};

struct roster_stage *
roster_stage_new(struct roster *r, uint32_t source, bool refresh,
    struct fault *f)
{
	struct roster_stage *st = calloc(1, sizeof(*st));

	if (st == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a stage");
		return NULL;
	}
	st->r = r;
	st->source = source;
	st->refresh = refresh;
	roster_table_init(&st->put);
	return st;
}

static void
forget(struct roster_stage *st)
{
	roster_table_free(&st->put);
	free(st->marks);
	free(st->gone);
	st->marks = NULL;
	st->gone = NULL;
	st->marks_size = 0;
	st->gone_count = st->gone_room = 0;
	st->mentioned = 0;
	st->refresh = false;
}

void
roster_stage_free(struct roster_stage *st)
{
	if (st == NULL)
		return;
	forget(st);
	free(st);
}

/* There are marks for everyone who is in the roster now. */
static int
need_marks(struct roster_stage *st, struct fault *f)
{
	uint32_t used = st->r->table.used;
	uint8_t *marks;

	if (used <= st->marks_size)
		return 0;
	if ((marks = realloc(st->marks, used)) == NULL)
		return fault_set(f, FAULT_MEMORY, "marks of %u people", used);
	memset(marks + st->marks_size, 0, used - st->marks_size);
	st->marks = marks;
	st->marks_size = used;
	return 0;
}

/* For single changes there is no need to mark anyone. */
static void
mark(struct roster_stage *st, uint32_t id, uint8_t as)
{
	if (id < st->marks_size)
		st->marks[id] = as;
}

static int
note_gone(struct roster_stage *st, uint32_t id, struct fault *f)
{
	if (need_marks(st, f) < 0)
		return -1;
	if (st->gone_count >= st->gone_room) {
		size_t room = st->gone_room == 0 ? 16 : st->gone_room * 2;
		uint32_t *gone = reallocarray(st->gone, room, sizeof(*gone));

		if (gone == NULL)
			return fault_set(f, FAULT_MEMORY, "%zu people", room);
		st->gone = gone;
		st->gone_room = room;
	}
	st->marks[id] = MARK_GONE;
	st->gone[st->gone_count++] = id;
	return 0;
}

/* What was staged of it before is void. */
static void
unstage(struct roster_stage *st, const uint8_t *uuid)
{
	uint32_t slot = roster_table_find(&st->put, st->source, uuid);

	if (slot != ROSTER_NONE)
		free(roster_table_take(&st->put, slot));
}

int
roster_stage_put(struct roster_stage *st, const struct roster_draft *d,
    struct fault *f)
{
	const struct roster_source *s = &st->r->sources[st->source];
	bool nested = s->nested || s->shadow;
	struct roster_rec *rec = roster_rec_make(d, nested, f), *old;
	uint32_t id = roster_table_find(&st->r->table, st->source, d->uuid);
	uint32_t slot;

	if (rec == NULL)
		return -1;
	st->mentioned++;
	if (id != ROSTER_NONE) {
		if (st->refresh && need_marks(st, f) < 0) {
			free(rec);
			return -1;
		}
		mark(st, id, MARK_PRESENT);
		if (roster_rec_same(rec, st->r->table.slots[id], nested)) {
			unstage(st, d->uuid);
			free(rec);
			return 0;
		}
	}
	if (roster_table_put(&st->put, rec, &slot, &old, f) < 0) {
		free(rec);
		return -1;
	}
	free(old);
	return 0;
}

void
roster_stage_present(struct roster_stage *st, const uint8_t uuid[ROSTER_UUID])
{
	uint32_t id = roster_table_find(&st->r->table, st->source, uuid);
	struct fault f;

	st->mentioned++;
	/* Without memory for marks the end of the phase fails. */
	if (id != ROSTER_NONE && need_marks(st, &f) == 0 &&
	    st->marks[id] != MARK_GONE)
		st->marks[id] = MARK_PRESENT;
}

int
roster_stage_delete(struct roster_stage *st, const uint8_t uuid[ROSTER_UUID],
    struct fault *f)
{
	uint32_t id = roster_table_find(&st->r->table, st->source, uuid);

	unstage(st, uuid);
	return id == ROSTER_NONE ? 0 : note_gone(st, id, f);
}

int
roster_stage_only(struct roster_stage *st, struct fault *f)
{
	const struct roster_table *t = &st->r->table;

	if (need_marks(st, f) < 0)
		return -1;
	for (uint32_t i = 0; i < t->used; i++)
		if (t->slots[i] != NULL && t->slots[i]->source == st->source &&
		    st->marks[i] == 0 && note_gone(st, i, f) < 0)
			return -1;
	return 0;
}

size_t
roster_stage_mentioned(const struct roster_stage *st)
{
	return st->mentioned;
}

size_t
roster_stage_changes(const struct roster_stage *st)
{
	return st->put.count + st->gone_count;
}

static void
drop_gone(struct roster_stage *st)
{
	for (size_t i = 0; i < st->gone_count; i++) {
		uint32_t id = st->gone[i];

		/* It may have come back, or be named twice. */
		if (st->marks[id] != MARK_GONE ||
		    st->r->table.slots[id] == NULL)
			continue;
		st->marks[id] = 0;
		roster_rec_drop(st->r, id);
	}
}

/* Whether the stage's table can be the roster's as it is: the first source of
 * all, and nobody to be told. */
static bool
may_swap(const struct roster_stage *st)
{
	return st->r->table.used == 0 && st->r->watch == NULL &&
	    !st->r->sources[st->source].nested;
}

static void
swap(struct roster_stage *st)
{
	struct roster_table empty = st->r->table;

	st->r->table = st->put;
	st->r->sources[st->source].count = st->put.count;
	st->put = empty;
}

static int
put_all(struct roster_stage *st, struct fault *f)
{
	const struct roster_source *s = &st->r->sources[st->source];

	if (may_swap(st)) {
		swap(st);
		return 0;
	}
	if (roster_table_reserve(&st->r->table,
		st->r->table.count + st->put.count, f) < 0)
		return -1;
	/* The table hands its records on, and is not searched any more. */
	for (uint32_t i = 0; i < st->put.used; i++) {
		struct roster_rec *rec = TAKE(st->put.slots[i]);

		if (rec == NULL)
			continue;
		if (s->nested && roster_nest_one(st->r, &rec, f) < 0) {
			free(rec);
			return -1;
		}
		if (roster_rec_put(st->r, rec, f) < 0)
			return -1;
	}
	return 0;
}

int
roster_stage_commit(struct roster_stage *st, struct fault *f)
{
	bool shadow = st->r->sources[st->source].shadow;
	bool changed = roster_stage_changes(st) > 0;
	int result;

	drop_gone(st);
	result = put_all(st, f);
	forget(st);
	roster_table_init(&st->put);
	if (result < 0 || !shadow || !changed)
		return result;
	return roster_nest_all(st->r, st->source - 1, f);
}
