#ifndef MAP_MAP_BOOK_H
#define MAP_MAP_BOOK_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * The history of a map: who could use which account from when to when.  A file
 * to which lines are added and in which nothing is ever changed.  A line is
 *
 *   HASH TIME SIGN SERVICE ACCOUNT RULE SOURCE ENTRY NAME [REASON]
 *
 * parted by tabs, where a tab, newline, backslash or other control character is
 * \xHH and an empty field is "-".  HASH is the SHA-256, in 64 digits, of the
 * HASH of the line before (64 zeros before the first) and the rest of this line
 * without its newline; TIME is of RFC 3339, UTC, to the second; SIGN is '+' for
 * an account that a name may use from now on, '-' for one that it may not any
 * more, '*' if it could before and it is now its default.
 *
 * Cutting lines off the end leaves a chain that is whole: note map_book_head
 * elsewhere to see that too.
 */
struct fault;
struct map_book;

#define MAP_BOOK_HASH_SIZE 65
#define MAP_BOOK_LINE_MAX 262144 /* bytes of a line */

/* Texts are borrowed; NULL is "".  Names are as the map has them. */
struct map_book_entry {
	time_t when;
	char sign; /* '+', '-', '*' */
	const char *service;
	const char *account;
	const char *rule;
	const char *source;
	const char *entry; /* in its source */
	const char *name;
	const char *reason; /* why it is gone; "" */
};

/**
 * map_book_open(path, f):
 * Open ${path} to add to it, made with mode 0600 if it is not there, and locked
 * against a second writer (FAULT_BUSY).  A last line that was torn by a crash
 * is cut off; so is nothing else: FAULT_INPUT if the last whole line is none.
 * map_book_close() gives it back, and forgets what was not synced.
 */
CHECKED struct map_book *map_book_open(const char *path, struct fault *f);
void map_book_close(struct map_book *book);
OWN_FREE_STRUCT(map_book, map_book_close)

/* Add an entry; it is on the disk after map_book_sync.  After a fault the book
 * has what it had at the last sync, and may be used on. */
CHECKED int map_book_add(struct map_book *book, const struct map_book_entry *e,
    struct fault *f);
CHECKED int map_book_sync(struct map_book *book, struct fault *f);

/* Take back what was added since the last sync: it did not come about. */
void map_book_forget(struct map_book *book);

/* How many bytes a crash had torn off, and were cut at open. */
size_t map_book_torn(const struct map_book *book);
/* The hash of the last line that is synced. */
const char *map_book_head(const struct map_book *book);

/* What to list; NULL and 0 match all.  Names are compared as maps do. */
struct map_book_filter {
	const char *name;
	const char *account;
	const char *service;
	time_t since; /* not before this */
	time_t until; /* not after this */
};

/* Each entry of the file ${path}, oldest first, until ${fn} returns non-zero,
 * which is returned.  A torn last line is passed over.  FAULT_ABSENT if there
 * is no file, FAULT_INPUT with the line for one that cannot be read. */
typedef int map_book_fn(void *arg, const struct map_book_entry *e);
CHECKED int map_book_each(const char *path,
    const struct map_book_filter *filter, map_book_fn *fn, void *arg,
    struct fault *f);

/* What held at ${at}: for each service, name and account the '+' (or '*') that
 * no '-' has followed by then.  In the order in which they began. */
CHECKED int map_book_at(const char *path, const struct map_book_filter *filter,
    time_t at, map_book_fn *fn, void *arg, struct fault *f);

/* Walk the chain.  FAULT_INPUT and the line where it breaks. */
struct map_book_sum {
	uint64_t entries;
	size_t torn; /* bytes after the last whole line */
	char head[MAP_BOOK_HASH_SIZE];
	time_t first;
	time_t last;
};
CHECKED int map_book_check(const char *path, struct map_book_sum *sum,
    struct fault *f);

#endif
