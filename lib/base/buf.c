#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Move to memory of ${want} bytes. */
static bool
move(struct buf *b, size_t want)
{
	uint8_t *data;

	/* Not realloc: what moves must leave no copy behind. */
	if ((data = malloc(want)) == NULL) {
		b->failed = true;
		return false;
	}
	if (b->len > 0)
		memcpy(data, b->data, b->len);
	if (b->data != NULL) {
		explicit_bzero(b->data, b->size);
		free(b->data);
	}
	b->data = data;
	b->size = want;
	return true;
}

static bool
grow(struct buf *b, size_t more)
{
	size_t want = b->size == 0 ? 256 : b->size;

	if (b->failed || more > b->limit - b->len) {
		b->failed = true;
		return false;
	}
	/* One byte more than asked for, so that buf_cstr always has room. */
	while (want < b->len + more + 1)
		want *= 2;
	return want == b->size || move(b, want);
}

void
buf_reserve(struct buf *b, size_t len)
{
	if (len > b->limit)
		b->failed = true;
	if (!b->failed && len >= b->size)
		(void)move(b, len + 1);
}

uint8_t *
buf_room(struct buf *b, size_t len)
{
	return grow(b, len) ? b->data + b->len : NULL;
}

void
buf_put(struct buf *b, const void *data, size_t len)
{
	uint8_t *room = buf_room(b, len);

	if (room == NULL || len == 0)
		return;
	memcpy(room, data, len);
	b->len += len;
}

void
buf_put_u8(struct buf *b, uint8_t byte)
{
	buf_put(b, &byte, 1);
}

void
buf_text(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		b->failed = true;
		return;
	}
	buf_put(b, text, (size_t)len);
	explicit_bzero(text, (size_t)len);
	free(text);
}

void
buf_eat(struct buf *b, size_t len)
{
	if (len >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
}

const char *
buf_cstr(struct buf *b)
{
	if (!grow(b, 0))
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

void
buf_clear(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->size);
	b->len = 0;
	b->failed = false;
}

void
buf_free(struct buf *b)
{
	buf_clear(b);
	free(b->data);
	b->data = NULL;
	b->size = 0;
}
