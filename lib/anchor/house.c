#include "anchor/house.h"

#include "anchor/house_part.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
see(struct house *h, struct fault *f)
{
	if (h->site.here < 0)
		return 0;
	if (house_site_list(h->site.here, &h->old, f) == 0)
		h->listed = true;
	else if (f->code == FAULT_INPUT)
		h->list_bad = true;
	else if (f->code != FAULT_ABSENT)
		return -1;
	if (house_view_read(&h->is, h->site.here, f) < 0)
		return fault_wrap(f, "%s", h->site.dir);
	return 0;
}

static int
open_house(struct house *h, const char *dir, struct fault *f)
{
	const struct house_options *o = &h->options;

	if (house_site_open(&h->site, dir, o->look, o->wait_ms, f) < 0)
		return -1;
	if (see(h, f) < 0)
		return -1;
	return o->look ? 0 : house_site_mend(&h->site, h->old.number, f);
}

struct house *
house_open(const char *dir, const struct house_options *options,
    struct fault *f)
{
	OWN_STRUCT(house) h = calloc(1, sizeof(*h));

	if (h == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "%s", dir);
		return NULL;
	}
	h->options = *options;
	h->by = options->by != NULL ? options->by : "";
	h->fresh = -1;
	h->site = (struct house_site){
		.parent = -1, .gens = -1, .here = -1, .lock = -1
	};
	h->owner =
	    (struct house_owner){ options->file_mode != 0 ? options->file_mode
							  : 0644,
		    options->owned, options->uid, options->gid };
	if (!house_by_good(h->by)) {
		(void)fault_set(f, FAULT_INPUT, "not a name for who installs");
		return NULL;
	}
	return open_house(h, dir, f) == 0 ? TAKE(h) : NULL;
}

void
house_close(struct house *h)
{
	struct fault f;

	if (h == NULL)
		return;
	if (h->fresh >= 0) {
		(void)close(h->fresh);
		/* What cannot be removed now is mended the next time. */
		if (house_remove(h->site.gens, "new", &f) < 0)
			h->fresh = -1;
	}
	house_list_clear(&h->old);
	house_list_clear(&h->want);
	house_view_clear(&h->is);
	house_site_close(&h->site);
	free(h);
}

int
house_begin(struct house *h, struct fault *f)
{
	if (h->fresh < 0)
		h->fresh = house_site_begin(&h->site, f);
	return h->fresh < 0 ? -1 : 0;
}

static int
check_name(const char *name, struct fault *f)
{
	if (house_name_good(name))
		return 0;
	return fault_set(f, FAULT_INPUT, "not a name for a file");
}

/* Whether DIR has the bytes of ${item}. */
int
house_is_here(struct house *h, const struct house_item *item, bool *has,
    struct fault *f)
{
	struct house_seen *seen = house_view_find(&h->is, item->name);

	*has = false;
	if (seen == NULL)
		return 0;
	return house_seen_has(seen, h->site.here, item, has, f);
}

bool
house_mode_differs(const struct house *h, const struct house_item *item)
{
	const struct house_seen *seen = house_view_find(&h->is, item->name);

	if (seen == NULL || item->link)
		return false;
	if ((seen->st.st_mode & 07777) != h->owner.mode)
		return true;
	return h->owner.owned &&
	    (seen->st.st_uid != h->owner.uid ||
		seen->st.st_gid != h->owner.gid);
}

/* Ours, and as we wrote it; NULL without a fault if it is not. */
static int
find_intact(struct house *h, const char *name, const struct house_item **item,
    struct fault *f)
{
	const struct house_item *was = house_list_find(&h->old, name);
	bool has = false;

	*item = NULL;
	if (was != NULL && house_is_here(h, was, &has, f) < 0)
		return -1;
	if (has)
		*item = was;
	return 0;
}

static int
stage(struct house *h, struct house_item *item, struct wire_bytes body,
    struct fault *f)
{
	item->from = HOUSE_FROM_NEW;
	if (h->options.look)
		return 0;
	if (house_begin(h, f) < 0)
		return -1;
	h->written++;
	return house_file_write(h->fresh, item->name, &h->owner, body, false,
	    f);
}

int
house_put(struct house *h, const char *name, struct wire_bytes body,
    struct fault *f)
{
	struct house_item item = {
		.mode = h->owner.mode, .size = body.len, .from = HOUSE_FROM_HERE
	};
	bool has;

	if (check_name(name, f) < 0 ||
	    text_copy(item.name, sizeof(item.name), name) < 0 ||
	    text_copy(item.by, sizeof(item.by), h->by) < 0 ||
	    house_digest(body, item.digest, f) < 0)
		return -1;
	if (house_list_find(&h->want, name) != NULL)
		return house_list_add(&h->want, &item, f);
	if (house_is_here(h, &item, &has, f) < 0)
		return -1;
	if (!has && stage(h, &item, body, f) < 0)
		return fault_wrap(f, "%s", h->site.dir);
	return house_list_add(&h->want, &item, f);
}

