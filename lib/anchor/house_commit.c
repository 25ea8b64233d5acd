/* From what is to what shall be: in one step, and back. */
#include "anchor/house_part.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP 3

static int
furnish(struct house *h, struct house_item *item, struct fault *f)
{
	if (item->link)
		return symlinkat(item->target, h->fresh, item->name) < 0
		    ? fault_set(f, FAULT_SYSTEM, "%s: %s", item->name,
			  strerror(errno))
		    : 0;
	if (item->from == HOUSE_FROM_NEW)
		return 0;
	if (!house_others(h, item) && house_mode_differs(h, item)) {
		item->from = HOUSE_FROM_NEW;
		h->written++;
		return house_file_copy(h->site.here, h->fresh, item->name,
		    &h->owner, false, f);
	}
	return house_place(h->site.here, h->fresh, item->name, f);
}

/* Whatever is somebody else's comes along. */
static int
carry(struct house *h, const struct house_view *view, struct fault *f)
{
	for (size_t i = 0; i < view->count; i++)
		if (house_foreign(h, view->seen[i].name) &&
		    house_place(h->site.here, h->fresh, view->seen[i].name, f) <
			0)
			return -1;
	return 0;
}

static int
write_list(struct house *h, unsigned number, struct fault *f)
{
	struct house_owner owner = h->owner;
	OWN_BUF(text, HOUSE_LIST_BYTES);
	struct wire_bytes bytes;

	owner.mode = 0644;
	h->want.number = number;
	h->want.made = h->options.now != 0 ? h->options.now : clock_wall();
	if (house_list_write(&h->want, &text, f) < 0)
		return -1;
	bytes = (struct wire_bytes){ text.data, text.len };
	return house_file_write(h->fresh, HOUSE_LIST, &owner, bytes, false, f);
}

/* The new directory belongs to whom it shall, or to whom the old one does. */
static int
dress(const struct house *h, struct fault *f)
{
	struct stat st = {
		.st_mode = 0755, .st_uid = geteuid(), .st_gid = getegid()
	};
	bool told = h->options.owned;

	if (h->site.here >= 0 && fstat(h->site.here, &st) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", h->site.dir,
		    strerror(errno));
	if (h->options.dir_mode != 0)
		st.st_mode = h->options.dir_mode;
	if (fchown(h->fresh, told ? h->options.uid : st.st_uid,
		told ? h->options.gid : st.st_gid) < 0 &&
	    (told || errno != EPERM))
		return fault_set(f, FAULT_SYSTEM, "chown: %s", strerror(errno));
	if (fchmod(h->fresh, st.st_mode & 07777) < 0)
		return fault_set(f, FAULT_SYSTEM, "chmod: %s", strerror(errno));
	return 0;
}

/* Each file by itself, or all there is at once if they are many. */
static int
sync_files(struct house *h, struct fault *f)
{
	if (h->written > HOUSE_SYNC_EACH)
		return house_sync(h->fresh, true, f);
	for (size_t i = 0; i < h->want.count; i++)
		if (!h->want.item[i]->link &&
		    h->want.item[i]->from == HOUSE_FROM_NEW &&
		    house_file_sync(h->fresh, h->want.item[i]->name, f) < 0)
			return -1;
	if (house_file_sync(h->fresh, HOUSE_LIST, f) < 0)
		return -1;
	return house_sync(h->fresh, false, f);
}

static int
build(struct house *h, unsigned number, struct fault *f)
{
	if (house_begin(h, f) < 0)
		return -1;
	for (size_t i = 0; i < h->want.count; i++)
		if (furnish(h, h->want.item[i], f) < 0)
			return -1;
	if (carry(h, &h->is, f) < 0 || write_list(h, number, f) < 0 ||
	    dress(h, f) < 0)
		return -1;
	return sync_files(h, f);
}

/*
 * What others put there, or altered, while we were at it, is in the old
 * directory alone: it comes after.
 */
static int
carry_late(struct house *h, struct fault *f)
{
	struct house_view late;
	int answer = 0;

	if (h->site.here < 0 || house_view_read(&late, h->site.here, f) < 0)
		return h->site.here < 0 ? 0 : -1;
	for (size_t i = 0; i < late.count && answer == 0; i++) {
		const struct house_seen *now = &late.seen[i];
		const struct house_seen *then =
		    house_view_find(&h->is, now->name);

		if (!house_foreign(h, now->name) ||
		    (then != NULL && then->st.st_ino == now->st.st_ino))
			continue;
		answer = house_remove(h->fresh, now->name, f);
		if (answer == 0)
			answer =
			    house_place(h->site.here, h->fresh, now->name, f);
	}
	house_view_clear(&late);
	return answer;
}

/* Numbers rise for ever.  A directory without a list gets the one between. */
static int
next_step(const struct house *h, struct house_step *step, struct fault *f)
{
	struct house_numbers n;
	unsigned most = h->old.number;
	bool any = most > 0;

	if (house_site_numbers(&h->site, &n, f) < 0)
		return -1;
	for (size_t i = 0; i < n.count; i++) {
		any = true;
		if (n.number[i] > most)
			most = n.number[i];
	}
	free(n.number);
	step->last = h->old.number;
	step->next = most + 1;
	if (!h->listed && h->site.here >= 0 && any)
		step->next = most + 2;
	if (!h->listed)
		step->last = step->next - 1;
	return 0;
}

