#include "map/map_accounts.h"

#include <string.h>

void
map_accounts_clear(struct map_accounts *a)
{
	a->text.len = 0;
	a->text.failed = false;
	a->count = 0;
}

void
map_accounts_free(struct map_accounts *a)
{
	buf_free(&a->text);
	a->count = 0;
}

void
map_accounts_put(struct map_accounts *a, const char *account, size_t len)
{
	buf_put(&a->text, account, strnlen(account, len));
	buf_put_u8(&a->text, '\0');
	a->count += !a->text.failed;
}

void
map_accounts_split(struct map_accounts *a, struct wire_bytes text)
{
	const char *at = (const char *)text.data, *end = at + text.len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;

		map_accounts_put(a, at, (size_t)(stop - at));
		at = stop + 1;
	}
}

const char *
map_accounts_at(const struct map_accounts *a, size_t i)
{
	const char *at = (const char *)a->text.data;

	if (i >= a->count)
		return NULL;
	while (i-- > 0)
		at += strlen(at) + 1;
	return at;
}

bool
map_accounts_has(const struct map_accounts *a, const char *account)
{
	const char *at = (const char *)a->text.data;

	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(at, account) == 0)
			return true;
		at += strlen(at) + 1;
	}
	return false;
}

void
map_accounts_join(const struct map_accounts *a, struct buf *b)
{
	const char *at = (const char *)a->text.data;

	for (size_t i = 0; i < a->count; i++) {
		if (i > 0)
			buf_put_u8(b, ',');
		buf_text(b, at);
		at += strlen(at) + 1;
	}
}
