#ifndef ANCHOR_HOUSE_PART_H
#define ANCHOR_HOUSE_PART_H

#include "anchor/house.h"
#include "anchor/house_list.h"
#include "anchor/house_site.h"
#include "anchor/house_tree.h"

/* What the parts of a house share: of the room's house*.c alone. */

/* Where the bytes of a wanted item are. */
enum house_from {
	HOUSE_FROM_HERE, /* in DIR */
	HOUSE_FROM_NEW,	 /* in the generation under way */
};

struct house {
	struct house_options options;
	const char *by; /* of options, "" for NULL */
	struct house_owner owner;
	struct house_site site;
	struct house_list old;
	bool listed;   /* there is a list, and it is good */
	bool list_bad; /* there is one, and it is not */
	struct house_view is;
	struct house_list want;
	int fresh;	/* the generation under way; -1: none yet */
	size_t written; /* files in it that are not on the disk yet */
};

/* More files than that are synced together. */
#define HOUSE_SYNC_EACH 16

/* Begin the generation under way, if it is not. */
CHECKED int house_begin(struct house *h, struct fault *f);

/* Whether DIR has the bytes of ${item}, and whether somebody altered its mode
 * or owner there. */
CHECKED int house_is_here(struct house *h, const struct house_item *item,
    bool *has, struct fault *f);
bool house_mode_differs(const struct house *h, const struct house_item *item);

/* Whether directory ${dir} has the bytes of ${item}. */
CHECKED int house_dir_has(int dir, const struct house_item *item, bool *has,
    struct fault *f);

/* The bytes of ${item} are those in ${dir}. */
CHECKED int house_take_from(struct house *h, int dir, struct house_item *item,
    struct fault *f);

/* Whether somebody else who keeps DIR too installed it. */
bool house_others(const struct house *h, const struct house_item *item);

/* What others installed, and nobody altered, is wanted too. */
CHECKED int house_keep_others(struct house *h, struct fault *f);

/* Neither ours nor to be. */
bool house_foreign(const struct house *h, const char *name);

/* Whether DIR is to change at all. */
CHECKED int house_changes(struct house *h, bool *any, struct fault *f);

#endif
