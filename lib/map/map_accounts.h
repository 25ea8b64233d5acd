#ifndef MAP_MAP_ACCOUNTS_H
#define MAP_MAP_ACCOUNTS_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The accounts of one name, in their order; the first is the default.  An
 * account may be "" (a map file can say so: the name has then no default), a
 * pool (".name"), and, in a line that was read as the Toolkit reads it, any
 * word at all.
 */

/* What one name, or its accounts, may be long in a map: far more than any real
 * one, and little enough to be held in memory. */
#define MAP_TEXT_MAX ((size_t)1 << 24)

struct map_accounts {
	struct buf text; /* each followed by a NUL */
	size_t count;
};

#define MAP_ACCOUNTS ((struct map_accounts){ BUF(MAP_TEXT_MAX), 0 })

/* One declared OWN_MAP_ACCOUNTS(a) is freed at the end of its scope. */
#define OWN_MAP_ACCOUNTS(name)                                                 \
	__attribute__((cleanup(map_accounts_free))) struct map_accounts name = \
	    MAP_ACCOUNTS

void map_accounts_clear(struct map_accounts *a);
void map_accounts_free(struct map_accounts *a);

/* Add one account of ${len} bytes at the end; a NUL in it ends it. */
void map_accounts_put(struct map_accounts *a, const char *account, size_t len);

/* Add those of ${text}, which is `account[,account...]` as it stands. */
void map_accounts_split(struct map_accounts *a, struct wire_bytes text);

/* The ${i}th, or NULL; the first of it is the default. */
const char *map_accounts_at(const struct map_accounts *a, size_t i);

/* Whether ${account} is one of them, to the letter. */
bool map_accounts_has(const struct map_accounts *a, const char *account);

/* Append them to ${b} as `account,account`. */
void map_accounts_join(const struct map_accounts *a, struct buf *b);

#endif
