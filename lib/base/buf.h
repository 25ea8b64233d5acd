#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A byte buffer that grows up to a stated limit.  A buffer that has failed
 * (limit or memory) stays failed; ask once at the end.  buf_free wipes, since
 * what passes through may be a pass phrase.
 */
struct buf {
	uint8_t *data;
	size_t len;
	size_t size;
	size_t limit;
	bool failed;
};

/* An empty buffer that may hold at most ${limit} bytes. */
#define BUF(limit_) ((struct buf){ .limit = (limit_) })

void buf_put(struct buf *b, const void *data, size_t len);
void buf_put_u8(struct buf *b, uint8_t byte);
void buf_text(struct buf *b, const char *text); /* without its NUL */
void buf_fmt(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for ${len} more bytes at the end, uncounted; NULL if there is none. */
uint8_t *buf_room(struct buf *b, size_t len);

/* Take memory for ${len} bytes in all now, and no more than that: for what is
 * large, and of known size.  What a buffer is asked for one by one doubles. */
void buf_reserve(struct buf *b, size_t len);

/* Drop the first ${len} bytes. */
void buf_eat(struct buf *b, size_t len);

/* Put a NUL after the data (uncounted) and return it as text; NULL if failed.
 */
const char *buf_cstr(struct buf *b);

/* Forget and wipe the contents, keep the memory; and give it back. */
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

/* A buffer declared OWN_BUF(name, limit) is freed at the end of its scope. */
#define OWN_BUF(name, limit_) \
	__attribute__((cleanup(buf_free))) struct buf name = BUF(limit_)

#endif
