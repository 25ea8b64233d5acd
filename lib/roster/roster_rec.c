#include "base/fault.h"
#include "roster/roster_part.h"

#include <stdlib.h>
#include <string.h>

void
roster_draft_begin(struct roster_draft *d)
{
	d->dn = ROSTER_NONE;
	d->accounts = d->names = 0;
	d->count = 0;
	buf_clear(&d->principal);
	buf_clear(&d->where);
	buf_clear(&d->lists);
	memset(d->uuid, 0, sizeof(d->uuid));
}

void
roster_draft_free(struct roster_draft *d)
{
	buf_free(&d->principal);
	buf_free(&d->where);
	buf_free(&d->lists);
	free(d->numbers);
	d->numbers = NULL;
}

int
roster_draft_number(struct roster_draft *d, uint32_t number, struct fault *f)
{
	if (d->count >= d->room) {
		size_t room = d->room == 0 ? 64 : d->room * 2;
		uint32_t *numbers =
		    reallocarray(d->numbers, room, sizeof(*numbers));

		if (numbers == NULL)
			return fault_set(f, FAULT_MEMORY, "%zu groups", room);
		d->numbers = numbers;
		d->room = room;
	}
	d->numbers[d->count++] = number;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
sort(uint32_t *numbers, size_t count)
{
	if (count > 24) {
		qsort(numbers, count, sizeof(*numbers), compare);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		uint32_t moved = numbers[i];
		size_t to = i;

		for (; to > 0 && numbers[to - 1] > moved; to--)
			numbers[to] = numbers[to - 1];
		numbers[to] = moved;
	}
}

void
roster_draft_order(struct roster_draft *d)
{
	size_t kept = 0;

	sort(d->numbers, d->count);
	for (size_t i = 0; i < d->count; i++)
		if (kept == 0 || d->numbers[kept - 1] != d->numbers[i])
			d->numbers[kept++] = d->numbers[i];
	d->count = kept;
}

size_t
roster_rec_size(const struct roster_rec *rec)
{
	return sizeof(*rec) +
	    ((size_t)rec->groups + rec->direct) * sizeof(uint32_t) + rec->bytes;
}

const char *
roster_rec_texts(const struct roster_rec *rec)
{
	return (const char *)(rec->numbers + rec->groups + rec->direct);
}

static char *
texts_of(struct roster_rec *rec)
{
	return (char *)(rec->numbers + rec->groups + rec->direct);
}

static char *
put_text(char *at, const struct buf *b)
{
	if (b->len > 0)
		memcpy(at, b->data, b->len);
	at[b->len] = '\0';
	return at + b->len + 1;
}

struct roster_rec *
roster_rec_make(const struct roster_draft *d, bool nested, struct fault *f)
{
	struct roster_rec head = { .dn = d->dn,
		.source = d->source,
		.accounts = d->accounts,
		.names = d->names,
		.groups = nested ? 0 : (uint32_t)d->count,
		.direct = nested ? (uint32_t)d->count : 0,
		.bytes = (uint32_t)(d->principal.len + 1 + d->where.len + 1 +
		    d->lists.len) };
	struct roster_rec *rec = NULL;
	char *at;

	if (!d->principal.failed && !d->where.failed && !d->lists.failed)
		rec = malloc(roster_rec_size(&head));
	if (rec == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a person");
		return NULL;
	}
	*rec = head;
	memcpy(rec->uuid, d->uuid, ROSTER_UUID);
	if (d->count > 0)
		memcpy(rec->numbers, d->numbers, d->count * sizeof(uint32_t));
	at = put_text(texts_of(rec), &d->principal);
	at = put_text(at, &d->where);
	if (d->lists.len > 0)
		memcpy(at, d->lists.data, d->lists.len);
	return rec;
}

struct roster_rec *
roster_rec_regroup(const struct roster_rec *rec, const uint32_t *groups,
    uint32_t count, struct fault *f)
{
	size_t size = roster_rec_size(rec) - rec->groups * sizeof(uint32_t) +
	    count * sizeof(uint32_t);
	struct roster_rec *made = malloc(size);

	if (made == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a person");
		return NULL;
	}
	*made = *rec;
	made->groups = count;
	if (count > 0)
		memcpy(made->numbers, groups, count * sizeof(uint32_t));
	memcpy(made->numbers + count, rec->numbers + rec->groups,
	    rec->direct * sizeof(uint32_t));
	memcpy(texts_of(made), roster_rec_texts(rec), rec->bytes);
	return made;
}

bool
roster_rec_same(const struct roster_rec *a, const struct roster_rec *b,
    bool nested)
{
	return a->dn == b->dn && a->accounts == b->accounts &&
	    a->names == b->names && a->direct == b->direct &&
	    a->bytes == b->bytes &&
	    memcmp(roster_rec_texts(a), roster_rec_texts(b), a->bytes) == 0 &&
	    memcmp(a->numbers + a->groups, b->numbers + b->groups,
		a->direct * sizeof(uint32_t)) == 0 &&
	    (nested ||
		(a->groups == b->groups &&
		    memcmp(a->numbers, b->numbers,
			a->groups * sizeof(uint32_t)) == 0));
}

bool
roster_rec_check(const struct roster_rec *rec, size_t size)
{
	size_t texts = 2 + (size_t)rec->accounts + rec->names;
	const char *at, *end;

	if (rec->groups > size / 4 || rec->direct > size / 4 ||
	    roster_rec_size(rec) != size || rec->bytes == 0)
		return false;
	at = roster_rec_texts(rec);
	end = at + rec->bytes;
	if (end[-1] != '\0')
		return false;
	for (; at < end; at += strlen(at) + 1)
		if (texts-- == 0)
			return false;
	return texts == 0;
}

void
roster_rec_show(const struct roster_rec *rec, uint32_t id,
    struct roster_person *out)
{
	const char *texts = roster_rec_texts(rec);

	*out = (struct roster_person){ .id = id,
		.source = rec->source,
		.uuid = rec->uuid,
		.principal = texts,
		.account_count = rec->accounts,
		.name_count = rec->names,
		.groups = rec->numbers,
		.group_count = rec->groups };
	texts += strlen(texts) + 1;
	out->where = texts;
	out->texts = texts + strlen(texts) + 1;
	out->account = rec->accounts > 0 ? out->texts : "";
}
