#ifndef ANCHOR_HOUSE_LIST_H
#define ANCHOR_HOUSE_LIST_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * The list of what is ours in a directory: a text of one form, closed by its
 * digest, so that one that was cut or altered is not believed.
 */
struct fault;

#define HOUSE_DIGEST 32
#define HOUSE_NAME_SIZE 201
#define HOUSE_BY_SIZE 81
#define HOUSE_LIST_BYTES (8u << 20)
#define HOUSE_ITEMS_MAX 20000

struct house_item {
	char name[HOUSE_NAME_SIZE];
	bool link;
	unsigned mode;		      /* of a file */
	uint64_t size;		      /* likewise */
	uint8_t digest[HOUSE_DIGEST]; /* likewise, SHA-256 */
	char target[HOUSE_NAME_SIZE]; /* of a link */
	char by[HOUSE_BY_SIZE];	      /* who installed it; "": signet-trust */
	/* Where its bytes are while a house is being furnished. */
	int from;
};

struct house_list {
	unsigned number; /* generation; 0: not ours */
	time_t made;
	size_t count;
	struct house_item **item; /* by name; owned */
};

bool house_name_good(const char *name);
/* "" is good. */
bool house_by_good(const char *by);

/* Add a copy of ${item}; FAULT_DENIED if the list has another of that name. */
CHECKED int house_list_add(struct house_list *list,
    const struct house_item *item, struct fault *f);
struct house_item *house_list_find(const struct house_list *list,
    const char *name);
/* Whether two of the same name are the same, whoever installed them. */
bool house_item_same(const struct house_item *a, const struct house_item *b);
void house_list_clear(struct house_list *list);

/* Read the ${len} bytes at ${text}; house_list_clear() what comes of it, which
 * is nothing after a fault. */
CHECKED int house_list_read(struct house_list *list, const char *text,
    size_t len, struct fault *f);
CHECKED int house_list_write(const struct house_list *list, struct buf *out,
    struct fault *f);

#endif
