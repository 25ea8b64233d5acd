/* What differs between what is and what shall be. */
#include "anchor/house_part.h"
#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

/* Notes, before they are put in order. */
struct notes {
	size_t count;
	struct house_note *note;
};

static int
note_add(struct notes *n, enum house_what what, const char *name,
    struct fault *f)
{
	struct house_note *more;

	if ((n->count & (n->count - 1)) == 0) {
		more = reallocarray(n->note, n->count > 0 ? 2 * n->count : 1,
		    sizeof(*more));
		if (more == NULL)
			return fault_set(f, FAULT_MEMORY, "notes");
		n->note = more;
	}
	n->note[n->count++] = (struct house_note){ what, name };
	return 0;
}

static int
note_wanted(struct house *h, const struct house_item *item, struct notes *n,
    struct fault *f)
{
	const struct house_item *was = house_list_find(&h->old, item->name);
	bool seen = house_view_find(&h->is, item->name) != NULL;
	bool has, had = false;

	if (house_is_here(h, item, &has, f) < 0 ||
	    (was != NULL && house_is_here(h, was, &had, f) < 0))
		return -1;
	if (!seen)
		return note_add(n, was != NULL ? HOUSE_REPAIRED : HOUSE_NEW,
		    item->name, f);
	if (!has && was == NULL)
		return note_add(n, HOUSE_TAKEN, item->name, f);
	if (!has)
		return note_add(n, had ? HOUSE_CHANGED : HOUSE_REPAIRED,
		    item->name, f);
	if (was == NULL || !had)
		return note_add(n, HOUSE_ADOPTED, item->name, f);
	if (house_others(h, item))
		return 0;
	if (house_mode_differs(h, item) || !house_item_same(item, was))
		return note_add(n, HOUSE_MODE, item->name, f);
	return 0;
}

/* Neither ours nor to be. */
bool
house_foreign(const struct house *h, const char *name)
{
	const struct house_item *was = house_list_find(&h->old, name);

	return strcmp(name, HOUSE_LIST) != 0 &&
	    (was == NULL || house_others(h, was)) &&
	    house_list_find(&h->want, name) == NULL;
}

static int
note_all(struct house *h, struct notes *n, struct fault *f)
{
	if (house_keep_others(h, f) < 0)
		return -1;
	if (h->list_bad && note_add(n, HOUSE_LIST_BAD, HOUSE_LIST, f) < 0)
		return -1;
	for (size_t i = 0; i < h->want.count; i++)
		if (note_wanted(h, h->want.item[i], n, f) < 0)
			return -1;
	for (size_t i = 0; i < h->old.count; i++)
		if (house_list_find(&h->want, h->old.item[i]->name) == NULL &&
		    !house_others(h, h->old.item[i]) &&
		    note_add(n, HOUSE_GONE, h->old.item[i]->name, f) < 0)
			return -1;
	for (size_t i = 0; i < h->is.count; i++)
		if (house_foreign(h, h->is.seen[i].name) &&
		    note_add(n, HOUSE_FOREIGN, h->is.seen[i].name, f) < 0)
			return -1;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct house_note *one = a;
	const struct house_note *two = b;

	return strcmp(one->name, two->name);
}

static const char *const words[] = {
	[HOUSE_NEW] = "added",
	[HOUSE_CHANGED] = "changed",
	[HOUSE_GONE] = "removed",
	[HOUSE_REPAIRED] = "repaired",
	[HOUSE_MODE] = "mode-repaired",
	[HOUSE_ADOPTED] = "adopted",
	[HOUSE_TAKEN] = "replaced",
	[HOUSE_FOREIGN] = "foreign",
	[HOUSE_LIST_BAD] = "list-damaged",
};

const char *
house_what_word(enum house_what what)
{
	return words[what];
}

int
house_compare(struct house *h, house_note_fn *note, void *arg, struct fault *f)
{
	struct notes n = { 0, NULL };
	int answer = note_all(h, &n, f);

	if (answer == 0 && n.count > 0)
		qsort(n.note, n.count, sizeof(*n.note), by_name);
	for (size_t i = 0; i < n.count && answer == 0; i++)
		note(arg, &n.note[i]);
	free(n.note);
	return answer;
}

int
house_changes(struct house *h, bool *any, struct fault *f)
{
	struct notes n = { 0, NULL };
	int answer = note_all(h, &n, f);

	*any = !h->listed;
	for (size_t i = 0; i < n.count; i++)
		if (n.note[i].what != HOUSE_FOREIGN)
			*any = true;
	free(n.note);
	return answer;
}