int
house_commit(struct house *h, bool *changed, struct fault *f)
{
	struct house_step step = { .as_link = h->options.as_link,
		.keep = h->options.keep > 0 ? h->options.keep : KEEP };

	if (house_changes(h, changed, f) < 0)
		return fault_wrap(f, "%s", h->site.dir);
	if (!*changed)
		return 0;
	assert(!h->options.look);
	if (next_step(h, &step, f) < 0 || build(h, step.next, f) < 0)
		return fault_wrap(f, "%s: as it was, since", h->site.dir);
	if (house_site_switch(&h->site, &step, f) < 0)
		return -1;
	if (carry_late(h, f) < 0)
		return fault_wrap(f, "%s: changed, but", h->site.dir);
	return house_site_settle(&h->site, &step, f);
}

/* What we go back to must be what it was. */
static int
back_item(struct house *h, int dir, const struct house_item *then,
    struct fault *f)
{
	struct house_item item = *then;
	bool here, there = item.link;

	item.mode = item.link ? 0 : h->owner.mode;
	item.from = HOUSE_FROM_HERE;
	if (house_is_here(h, &item, &here, f) < 0 ||
	    (!there && house_dir_has(dir, &item, &there, f) < 0))
		return -1;
	if (!here && !there)
		return fault_set(f, FAULT_DENIED,
		    "%s in it is no longer what it was", item.name);
	if (!here && house_take_from(h, dir, &item, f) < 0)
		return -1;
	return house_list_add(&h->want, &item, f);
}

/* Of what was somebody else's then, what we have replaced since. */
static int
back_foreign(struct house *h, int dir, const struct house_list *list,
    struct fault *f)
{
	struct house_view view;
	int answer = 0;

	if (house_view_read(&view, dir, f) < 0)
		return -1;
	for (size_t i = 0; i < view.count && answer == 0; i++) {
		const char *name = view.seen[i].name;
		bool now = house_view_find(&h->is, name) != NULL &&
		    house_list_find(&h->old, name) == NULL;

		if (strcmp(name, HOUSE_LIST) == 0 || now ||
		    house_list_find(list, name) != NULL ||
		    (list->number != 0 &&
			house_list_find(&h->old, name) == NULL))
			continue;
		answer = house_begin(h, f);
		if (answer == 0)
			answer = house_place(dir, h->fresh, name, f);
	}
	house_view_clear(&view);
	return answer;
}

static int
back_to(struct house *h, int dir, struct fault *f)
{
	struct house_list list;
	int answer = 0;

	if (house_site_list(dir, &list, f) < 0 && f->code != FAULT_ABSENT)
		return -1;
	for (size_t i = 0; i < list.count && answer == 0; i++)
		answer = back_item(h, dir, list.item[i], f);
	if (answer == 0 && !h->options.look)
		answer = back_foreign(h, dir, &list, f);
	house_list_clear(&list);
	return answer;
}

/* The one before this; nothing to go back to is FAULT_ABSENT. */
static int
last_number(const struct house *h, unsigned *number, struct fault *f)
{
	struct house_numbers n;
	bool found = false;

	if (house_site_numbers(&h->site, &n, f) < 0)
		return -1;
	for (size_t i = 0; i < n.count; i++)
		if (!h->listed || n.number[i] < h->old.number) {
			*number = n.number[i];
			found = true;
		}
	free(n.number);
	if (!found)
		return fault_set(f, FAULT_ABSENT,
		    "%s: there is no earlier generation", h->site.dir);
	return 0;
}

int
house_rollback(struct house *h, int number, struct fault *f)
{
	unsigned which = number < 0 ? 0 : (unsigned)number;
	int answer, dir;

	if (number < 0 && last_number(h, &which, f) < 0)
		return -1;
	if ((dir = house_site_generation(&h->site, which, f)) < 0)
		return -1;
	answer = back_to(h, dir, f);
	(void)close(dir);
	return answer < 0
	    ? fault_wrap(f, "%s: generation %u", h->site.dir, which)
	    : 0;
}

static int
tell(const struct house *h, unsigned number, house_generation_fn *each,
    void *arg, struct fault *f)
{
	struct house_generation g = { .number = number };
	int dir = house_site_generation(&h->site, number, f);
	struct house_list list;

	if (dir < 0)
		return -1;
	g.ours = house_site_list(dir, &list, f) == 0;
	g.made = list.made;
	g.files = list.count;
	house_list_clear(&list);
	(void)close(dir);
	each(arg, &g);
	return 0;
}

int
house_generations(struct house *h, house_generation_fn *each, void *arg,
    struct fault *f)
{
	struct house_generation current = { h->old.number, h->listed, true,
		h->old.made, h->old.count };
	struct house_numbers n;
	int answer = 0;

	if (house_site_numbers(&h->site, &n, f) < 0)
		return -1;
	if (h->site.here >= 0)
		each(arg, &current);
	for (size_t i = n.count; i-- > 0 && answer == 0;)
		if (!h->listed || n.number[i] != h->old.number)
			answer = tell(h, n.number[i], each, arg, f);
	free(n.number);
	return answer;
}