int
house_link(struct house *h, const char *name, const char *target,
    struct fault *f)
{
	struct house_item item = { .link = true };

	if (check_name(name, f) < 0 || check_name(target, f) < 0 ||
	    text_copy(item.by, sizeof(item.by), h->by) < 0 ||
	    text_copy(item.name, sizeof(item.name), name) < 0 ||
	    text_copy(item.target, sizeof(item.target), target) < 0)
		return -1;
	return house_list_add(&h->want, &item, f);
}

/* In ${dir}, what ${item} says. */
int
house_dir_has(int dir, const struct house_item *item, bool *has,
    struct fault *f)
{
	struct house_seen seen = { .read = false };

	*has = false;
	if (fstatat(dir, item->name, &seen.st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if ((seen.name = strdup(item->name)) == NULL)
		return fault_set(f, FAULT_MEMORY, "generation");
	if (house_seen_has(&seen, dir, item, has, f) < 0) {
		free(seen.name);
		return -1;
	}
	free(seen.name);
	return 0;
}

int
house_take_from(struct house *h, int dir, struct house_item *item,
    struct fault *f)
{
	item->from = HOUSE_FROM_NEW;
	if (h->options.look || item->link)
		return 0;
	if (house_begin(h, f) < 0)
		return -1;
	h->written++;
	return house_file_copy(dir, h->fresh, item->name, &h->owner, false, f);
}

/* What DIR has no more, an earlier generation may have. */
static int
keep_from(struct house *h, unsigned number, struct house_item *item,
    bool *found, struct fault *f)
{
	int dir = house_site_generation(&h->site, number, f);
	int answer;

	if (dir < 0)
		return -1;
	answer = house_dir_has(dir, item, found, f);
	if (answer == 0 && *found)
		answer = house_take_from(h, dir, item, f);
	(void)close(dir);
	return answer;
}

static int
keep_older(struct house *h, struct house_item *item, struct fault *f)
{
	struct house_numbers n;
	bool found = item->link;
	int answer = 0;

	if (house_site_numbers(&h->site, &n, f) < 0)
		return -1;
	for (size_t i = n.count; i-- > 0 && answer == 0 && !found;)
		answer = keep_from(h, n.number[i], item, &found, f);
	free(n.number);
	if (answer == 0 && !found)
		answer = fault_set(f, FAULT_ABSENT,
		    "%s: %s is no longer what was installed", h->site.dir,
		    item->name);
	return answer;
}

bool
house_others(const struct house *h, const struct house_item *item)
{
	return strcmp(item->by, h->by) != 0;
}

int
house_keep_others(struct house *h, struct fault *f)
{
	for (size_t i = 0; i < h->old.count; i++) {
		struct house_item item = *h->old.item[i];
		bool has;

		if (!house_others(h, &item) ||
		    house_list_find(&h->want, item.name) != NULL)
			continue;
		if (house_is_here(h, &item, &has, f) < 0)
			return -1;
		item.from = HOUSE_FROM_HERE;
		if (has && house_list_add(&h->want, &item, f) < 0)
			return -1;
	}
	return 0;
}

int
house_keep(struct house *h, const char *name, struct fault *f)
{
	const struct house_item *was = house_list_find(&h->old, name);
	struct house_item item;
	bool has;

	if (was == NULL || house_others(h, was))
		return fault_set(f, FAULT_ABSENT, "%s: %s is not ours",
		    h->site.dir, name);
	item = *was;
	item.mode = item.link ? 0 : h->owner.mode;
	item.from = HOUSE_FROM_HERE;
	if (house_list_find(&h->want, name) != NULL)
		return house_list_add(&h->want, &item, f);
	if (house_is_here(h, &item, &has, f) < 0)
		return -1;
	if (!has && keep_older(h, &item, f) < 0)
		return -1;
	return house_list_add(&h->want, &item, f);
}

void
house_adopt(struct house *h, const char *name, const char *by)
{
	struct house_item *item = house_list_find(&h->old, name);

	if (item != NULL && strcmp(item->by, by) == 0)
		(void)snprintf(item->by, sizeof(item->by), "%s", h->by);
}

int
house_read(struct house *h, const char *name, struct buf *b, struct fault *f)
{
	const struct house_item *item;
	int answer, fd;

	if (find_intact(h, name, &item, f) < 0)
		return -1;
	if (item == NULL || item->link)
		return fault_set(f, FAULT_ABSENT,
		    "%s: %s is not what we installed", h->site.dir, name);
	fd = openat(h->site.here, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", name,
		    strerror(errno));
	answer = file_read_fd(fd, name, b, f);
	(void)close(fd);
	return answer;
}
