#ifndef MAP_MAP_BOOK_LINE_H
#define MAP_MAP_BOOK_LINE_H

#include "base/buf.h"
#include "base/checked.h"
#include "map/map_book.h"

#include <stddef.h>

/* One line of a history, and the chain of their hashes. */
struct fault;

/* The hash of the line before the first. */
#define MAP_BOOK_NOTHING                   \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000"

struct map_book_line {
	struct map_book_entry entry; /* points into text */
	char hash[MAP_BOOK_HASH_SIZE];
	struct buf text;
};

/* Append what follows the hash, without the newline. */
void map_book_line_write(const struct map_book_entry *e, struct buf *out);

/* Read a whole line of ${len} bytes, without its newline.  Then, also after a
 * fault, map_book_line_free() it. */
CHECKED int map_book_line_read(struct map_book_line *line, const char *text,
    size_t len, struct fault *f);
void map_book_line_free(struct map_book_line *line);

struct map_book_hash;
CHECKED struct map_book_hash *map_book_hash_new(struct fault *f);
void map_book_hash_free(struct map_book_hash *h);

/* The hash, with its NUL, of a line that has the ${len} bytes ${rest} after its
 * hash and follows one whose hash are the 64 digits at ${before}. */
CHECKED int map_book_hash_line(struct map_book_hash *h, const char *before,
    const char *rest, size_t len, char hash[MAP_BOOK_HASH_SIZE],
    struct fault *f);

#endif
