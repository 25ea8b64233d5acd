/*
 * A line of a request log that was read as a request is written again to the
 * byte; and what requests come to agrees with a list that is searched.
 */
#include "map/map_request.h"

#include "base/fault.h"
#include "map/map_book_line.h"
#include "map/map_name.h"
#include "map/map_replay.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(struct map_replay *all, const char *text, size_t len)
{
	struct map_book_line line;
	struct map_book_entry e;
	struct map_request r;
	struct fault f = { 0 };
	OWN_BUF(again, 4 * (size_t)MAP_BOOK_LINE_MAX);

	if (map_book_line_read(&line, text, len, &f) == 0 &&
	    map_request_of(&line.entry, &r, &f) == 0) {
		map_request_entry(&r, &e);
		buf_put(&again, text, MAP_BOOK_HASH_SIZE - 1);
		map_book_line_write(&e, &again);
		if (again.len != len || memcmp(again.data, text, len) != 0)
			abort();
		if (map_replay_do(all, &r, 1, &f) == 0) {
			bool has = map_replay_has(all, r.name, r.account);

			if (line.entry.sign != '*' &&
			    has != (line.entry.sign == '+'))
				abort();
		}
	}
	map_book_line_free(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_replay) all = map_replay_new(&f);
	const char *text = (const char *)data;

	if (all == NULL)
		return 0;
	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t len = end == NULL ? size : (size_t)(end - text);

		check_line(all, text, len);
		text += len + (end != NULL);
		size -= len + (end != NULL);
	}
	return 0;
}
